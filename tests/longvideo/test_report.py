"""The report of a long video, on clips whose truth is known."""

import itertools
import tracemalloc

import numpy as np
import pytest

from t2v.longvideo.picture import shrunk
from t2v.longvideo.report import Observer
from t2v.longvideo.statistics import Blocks, Distribution
from t2v.plan.windows import Join

GRAY = 100


def flat(value, count=1):
    """Frames of one gray."""
    return [np.full((64, 64, 3), value, np.uint8)] * count


def ramp(steps):
    """Gray frames, each brighter than the one before by the next of `steps`."""
    return [frame for total in itertools.accumulate(steps, initial=0) for frame in flat(total)]


def report(frames, *joins, switches=(), **options):
    observer = Observer(joins, switches, **options)
    for frame in frames:
        observer.look(frame)
    return observer.report()


def test_a_jump_at_a_join_is_measured_in_usual_changes():
    steps = [2] * 9 + [10] + [2] * 10
    seams = report(ramp(steps), Join(10, 10))["seams"]
    assert (seams["joins"], seams["worst_frame"]) == (1, 10)
    assert seams["usual_change"] == pytest.approx(2, rel=0.003)
    assert seams["ratio"] == seams["worst"] == pytest.approx(5, rel=0.003)


def test_a_jump_elsewhere_is_no_seam():
    steps = [2] * 4 + [50] + [2] * 15
    assert report(ramp(steps), Join(10, 10))["seams"]["ratio"] == pytest.approx(1, rel=0.003)


def test_an_overlap_counts_by_its_mean_and_says_its_peak():
    steps = [2] * 9 + [2, 10, 2, 2] + [2] * 10
    (join,) = report(ramp(steps), Join(10, 13))["seams"]["each"]
    assert join == {
        "frame": 10,
        "ratio": pytest.approx(2, rel=0.003),
        "peak": pytest.approx(5, rel=0.003),
    }


def test_the_worst_join_is_named():
    steps = [2] * 9 + [4] + [2] * 9 + [6] + [2] * 9 + [4] + [2] * 5
    seams = report(ramp(steps), Join(10, 10), Join(20, 20), Join(30, 30))["seams"]
    assert (seams["joins"], seams["worst_frame"]) == (3, 20)
    assert seams["ratio"] == pytest.approx(14 / 3 / 2, rel=0.003)


def test_overlaps_that_overlap_count_each_frame_once():
    steps = [2] * 9 + [4, 4, 4, 6, 6] + [2] * 9
    seams = report(ramp(steps), Join(10, 12), Join(11, 14))["seams"]
    assert [join["frame"] for join in seams["each"]] == [10, 13]
    assert [join["ratio"] for join in seams["each"]] == pytest.approx([2, 3], rel=0.003)


def test_a_cut_is_neither_a_seam_nor_motion():
    found = report(ramp([2] * 9 + [100] + [2] * 9), Join(10, 10, cut=True))
    assert (found["cuts"], found["seams"]["joins"], found["seams"]["ratio"]) == ([10], 0, 0.0)
    assert found["dynamic_degree"] == 2


def test_a_join_that_the_video_ends_in_is_counted():
    assert report(ramp([2] * 12), Join(10, 40))["seams"]["joins"] == 1


def test_a_loop_is_measured_from_its_last_frame_to_its_first():
    frames = [frame for value in (0, 2, 4, 6, 4) for frame in flat(value)]
    assert report(frames, loop=True)["seams"]["loop"] == pytest.approx(2, rel=0.003)


def test_a_still_video_has_no_ratio():
    found = report(flat(GRAY, 20), Join(10, 10))
    assert found["seams"]["ratio"] is None
    assert found["dynamic_degree"] == 0


def test_drift_is_the_last_fifteen_percent_less_the_first_in_percent_of_the_range():
    frames = flat(50, 15) + flat(200, 70) + flat(50 + 51, 15)
    assert report(frames)["drift_percent"] == {"luma": 20, "saturation": 0, "contrast": 0}


def test_drift_of_saturation_is_told_from_drift_of_luma():
    colored = np.full((64, 64, 3), GRAY, np.uint8)
    colored[..., 0] += 51
    drift = report(flat(GRAY, 50) + [colored] * 50)["drift_percent"]
    assert drift["saturation"] == pytest.approx(20)
    assert drift["luma"] == pytest.approx(20 * 0.2126, abs=0.001)


def test_drift_of_contrast_is_seen_where_brightness_stays():
    halves = np.full((64, 64, 3), GRAY, np.uint8)
    halves[:32] += 51
    halves[32:] -= 51
    drift = report(flat(GRAY, 50) + [halves] * 50)["drift_percent"]
    assert drift == {"luma": 0, "saturation": 0, "contrast": 20}


