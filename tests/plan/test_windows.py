"""Where windows lie and how much they count, for every length."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.plan.windows import Span, spans, weights

LENGTHS = (9, 13, 16, 19, 21, 33)
SPANS = [
    pytest.param(lambda length: (*range(length, 3 * length), 997, 2000), id="some"),
    pytest.param(lambda length: range(length, 2001), id="all", marks=pytest.mark.slow),
]
"""Lengths of shots to try with a window."""


def starts(*arguments, **options):
    return [span.start for span in spans(*arguments, **options)]


def sums(placed, values, num_latents):
    """The weight of all windows on each frame."""
    totals = [0.0] * num_latents
    for span, own in zip(placed, values, strict=True):
        for offset, weight in enumerate(own):
            totals[(span.start + offset) % num_latents] += weight
    return totals


def shares(placed, values, num_latents):
    """How much each prompt counts on each frame."""
    shared = [{} for _ in range(num_latents)]
    for span, own in zip(placed, values, strict=True):
        for offset, weight in enumerate(own):
            frame = shared[(span.start + offset) % num_latents]
            frame[span.segment] = frame.get(span.segment, 0.0) + weight
    return shared


def test_one_window_holds_what_fits():
    placed = spans(21, 21, 7)
    assert placed == [Span(0, 0, 21, 0)]
    assert weights(placed, 21, 21) == [(1.0,) * 21]


def test_windows_are_spread_evenly():
    assert starts(81, 21, 7) == [0, 12, 24, 36, 48, 60]


def test_ramps_are_half_open():
    placed = spans(9, 6, 3)
    assert weights(placed, 9, 6) == [
        pytest.approx((1, 1, 1, 1, 2 / 3, 1 / 3)),
        pytest.approx((0, 1 / 3, 2 / 3, 1, 1, 1)),
    ]


def test_windows_that_only_touch_count_whole():
    placed = spans(12, 6, 0)
    assert weights(placed, 12, 6) == [(1.0,) * 6, (1.0,) * 6]


@pytest.mark.parametrize("lengths", SPANS)
@pytest.mark.parametrize("length", LENGTHS)
def test_the_grid_is_full_and_no_window_is_wasted(length, lengths):
    for overlap in range(length // 2 + 1):
        for num_latents in lengths(length):
            begins = starts(num_latents, length, overlap)
            assert len(begins) == 1 + -(-(num_latents - length) // (length - overlap))
            assert (begins[0], begins[-1]) == (0, num_latents - length)
            gaps = [after - before for before, after in itertools.pairwise(begins)]
            assert all(0 < gap <= length - overlap for gap in gaps)


@pytest.mark.parametrize("lengths", SPANS)
@pytest.mark.parametrize("length", LENGTHS)
def test_weights_sum_to_one_and_later_windows_open_with_nothing(length, lengths):
    for overlap in (0, 1, length // 3, length // 2, 3 * length // 4):
        for num_latents in lengths(length):
            placed = spans(num_latents, length, overlap)
            values = weights(placed, num_latents, length)
            assert sums(placed, values, num_latents) == pytest.approx([1.0] * num_latents, abs=1e-9)
            assert all(len(own) == length and min(own) >= 0 for own in values)
            if overlap:
                assert all(own[0] == 0 for own in values[1:])


@pytest.mark.parametrize("length", LENGTHS)
def test_a_third_of_overlap_costs_at_most_1_7_times_and_1_6_in_long_videos(length):
    costs = {
        num_latents: len(spans(num_latents, length, round(length / 3))) * length / num_latents
        for num_latents in range(2 * length, 2001)
    }
    assert max(costs.values()) <= 1.7
    assert max(cost for count, cost in costs.items() if count >= 5 * length) <= 1.6


@pytest.mark.parametrize("lengths", SPANS)
@pytest.mark.parametrize("patch", [2, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_starts_are_multiples_of_the_patch(length, patch, lengths):
    for num_latents in (count for count in lengths(length) if (count - length) % patch == 0):
        for overlap in (0, 1, length // 3, length // 2):
            placed = spans(num_latents, length, overlap, patch=patch)
            assert all(span.start % patch == 0 for span in placed)
            values = weights(placed, num_latents, length)
            assert sums(placed, values, num_latents) == pytest.approx([1.0] * num_latents)


@st.composite
def stories(draw):
    """A shot with switches, and whether it is a loop."""
    length, patch = draw(st.sampled_from(LENGTHS)), draw(st.sampled_from([1, 2]))
    overlap = draw(st.integers(1, length // 2))
    num_latents = length + patch * draw(st.integers(0, 150))
    loop = draw(st.booleans())
    num_latents += -num_latents % patch if loop else 0
    switches = draw(st.lists(st.integers(1, num_latents - 1), max_size=8, unique=True))
    return num_latents, length, overlap, patch, sorted(switches), loop


@given(stories())
def test_a_prompt_leads_between_its_switches_but_for_half_an_overlap(story):
    num_latents, length, overlap, patch, switches, loop = story
    placed = spans(num_latents, length, overlap, patch=patch, switches=switches, loop=loop)
    shared = shares(placed, weights(placed, num_latents, length, loop=loop), num_latents)
    bounds = [0, *switches, num_latents]
    near = -(-overlap // 2)
    for segment, (begin, end) in enumerate(itertools.pairwise(bounds)):
        begin += near if segment or loop else 0
        end -= near if segment < len(switches) or loop else 0
        for frame in range(begin, end):
            assert shared[frame].get(segment, 0) >= 0.5 - 1e-9


@given(stories())
def test_windows_of_a_story_cover_it_in_order(story):
    num_latents, length, overlap, patch, switches, loop = story
    placed = spans(num_latents, length, overlap, patch=patch, switches=switches, loop=loop)
    values = weights(placed, num_latents, length, loop=loop)
    assert sums(placed, values, num_latents) == pytest.approx([1.0] * num_latents, abs=1e-9)
    assert [span.start for span in placed] == sorted(span.start for span in placed)
    assert all(own[0] == 0 for own in values[0 if loop else 1 :])
    assert all(span.start <= span.begin < span.end <= span.start + length for span in placed)
    if not loop:
        assert all(0 <= span.start <= num_latents - length for span in placed)


def test_even_prompts_of_one_latent_frame_are_seen():
    placed = spans(24, 21, 7, switches=[5, 6, 7])
    shared = shares(placed, weights(placed, 24, 21), 24)
    assert [shared[5][1], shared[6][2], shared[7][3]] == [1.0, 1.0, 1.0]


def test_the_middle_of_an_overlap_lies_on_the_switch():
    placed = spans(60, 21, 7, switches=[30])
    shared = shares(placed, weights(placed, 60, 21), 60)
    assert shared[29][1] == pytest.approx(3 / 7)
    assert shared[30][1] == pytest.approx(4 / 7)


def test_a_loop_goes_on_from_its_last_window_to_its_first():
    placed = spans(40, 21, 7, loop=True)
    values = weights(placed, 40, 21, loop=True)
    assert [(span.start % 40, span.begin, span.end) for span in placed] == [
        (36, -4, 17),
        (9, 9, 30),
        (22, 22, 43),
    ]
    assert sums(placed, values, 40) == pytest.approx([1.0] * 40)
