import random

import numpy as np
import pytest

from training import drawing, measure, world


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure.check(60, seed=5)


def test_what_was_drawn_is_read_right(figures):
    assert figures["everything"] >= 0.97


def test_captions_with_one_thing_wrong_are_refused(figures):
    assert figures["wrong_accepted"] <= 0.05


def test_an_empty_place_shows_no_subject():
    frames = np.stack([drawing.empty_place("night")] * 17)
    assert measure.read(frames) == measure.Reading("night", ())


def test_noise_does_not_pass_for_a_scene():
    noise = np.random.default_rng(0).integers(0, 256, (17, 128, 128, 3), dtype=np.uint8)
    scene = world.Scene((world.Subject("red", "star", "left"),), "white")
    assert not measure.judge(measure.read(noise), scene).color


def test_a_still_subject_does_not_move():
    scene = world.Scene((world.Subject("red", "star", "left"),), "gray")
    frames = drawing.render(scene, random.Random(0))
    frozen = np.repeat(frames[:1], 17, axis=0)
    assert [seen.motion for seen in measure.read(frames).subjects] == ["left"]
    assert [seen.motion for seen in measure.read(frozen).subjects] == ["still"]
