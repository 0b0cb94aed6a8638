import json

import numpy as np
import pytest

from t2v.media.guard import Guard, NonFiniteFrame


def verdict(frames):
    guard = Guard()
    for frame in frames:
        guard.look(frame)
    return guard.report()


def noise(count=12, low=0.2, high=0.8):
    rng = np.random.default_rng(0)
    return [rng.uniform(low, high, (96, 128, 3)).astype(np.float32) for _ in range(count)]


def test_a_moving_clip_is_not_suspect(frames):
    assert verdict(frames(128, 96, 12)).suspect == ()


def test_black_frames_are_suspect():
    assert verdict([np.zeros((96, 128, 3), np.float32)] * 12).suspect == ("all black",)


def test_a_black_intro_is_not_suspect(frames):
    assert verdict([np.zeros((96, 128, 3), np.float32)] * 6 + frames(128, 96, 12)).suspect == ()


def test_a_night_scene_is_not_suspect(frames):
    assert verdict([0.05 * frame for frame in frames(128, 96, 12)]).suspect == ()


def test_one_color_is_suspect():
    flat = [np.full((96, 128, 3), 0.4 + 0.01 * n, np.float32) for n in range(12)]
    assert verdict(flat).suspect == ("flat: every frame is one color",)


def test_frames_of_equal_bits_are_suspect(frames):
    (reason,) = verdict(frames(128, 96, 1) * 24).suspect
    assert reason.startswith("frozen")


def test_a_still_scene_with_the_least_change_is_not_frozen(frames):
    scene = frames(128, 96, 1)[0]
    assert verdict([scene + np.float32(1e-4 * (n % 2)) for n in range(24)]).suspect == ()


def test_a_single_frame_is_not_frozen(frames):
    assert verdict(frames(128, 96, 1)).suspect == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_no_number_is_suspect(value, frames):
    clip = frames(128, 96, 4)
    clip[2][41, 43, 1] = value
    assert verdict(clip).suspect == ("NaN or infinite values in 1 of 4 frames",)


def test_it_can_stop_at_the_first_nan(frames):
    clip = frames(128, 96, 4)
    clip[1][41, 43, 1] = np.nan
    guard = Guard()
    guard.look(clip[0], strict_finite=True)
    with pytest.raises(NonFiniteFrame, match="Frame 1 has NaN"):
        guard.look(clip[1], strict_finite=True)


def test_noise_at_the_limits_is_suspect():
    overflow = [np.round(frame - 0.5 + 0.5) for frame in noise(low=0, high=1)]
    assert verdict(overflow).suspect == ("saturated: nearly every value is at its limit",)


def test_a_drawing_in_pure_colors_is_not_suspect():
    drawing = []
    for n in range(12):
        frame = np.full((96, 128, 3), 255, np.uint8)
        frame[30:60, 20 + n : 60 + n] = (255, 0, 0)
        drawing.append(frame)
    assert verdict(drawing).suspect == ()


def test_statistics_are_numbers_for_the_record(frames):
    statistics = verdict(frames(128, 96, 12)).statistics
    assert statistics["mean_luma"] == pytest.approx(127, abs=25)
    assert statistics["motion"] > 0.5
    assert statistics["nonfinite_frames"] == 0
    json.dumps(statistics, allow_nan=False)


def test_floats_and_bytes_get_the_same_statistics(frames):
    clip = frames(128, 96, 6)
    in_bytes = verdict([np.rint(255 * frame).astype(np.uint8) for frame in clip]).statistics
    for name, value in verdict(clip).statistics.items():
        assert in_bytes[name] == pytest.approx(value, abs=0.2)


def test_nothing_at_all_is_suspect():
    assert verdict([]).suspect == ("no frames",)
