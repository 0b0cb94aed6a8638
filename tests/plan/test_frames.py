from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.errors import RequestError
from t2v.plan.frames import (
    fit_frames,
    fit_size,
    frames_for,
    label,
    longest,
    rule_text,
    smallest,
    snap_frames,
    snap_size,
)
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import FrameRule, ModelSpec

WAN = FrameRule(multiple=4, plus=1, native=81)
LATTE = FrameRule(native=16, min=16, max=16)

rules = st.builds(
    lambda multiple, plus, minimum: FrameRule(multiple=multiple, plus=plus, native=1, min=minimum),
    st.integers(1, 20),
    st.integers(0, 20),
    st.none() | st.integers(1, 60),
)


def is_legal(rule: FrameRule, num_frames: int) -> bool:
    units, rest = divmod(num_frames - rule.plus, rule.multiple)
    return rest == 0 and units >= (0 if rule.plus else 1) and num_frames >= (rule.min or 1)


@given(rules, st.integers(1, 300))
def test_snapped_frames_are_the_nearest_legal_ones_and_ties_go_up(rule, wanted):
    legal = [count for count in range(1, 400) if is_legal(rule, count)]

    assert snap_frames(rule, wanted) == min(legal, key=lambda count: (abs(count - wanted), -count))


@given(rules, st.integers(1, 300))
def test_a_legal_count_stays_as_it_is(rule, wanted):
    once = snap_frames(rule, wanted)

    assert snap_frames(rule, once) == once


@given(st.integers(1, 200), st.integers(1, 20_000))
def test_a_snapped_size_is_a_multiple_at_most_half_a_unit_away(multiple, wanted):
    snapped = snap_size(multiple, wanted)

    assert snapped % multiple == 0
    assert snapped >= multiple
    assert snapped == multiple or 2 * abs(snapped - wanted) <= multiple


@pytest.mark.parametrize(
    ("wanted", "made"),
    [(1, 1), (2, 1), (3, 5), (80, 81), (81, 81), (82, 81), (83, 85)],
)
def test_wan_makes_one_more_than_a_multiple_of_four(wanted, made):
    assert snap_frames(WAN, wanted) == made


def test_a_rule_without_an_offset_makes_no_empty_clip():
    assert snap_frames(FrameRule(multiple=8, native=16), 1) == 8


def test_a_model_of_one_length_makes_just_that():
    assert (smallest(LATTE), longest(LATTE), snap_frames(LATTE, 15)) == (16, 16, 16)


def test_the_longest_clip_is_a_legal_one():
    assert longest(FrameRule(multiple=4, plus=1, native=81, max=100)) == 97


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (WAN, "4n+1"),
        (FrameRule(multiple=8, native=16), "8n"),
        (LATTE, "exactly 16"),
        (FrameRule(native=16), "any number of frames"),
    ],
)
def test_rules_are_written_as_people_write_them(rule, text):
    assert rule_text(rule) == text


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [
        (5, "16", 80),
        (0.1, "25", 3),
        (10, "30000/1001", 300),
        (0.001, "8", 1),
        (1.5, "25", 38),
        (Fraction(1, 3), "24", 8),
    ],
)
def test_seconds_become_the_nearest_number_of_frames(seconds, fps, frames):
    assert frames_for(seconds, Fraction(fps)) == frames


def test_what_was_snapped_is_said_with_the_rule(wan: ModelSpec):
    assert fit_frames(wan, 80, Fraction(16)) == (81, ["80 frames -> 81, Wan makes 4n+1"])


def test_seconds_are_said_with_the_frames_they_came_to(wan: ModelSpec):
    assert fit_frames(wan, 80, Fraction(16), seconds=5) == (
        81,
        ["5 s at 16 fps: 80 frames -> 81, Wan makes 4n+1"],
    )


def test_a_legal_count_needs_no_words(wan: ModelSpec):
    assert fit_frames(wan, 81, Fraction(16)) == (81, [])


def test_longer_than_trained_is_allowed_and_said(wan: ModelSpec):
    assert fit_frames(wan, 161, Fraction(16)) == (
        161,
        [
            "wan2.1-t2v-1.3b was trained on 81 frames (5.06 s); "
            "161 may repeat or drift, and need more memory"
        ],
    )


def test_longer_than_one_call_makes_is_refused_with_the_limit(wan: ModelSpec):
    spec = wan.model_copy(update={"frames": FrameRule(multiple=4, plus=1, native=81, max=129)})

    with pytest.raises(RequestError, match=r"at most 129 frames in one clip \(8\.06 s\); 200 were"):
        fit_frames(spec, 200, Fraction(16))


def test_a_length_that_snaps_down_to_the_limit_is_fine(wan: ModelSpec):
    spec = wan.model_copy(update={"frames": FrameRule(multiple=4, plus=1, native=81, max=129)})

    assert fit_frames(spec, 130, Fraction(16))[0] == 129


def test_a_clip_that_is_too_short_is_lengthened_and_said(wan: ModelSpec):
    spec = wan.model_copy(update={"frames": FrameRule(multiple=16, plus=8, native=88, min=24)})

    assert fit_frames(spec, 3, Fraction(15)) == (
        24,
        ["3 frames -> 24, Wan makes at least 24 frames"],
    )


def test_sizes_move_to_the_nearest_multiple_and_say_so(wan: ModelSpec):
    assert fit_size(wan, 830, 470) == (
        832,
        464,
        ["830x470 -> 832x464, Wan makes multiples of 16 pixels"],
    )


def test_a_size_far_from_the_trained_ones_is_said(wan: ModelSpec):
    assert fit_size(wan, 64, 64) == (
        64,
        64,
        ["wan2.1-t2v-1.3b was trained at 832x480; 64x64 is far from it"],
    )


def test_every_family_that_ships_has_a_name_for_people():
    named = {label(spec) for spec in Zoo.load(overlays=False).values()}
    assert {"Wan", "LTX", "Kandinsky 5", "Kandinsky 6", "SANA-Video", "Cosmos", "Cosmos 3"} <= named
    assert not named & set(Zoo.load(overlays=False))