def test_drift_of_a_long_video_is_that_of_a_short_one():
    frames = flat(50, 300) + flat(200, 1400) + flat(101, 300)
    assert report(frames)["drift_percent"]["luma"] == pytest.approx(20, abs=0.5)


def test_blur_lowers_sharpness():
    checks = (np.indices((64, 64)).sum(0) % 2 * 200).astype(np.uint8)[..., None].repeat(3, 2)
    sharpness = report([checks] * 50 + flat(GRAY, 50))["sharpness"]
    assert sharpness["first"] > 100_000
    assert sharpness["last"] == 0


def test_flicker_at_the_windows_period_is_found():
    pulse = [
        frame for _ in range(12) for value in (110, 100, 100, 100) for frame in flat(value)
    ]  # 10 above for a quarter: the first harmonic has the amplitude 2 / 4 * 10
    found = report(pulse, *(Join(start, start) for start in range(4, 48, 4)))["flicker"]
    assert found["luma_percent"] == pytest.approx(100 * 5 / 255, abs=0.001)


def test_flicker_of_another_period_is_not_the_windows():
    pulse = [frame for _ in range(16) for value in (110, 100, 100) for frame in flat(value)]
    found = report(pulse, *(Join(start, start) for start in range(0, 48, 4)))["flicker"]
    assert found["luma_percent"] < 0.2


def test_flicker_needs_two_whole_windows():
    assert report(flat(GRAY, 30), Join(10, 12), Join(20, 22))["flicker"] is None


def test_a_switch_is_found_where_the_colors_change():
    frames = flat(30, 23) + flat(200, 20)
    (switch,) = report(frames, switches=[20], reach=10)["switches"]
    assert switch == {"asked": 20, "seen": 23, "change": 1.0}


def test_a_switch_that_does_not_come_is_not_seen():
    (switch,) = report(flat(GRAY, 40), switches=[20])["switches"]
    assert switch == {"asked": 20, "seen": None, "change": 0.0}


def test_the_middle_of_a_blend_is_the_switch():
    frames = []
    for part in [0] * 20 + [0.2, 0.4, 0.6, 0.8] + [1] * 20:
        frame = np.full((64, 64, 3), 30, np.uint8)
        frame[: round(64 * part)] = 200
        frames.append(frame)
    (switch,) = report(frames, switches=[20], reach=16)["switches"]
    assert switch["seen"] == 22


def test_floats_give_what_integers_give():
    integers = ramp([3] * 20)
    floats = [(frame / 255).astype(np.float32) for frame in integers]
    assert report(floats, Join(5, 6)) == report(integers, Join(5, 6))


def test_a_video_without_joins_has_a_report_too():
    assert report(flat(GRAY))["seams"]["joins"] == 0
    assert report([])["dynamic_degree"] == 0


def test_an_endless_video_may_have_endless_joins():
    joins = (Join(start, start + 1) for start in itertools.count(4, 4))
    observer = Observer(joins, itertools.count(10, 10))
    for frame in ramp([1] * 200):
        observer.look(frame)
    assert observer.report()["seams"]["joins"] == 50


def test_memory_does_not_grow_with_the_video():
    observer = Observer(
        (Join(start, start + 1) for start in itertools.count(8, 8)), itertools.count(16, 16)
    )
    frames = itertools.cycle(flat(10) + flat(200))

    def grown(count):
        for _ in range(count):
            observer.look(next(frames))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = grown(600)
        assert grown(900) - early < 20_000
    finally:
        tracemalloc.stop()


def test_a_small_copy_has_the_means_of_squares():
    frame = np.arange(128 * 130 * 3).reshape(128, 130, 3).astype(np.uint8)
    small = shrunk(frame)
    assert small.shape == (64, 65, 3)
    assert small[3, 5].tolist() == frame[6:8, 10:12].mean((0, 1)).tolist()


def test_a_median_is_right_to_a_fraction_of_a_percent():
    values = np.random.default_rng(0).lognormal(0, 1, 10_001)
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    assert distribution.median() == pytest.approx(np.median(values), rel=0.003)
    assert distribution.mean() == pytest.approx(values.mean())


def test_most_zeros_have_the_median_zero():
    distribution = Distribution()
    for value in (0, 0, 0, 5, 9):
        distribution.add(value)
    assert distribution.median() == 0


def test_stretches_are_joined_when_there_are_too_many():
    blocks = Blocks(1, most=4)
    for value in range(10):
        blocks.add((value,), None)
    assert blocks.mean() == [4.5]
    assert blocks.ends(0.3) == ([1.5], [8.5])
