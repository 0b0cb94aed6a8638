"""Where windows meet, in pixel frames, for plans of every kind."""

import itertools
from fractions import Fraction

import pytest

from t2v.api.planning import make_plan
from t2v.longvideo.joins import joins, switches
from t2v.plan.endless import endless_shots, endless_windows
from t2v.plan.live import LivePrompts
from t2v.plan.moments import parse_moment
from t2v.plan.options import Options
from t2v.plan.story import Cue
from t2v.plan.windows import Join, LongPlan, Shot, Window, spans, weights
from t2v.zoo.spec import LatentRule


def a_shot(num_latents, *, overlap=2, changes=(), index=0, first_frame=0, num_frames, loop=False):
    placed = spans(num_latents, 5, overlap, switches=changes, loop=loop)
    rows = weights(placed, num_latents, 5, loop=loop)
    windows = tuple(
        Window(place, index, span.start, 5, row, f"prompt {span.segment}")
        for place, (span, row) in enumerate(zip(placed, rows, strict=True))
    )
    return Shot(index, first_frame, num_frames, num_latents, 0, windows)


def a_plan(*shots, factor=4, **facts):
    return LongPlan(
        method="windows",
        reason="a test",
        order="wavefront",
        noise="independent",
        rule=LatentRule(factor=factor),
        window=5,
        overlap=2,
        stride=3,
        shots=shots,
        **facts,
    )


def test_a_join_runs_from_the_first_blended_frame_to_the_first_of_the_new_window_alone():
    # Windows at latents 0 and 3 share 3 and 4; on 3 the second counts nothing.
    assert list(joins(a_plan(a_shot(8, num_frames=29)))) == [Join(13, 17)]


def test_windows_that_only_touch_join_in_one_frame():
    assert list(joins(a_plan(a_shot(10, overlap=0, num_frames=37)))) == [Join(17, 17)]


def test_frames_of_an_image_vae_are_latents():
    assert list(joins(a_plan(a_shot(8, num_frames=8), factor=1))) == [Join(4, 5)]


def test_a_new_shot_is_a_cut():
    shots = a_shot(8, num_frames=29), a_shot(8, index=1, first_frame=29, num_frames=29)
    assert list(joins(a_plan(*shots))) == [Join(13, 17), Join(29, 29, cut=True), Join(42, 46)]


def test_a_join_past_the_shown_frames_is_none():
    assert list(joins(a_plan(a_shot(8, num_frames=13)))) == []


def test_a_join_ends_with_the_shown_frames():
    assert list(joins(a_plan(a_shot(8, num_frames=15)))) == [Join(13, 14)]


def endless(*cues, num_frames=10**9):
    prompts = LivePrompts(cues, Fraction(8), LatentRule(factor=4))
    return a_plan(Shot(0, 0, num_frames, 10**8, 0, ()), endless=True, prompts=prompts)


def test_an_endless_video_has_joins_every_stride():
    first = [join.first for join in itertools.islice(joins(endless(Cue("a fox"))), 50)]
    assert first[0] == 13
    assert {after - before for before, after in itertools.pairwise(first)} == {12}


def test_joins_of_an_endless_video_ask_for_no_prompt():
    long = endless(Cue("a fox"))
    assert next(joins(long)) == Join(13, 17)
    assert long.prompts.used == []


def test_an_endless_video_has_joins_and_cuts_as_they_come():
    long = endless(Cue("a fox"), Cue("rain", parse_moment("30f"), cut=True), num_frames=60)
    for shot in endless_shots(long):
        for _ in itertools.islice(endless_windows(long, shot), 5):
            pass
    assert list(joins(long)) == [
        Join(13, 17),
        Join(25, 29),
        Join(30, 30, cut=True),
        Join(43, 47),
        Join(55, 59),
    ]


@pytest.mark.parametrize("change", [8, 11, 14, 20])
def test_a_switch_is_where_the_prompt_was_asked_to_change(change):
    story = a_plan(a_shot(30, changes=[change], num_frames=117))
    assert switches(story) == [4 * change - 3]


def test_a_prompt_begins_where_all_its_windows_together_count_more():
    options = Options(
        model="cogvideox-1.5-5b",
        num_frames=159,
        overlap=78,
        story=[{"prompt": "a boat"}, {"at": "76f", "prompt": "a house"}],
    )
    long = make_plan(None, options, config=False).requests[0].long

    # Up to nine windows lie over a frame. The prompt is asked for at frame 76.
    assert switches(long) == [73]


def test_a_new_shot_is_no_switch():
    shots = a_shot(8, num_frames=29), a_shot(8, index=1, first_frame=29, num_frames=29)
    assert switches(a_plan(*shots)) == []


def test_joins_of_a_loop_lie_within_it():
    ring = a_plan(a_shot(12, num_frames=48, loop=True), loop=True)
    found = list(joins(ring))
    assert [join.first for join in found] == sorted(join.first for join in found)
    assert all(0 < join.first <= join.last < 48 for join in found)
