"""Whatever is asked of any model of the zoo, it gets a shape that it makes or a clear refusal."""

from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from t2v.errors import RequestError
from t2v.plan.frames import fit_frames, fit_size
from t2v.plan.options import Options
from t2v.plan.request import Request
from t2v.plan.resolve import resolve
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import FrameRule, ModelSpec

SIZES = [
    *((1, 1), (64, 64), (128, 96), (333, 250), (480, 832), (512, 512), (720, 480), (832, 480)),
    *((848, 481), (1024, 576), (1280, 720), (1920, 1080)),
]
LENGTHS = range(1, 301)
ZOO = Zoo.load(overlays=False)
RULES = {(s.frames, s.sizes, s.latents, s.supports, s.fps): s.name for s in ZOO.values()}
"""What a shape depends on, and a model of each kind."""


def legal(rule: FrameRule) -> list[int]:
    """Every length up to 400 frames that one call makes."""
    counts = range(rule.min or 1, min(rule.max or 400, 400) + 1)
    return [n for n in counts if n >= rule.plus and (n - rule.plus) % rule.multiple == 0]


@pytest.fixture(params=ZOO)
def spec(request, zoo: Zoo) -> ModelSpec:
    return zoo[request.param]


def test_a_clip_within_the_limit_has_the_nearest_length_that_is_legal(spec: ModelSpec):
    lengths = legal(spec.frames)
    for wanted in LENGTHS:
        if spec.frames.max and wanted > spec.frames.max:
            continue
        num_frames, notes = fit_frames(spec, wanted, Fraction(spec.fps))
        assert num_frames in lengths
        assert abs(num_frames - wanted) == min(abs(n - wanted) for n in lengths)
        assert (num_frames != wanted) == any(f"{wanted} frames -> {num_frames}" in n for n in notes)


def test_any_size_becomes_the_nearest_that_is_legal(spec: ModelSpec):
    multiple = spec.sizes.multiple
    for wanted in SIZES:
        *fitted, notes = fit_size(spec, *wanted)
        for side, asked in zip(fitted, wanted, strict=True):
            assert side % multiple == 0
            assert side == multiple or abs(side - asked) * 2 <= multiple
        changed = f"{wanted[0]}x{wanted[1]} -> {fitted[0]}x{fitted[1]}"
        assert (tuple(fitted) != wanted) == any(changed in note for note in notes)


def settled(spec: ModelSpec, **options: Any) -> Request | str:
    """The request, or why there is none."""
    try:
        return resolve(spec, "a fox", [("flag", Options(**options, seed=1))])[0]
    except RequestError as error:
        return str(error)


def check(spec: ModelSpec, wanted: int, size: tuple[int, int]) -> None:
    lengths, multiple = legal(spec.frames), spec.sizes.multiple
    request = settled(spec, num_frames=wanted, width=size[0], height=size[1])
    if isinstance(request, str):
        assert request.startswith(spec.name)
        assert wanted > spec.frames.native
        return
    assert (request.width % multiple, request.height % multiple) == (0, 0)
    assert request.num_frames in lengths or wanted > spec.frames.native
    assert abs(request.num_frames - wanted) <= max(spec.frames.multiple, lengths[0])
    assert request.duration_s == pytest.approx(float(request.num_frames / Fraction(spec.fps)))


def test_a_request_is_settled_or_refused_with_reasons(spec: ModelSpec):
    for wanted in LENGTHS:
        check(spec, wanted, SIZES[wanted % len(SIZES)])


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES.values())
def test_every_length_at_every_size_is_settled_or_refused_with_reasons(name: str, zoo: Zoo):
    for wanted, size in product(LENGTHS, SIZES):
        check(zoo[name], wanted, size)


@pytest.mark.parametrize("seconds", [0.1, 1, 2.5, 5])
def test_seconds_become_that_many_seconds_as_nearly_as_the_rule_allows(
    spec: ModelSpec, seconds: float
):
    request = settled(spec, seconds=seconds)
    if isinstance(request, str):
        assert request.startswith(spec.name)
        return
    slack = max(spec.frames.multiple, legal(spec.frames)[0]) / Fraction(spec.fps)
    assert abs(Fraction(request.duration_s) - Fraction(seconds)) <= slack
