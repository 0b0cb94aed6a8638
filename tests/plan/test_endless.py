"""Shots and windows of a video whose end nobody knows."""

import itertools
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.plan.endless import endless_shots, endless_windows, num_windows, shown_frames
from t2v.plan.live import LivePrompts
from t2v.plan.moments import parse_moment
from t2v.plan.story import Cue, parse_story, read_story
from t2v.plan.timeline import timed
from t2v.plan.windows import LongPlan, Shot
from t2v.zoo.spec import LatentRule

RULE = LatentRule(factor=4)
OVERLAPS = [0, 1, 7, 12, 20]


def endless(*cues, window=21, overlap=7):
    prompts = LivePrompts(cues or [Cue("a fox")], Fraction(16), RULE, seed=42)
    return LongPlan(
        "windows",
        "",
        "wavefront",
        "independent",
        RULE,
        window,
        overlap,
        window - overlap,
        (Shot(0, 0, 10**6, 250_000, 42, ()),),
        endless=True,
        prompts=prompts,
    )


def windows(long, shot=0, most=40):
    """The first windows of a shot whose earlier ones are made."""
    for one in itertools.islice(endless_shots(long), shot + 1):
        found = list(itertools.islice(endless_windows(long, one), most))
    return found


def sums(found):
    """The weight of all windows on each frame."""
    totals = [0.0] * (found[-1].start + found[-1].length)
    for window in found:
        for offset, weight in enumerate(window.weights):
            totals[window.start + offset] += weight
    return totals


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_windows_are_a_stride_apart_and_sum_to_one(overlap):
    found = windows(endless(overlap=overlap))
    assert [window.start for window in found] == [k * (21 - overlap) for k in range(40)]
    whole = found[-1].start - 21
    assert sums(found)[:whole] == pytest.approx([1.0] * whole)
    assert all(window.weights[0] == 0 for window in found[1:]) == (overlap > 0)


def test_each_prompt_is_asked_for_when_its_window_begins():
    long = endless(
        Cue("a fox"), Cue("rain", parse_moment("93f")), Cue("snow", parse_moment("149f"))
    )
    shot = long.shots[0]
    made = endless_windows(long, shot)
    # The second window leads from latent 18 on, and the prompt of the middle of its way, 24, is its.
    assert [next(made).prompt for _ in range(2)] == ["a fox", "rain"]
    assert [cue.prompt for cue in long.prompts.used] == ["a fox", "rain"]
    assert next(made).prompt == "snow"


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("frames", [1, 2, 57, 81, 82, 85, 86, 200, 333])
def test_windows_up_to_a_cut_sum_to_one(overlap, frames):
    long = endless(Cue("a fox"), Cue("rain", parse_moment(f"{frames}f"), cut=True), overlap=overlap)
    found = windows(long, most=200)
    assert sums(found) == pytest.approx([1.0] * (found[-1].start + 21))
    assert len(found) == num_windows(long, frames)
    assert shown_frames(long, long.shots[0]) == frames


def test_no_window_is_made_for_nothing_before_a_cut():
    # The second window counts from its second latent frame on, 15, that is from pixel frame 57 on.
    counts = [num_windows(endless(), frames) for frames in (56, 57, 58, 113, 114)]
    assert counts == [1, 1, 2, 2, 3]


def test_the_shot_after_a_cut_has_a_seed_and_windows_of_its_own():
    cut = Cue("rain", parse_moment("10s"), cut=True)
    long = endless(Cue("a fox"), cut)
    found = windows(long, shot=1, most=3)
    shots = list(itertools.islice(endless_shots(long), 2))
    assert [(shot.index, shot.first_frame, shot.seed) for shot in shots] == [
        (0, 0, 42),
        (1, 160, 45880807268088),
    ]
    assert [(window.index, window.shot, window.start) for window in found] == [
        (3, 1, 0),
        (4, 1, 14),
        (5, 1, 28),
    ]
    assert {window.prompt for window in found} == {"rain"}


def test_a_cut_may_have_a_seed_or_the_noise_of_the_shot_before():
    cuts = [
        Cue("rain", parse_moment("2s"), cut=True, seed=5),
        Cue("snow", parse_moment("4s"), cut=True, noise="shared"),
    ]
    long = endless(Cue("a fox"), *cuts)
    windows(long, shot=2)
    assert [shot.seed for shot in itertools.islice(endless_shots(long), 3)] == [42, 5, 5]


def test_prompts_behind_a_cut_belong_to_its_shot():
    cues = [
        Cue("a fox"),
        Cue("rain", parse_moment("5s"), cut=True),
        Cue("snow", parse_moment("12s")),
    ]
    long = endless(*cues)
    first = [window.prompt for window in windows(long)]
    second = [window.prompt for window in windows(long, shot=1, most=4)]
    assert (set(first), second) == ({"a fox"}, ["rain", "rain", "snow", "snow"])


def test_of_cuts_that_are_due_at_once_the_last_is_shown():
    cues = [Cue("a fox"), *(Cue(name, parse_moment("0f"), cut=True) for name in ("rain", "snow"))]
    long = endless(*cues)
    windows(long)
    # Not before the second window, since a shot of no frame is none.
    assert [(cue.prompt, str(cue.at)) for cue in long.prompts.used] == [
        ("a fox", "0f"),
        ("snow", "58f"),
    ]


MOMENTS = st.one_of(st.none(), st.integers(1, 400).map(lambda frame: parse_moment(f"{frame}f")))
ENTRIES = st.builds(Cue, st.sampled_from(["rain", "snow", "an owl"]), MOMENTS, st.booleans())


@given(st.lists(st.lists(ENTRIES, max_size=2), max_size=6), st.sampled_from(OVERLAPS))
def test_whatever_is_added_when_the_video_can_be_made_again(additions, overlap):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "story.yaml"
        entries = [Cue("a fox").to_dict()]
        file.write_text(json.dumps(entries))
        prompts = LivePrompts(read_story(file), Fraction(16), RULE, seed=42, file=file)
        long = replace(endless(overlap=overlap), prompts=prompts)
        long = replace(long, shots=(replace(long.shots[0], num_frames=500),))
        made = []
        for shot in endless_shots(long):
            made.append([shot.seed])
            for window in within(long, shot):
                made[-1].append(window)
                entries += [cue.to_dict() for cue in (additions.pop(0) if additions else ())]
                file.write_text(json.dumps(entries))

    story = timed(parse_story(prompts.used), 81, Fraction(16))
    again = replace(long, prompts=LivePrompts(story, Fraction(16), RULE, seed=42))

    assert [[one.seed, *within(again, one)] for one in endless_shots(again)] == made


def within(long, shot):
    """The windows that begin before the video ends, or the shot."""
    for window in endless_windows(long, shot):
        if 4 * window.start > shot.num_frames:
            return
        yield window
