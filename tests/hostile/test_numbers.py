"""Numbers that are none, or that no machine could serve."""

import pytest

from tests.hostile.world import World

NO_NUMBERS = [
    "",
    " ",
    "abc",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "1e400",
    "-1e400",
    "-1",
    "0x10",
    "1,5",
    "1 2",
    "--",
    "\x1b[31m5",
    "5\x00",
    "5\u202e",
    "½",
    "Ⅷ",
    "9" * 400,
    "9" * 5000,
    "[1]",
    "None",
    "true",
    "${SEED}",
]
FLAGS = [
    "--seconds",
    "--num-frames",
    "--height",
    "--width",
    "--fps",
    "--steps",
    "--guidance",
    "--seed",
    "--num-videos",
    "--flow-shift",
    "--crf",
]

OUT_OF_RANGE = [
    # a flag, a number, what is said
    ("--seconds", "0", "more than 0"),
    ("--seconds", "-0.0", "more than 0"),
    ("--seconds", "86401", "at most 86400"),
    ("--seconds", "1e308", "at most 86400"),
    ("--num-frames", "0", "at least 1"),
    ("--num-frames", "1000001", "at most 1000000"),
    ("--num-frames", "2.5", "whole number"),
    ("--num-frames", "1e3", "whole number"),
    ("--height", "0", "at least 1"),
    ("--height", "16385", "at most 16384"),
    ("--width", "0", "at least 1"),
    ("--width", "1000000000000", "at most 16384"),
    ("--size", "0x0", "at least 1"),
    ("--size", "-1x-1", "must look like 832x480"),
    ("--size", "832", "must look like 832x480"),
    ("--size", "832x480x3", "must look like 832x480"),
    ("--size", "x", "must look like 832x480"),
    ("--size", "99999x99999", "at most 16384"),
    ("--size", "1e3x1e3", "must look like 832x480"),
    ("--size", "9" * 4000 + "x1", "must look like 832x480"),
    ("--size", "\x1b[31mx\x1b[0m", "must look like 832x480"),
    ("--fps", "0", "between 0.1 and 1000"),
    ("--fps", "1/0", "not a frame rate"),
    ("--fps", "0/0", "not a frame rate"),
    ("--fps", "1/000", "not a frame rate"),
    ("--fps", "1000001", ""),
    ("--fps", "1001", "between 0.1 and 1000"),
    ("--fps", "1/1000", "between 0.1 and 1000"),
    ("--steps", "0", "at least 1"),
    ("--steps", "1001", "at most 1000"),
    ("--steps", "2.5", "whole number"),
    ("--guidance", "100.5", "at most 100"),
    ("--guidance-2", "5", "takes no --guidance-scale-2"),
    ("--seed", "1.5", "whole number"),
    ("--seed", str(2**63), f"at most {2**63 - 1}"),
    ("--seed", str(2**200), ""),
    ("--num-videos", "0", "at least 1"),
    ("--num-videos", "10001", "at most 10000"),
    ("--flow-shift", "0", "more than 0"),
    ("--flow-shift", "1e99", "at most 100"),
    ("--crf", "64", "at most 63"),
    ("--crf", "-0.5", "whole number"),
]

OTHER_DIGITS = ["١٢", "５", "๕", "1_000", "+5", " 5", "5.0", "05"]


@pytest.mark.parametrize(
    "flag", [*FLAGS[:2], *(pytest.param(flag, marks=pytest.mark.slow) for flag in FLAGS[2:])]
)
@pytest.mark.parametrize("text", NO_NUMBERS, ids=lambda text: ascii(text[:20]))
def test_what_is_no_number_is_refused_and_the_flag_is_named(world: World, flag: str, text: str):
    refused = world("plan", "a ball", f"{flag}={text}")
    assert (refused.code, refused.changed) == (2, ())
    assert flag.strip("-")[:4] in refused.error


@pytest.mark.parametrize(("flag", "text", "said"), OUT_OF_RANGE)
def test_a_number_out_of_range_is_refused_with_the_range(
    world: World, flag: str, text: str, said: str
):
    refused = world("plan", "a ball", f"{flag}={text}")
    assert (refused.code, refused.changed) == (2, ())
    assert said in refused.error


@pytest.mark.slow
@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag != "--height"])
@pytest.mark.parametrize("text", OTHER_DIGITS)
def test_digits_of_other_scripts_and_habits_mean_their_number_or_are_refused(
    world: World, flag: str, text: str
):
    outcome = world("plan", "a ball", f"{flag}={text}")
    assert outcome.code in (0, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--size", "16384x16384", "--num-frames", "81"),
        ("--width", "16384", "--height", "1"),
        ("--steps", "1000", "--seed", str(2**63 - 1)),
        ("--num-videos", "10000"),
        ("--seconds", "0.000000001"),
        ("--seconds", "1e-320"),
        ("--fps", "1000", "--num-frames", "1"),
        ("--fps", "0.1"),
    ],
    ids=" ".join,
)
def test_extreme_but_possible_wishes_are_planned(world: World, arguments: tuple[str, ...]):
    assert world("plan", "a ball", *arguments).code in (0, 2)


CONTRADICTIONS = [
    (("--seconds", "1", "--num-frames", "5"), "--seconds and --num-frames"),
    (("--size", "64x64", "--width", "64"), "say the size once"),
    (("--num-frames", "1000000", "--method", "native"), "at most"),
    (("--seconds", "86400", "--method", "native"), "at most"),
    (("--num-frames", "-5", "--seed", "-1", "--steps", "nan"), "--seed must be at least 0"),
]


@pytest.mark.parametrize(("arguments", "said"), CONTRADICTIONS)
def test_contradictions_are_named(world: World, arguments: tuple[str, ...], said: str):
    refused = world("plan", "a ball", *arguments)
    assert refused.code == 2
    assert said in refused.error
