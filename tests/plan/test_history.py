import json
from dataclasses import replace
from pathlib import Path

import pytest

from t2v.plan.history import (
    MAX_RUNS,
    Run,
    Workload,
    estimate,
    history_path,
    read_runs,
    record_timings,
)

WORK = Workload("some-model", "Some GPU", 832, 480, 81, 50)
TIMES = {"load": 10.0, "encode": 1.0, "denoise": 100.0, "decode": 8.0, "write": 2.0}


def test_a_run_is_remembered():
    record_timings(WORK, TIMES)

    assert read_runs() == [Run(WORK, TIMES)]


def test_nothing_is_known_at_first():
    assert read_runs() == []
    assert estimate(WORK, []) is None


def test_the_same_again_takes_as_long():
    expected = estimate(WORK, [Run(WORK, TIMES)])

    assert expected is not None
    assert (expected.total_s, expected.seconds_per_step) == (121.0, 2.0)
    assert (expected.runs, expected.is_scaled) == (1, False)


def test_other_steps_take_their_share():
    expected = estimate(replace(WORK, num_inference_steps=25), [Run(WORK, TIMES)])

    assert expected is not None
    assert (expected.denoise_s, expected.decode_s) == (50.0, 8.0)


def test_a_larger_video_is_scaled_by_its_pixels():
    expected = estimate(replace(WORK, num_frames=162), [Run(WORK, TIMES)])

    assert expected is not None
    assert (expected.load_s, expected.denoise_s, expected.decode_s) == (10.0, 200.0, 16.0)
    assert expected.is_scaled


def test_the_nearest_workload_counts_alone():
    small = Run(replace(WORK, num_frames=9), {**TIMES, "denoise": 1.0})

    expected = estimate(WORK, [small, Run(WORK, TIMES), small])

    assert expected is not None
    assert expected.denoise_s == 100.0


def test_one_slow_run_does_not_spoil_the_estimate():
    runs = [Run(WORK, {**TIMES, "denoise": seconds}) for seconds in (100.0, 9000.0, 102.0)]

    expected = estimate(WORK, runs)

    assert expected is not None
    assert expected.denoise_s == 102.0


def test_old_runs_give_way_to_recent_ones():
    old = [Run(WORK, {**TIMES, "denoise": 500.0})] * 20

    expected = estimate(WORK, [*old, *[Run(WORK, TIMES)] * 5])

    assert expected is not None
    assert expected.denoise_s == 100.0


def test_videos_after_the_first_do_not_hide_the_loading():
    later = Run(WORK, {**TIMES, "load": 0.0})

    expected = estimate(WORK, [Run(WORK, TIMES), *[later] * 20])

    assert expected is not None
    assert expected.load_s == 10.0


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other-model"},
        {"device_name": "Other GPU"},
        {"num_frames": 81 * 100},
        {"num_inference_steps": None},
        {"num_lanes": 2},
    ],
)
def test_what_cannot_be_compared_says_nothing(change: dict):
    assert estimate(replace(WORK, **change), [Run(WORK, TIMES)]) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"workload": 1, "timings_s": {}}',
        '{"workload": {"model": "x"}, "timings_s": {}}',
        '{"timings_s": {}}',
        "[" * 100_000,
    ],
)
def test_a_broken_line_is_passed_over(line: str):
    record_timings(WORK, TIMES)
    with history_path().open("a") as file:
        file.write(line + "\n")
    record_timings(WORK, TIMES)

    assert read_runs() == [Run(WORK, TIMES)] * 2


@pytest.mark.parametrize("value", [-1, 1e12, float("nan"), "fast", None])
def test_a_mad_number_is_no_run(value: object):
    record = {
        "workload": {
            "model": "m",
            "device_name": "d",
            "width": 8,
            "height": 8,
            "num_frames": 8,
            "num_inference_steps": 8,
        },
        "timings_s": {"denoise": value},
    }

    assert Run.parse(json.dumps(record)) is None


def test_a_torn_last_line_does_not_swallow_the_next_run():
    record_timings(WORK, TIMES)
    with history_path().open("a") as file:
        file.write('{"workload": {"model"')
    record_timings(WORK, TIMES)
    record_timings(WORK, TIMES)

    assert len(read_runs()) == 3


def test_the_history_stays_small():
    for _ in range(2 * MAX_RUNS + 50):
        record_timings(WORK, TIMES)

    assert MAX_RUNS <= len(history_path().read_text().splitlines()) <= 2 * MAX_RUNS


def test_bytes_that_are_no_text_are_passed_over():
    history_path().parent.mkdir(parents=True)
    history_path().write_bytes(b"\xff\xfe\x00garbage\n")
    record_timings(WORK, TIMES)

    assert read_runs() == [Run(WORK, TIMES)]


def test_a_history_that_cannot_be_written_fails_no_run(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.touch()

    record_timings(WORK, TIMES, blocked / "timings.jsonl")

    assert read_runs(blocked / "timings.jsonl") == []
