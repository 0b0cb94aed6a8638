"""Batches of tiny videos with real workers: what is made, tried again, given up, and written down."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from t2v.batch.making import Manner
from t2v.batch.running.runner import run_batch
from t2v.batch.running.summary import Summary
from t2v.errors import BusyError, DiskError
from t2v.plan.events import Event
from tests.batch.killing import ROOT, Driver, journal, rejected
from tests.batch.quick_run import MAKER, plan_of
from tests.fresh import python

Batch = Callable[..., Summary]


pytestmark = pytest.mark.usefixtures("importable")


@pytest.fixture
def batch(folder: Path) -> Batch:
    """Run a batch of prompts in this process, with workers in others."""

    def run(
        *prompts: str, lanes: int = 1, strict: bool = False, batch_size: int = 1, **options: Any
    ) -> Summary:
        manner = Manner(folder, lanes=lanes, strict=strict, batch_size=batch_size)
        options = {"maker": MAKER, **options}
        return run_batch(plan_of(prompts), folder=folder, manner=manner, **options)

    return run


def reasons(summary: Summary) -> dict[str, str]:
    """Kind of failure by the words of the prompt that the id begins with."""
    return {item.id.split("-")[0]: item.failure.kind for item in summary.failures}


def test_all_videos_are_made_recorded_and_shown(batch: Batch, folder: Path):
    summary = batch("red", "green", "blue", lanes=2)
    assert (summary.num_made, summary.exit_code) == (3, 0)
    assert len(list(folder.glob("*.mp4"))) == len(list(folder.glob("*-*.json"))) == 3
    assert rejected(folder) == []
    results = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [result["response"]["status_code"] for result in results] == [200, 200, 200]
    assert "green" in (folder / "index.html").read_text()


def test_a_second_run_makes_nothing_and_starts_no_worker(
    batch: Batch, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    batch("red", "green")
    monkeypatch.setenv("QUICK_LOAD", "model")
    before = (folder / "journal.jsonl").read_bytes()
    summary = batch("red", "green")
    assert (summary.num_made, summary.num_there, summary.exit_code) == (0, 2, 0)
    assert (folder / "journal.jsonl").read_bytes() == before


def test_a_further_prompt_is_all_that_is_made(batch: Batch):
    batch("red", "green")
    assert (batch("blue", "red", "green").num_made) == 1


def test_what_kills_its_worker_does_not_touch_the_others(batch: Batch, folder: Path):
    summary = batch("red", "exit", "green", "segfault", "blue", "memory", "raise", "pink", lanes=2)
    assert (summary.num_made, summary.num_failed, summary.exit_code) == (4, 4, 3)
    assert reasons(summary) == {
        "exit": "death",
        "segfault": "death",
        "memory": "memory",
        "raise": "generation",
    }
    said = {item.id.split("-")[0]: item.failure.message for item in summary.failures}
    assert "ended with exit code 3" in said["exit"]
    assert "killed by SIGSEGV" in said["segfault"]
    lines = (folder / "results.jsonl").read_text().splitlines()
    errors = [json.loads(line)["error"] for line in lines]
    assert sorted(error["code"] for error in errors if error) == [
        *("death", "death", "generation", "memory")
    ]


@pytest.mark.slow
def test_what_hangs_is_ended_and_given_up_and_the_others_are_made(batch: Batch):
    summary = batch("red", "hang", "green", "blue", lanes=2, timeout_s=1.0)
    assert (summary.num_made, reasons(summary), summary.exit_code) == (3, {"hang": "timeout"}, 3)


def test_what_fails_once_is_tried_again(batch: Batch):
    summary = batch("once raise", "once exit", "once memory")
    assert (summary.num_made, summary.exit_code) == (3, 0)


def test_nothing_is_tried_again_where_that_is_not_wanted(batch: Batch):
    summary = batch("once raise", "once exit", retry=0)
    assert (summary.num_failed, summary.exit_code) == (2, 1)


def test_a_wrong_request_is_tried_once(batch: Batch):
    summary = batch("wrong", "red", retry=5)
    [item] = summary.failures
    assert (item.attempts, item.failure.kind, item.source) == (1, "request", "p.txt:1")


def test_a_failed_item_is_left_alone_until_it_is_asked_for(batch: Batch):
    assert batch("once wrong", "red").num_failed == 1
    again = batch("once wrong", "red")
    assert (again.num_failed, again.num_there, again.exit_code) == (1, 1, 3)
    wanted = batch("once wrong", "red", retry_failed=True)
    assert (wanted.num_made, wanted.num_there, wanted.exit_code) == (1, 1, 0)


def test_the_tries_of_all_runs_are_counted_until_all_is_begun_again(batch: Batch):
    runs = [
        batch("wrong", "red"),
        batch("wrong", "red", retry_failed=True),
        batch("wrong", "red"),
        batch("wrong", "red", fresh=True),
    ]
    assert [run.failures[0].attempts for run in runs] == [1, 2, 2, 1]


def test_a_full_disk_ends_the_run_and_the_next_one_makes_the_rest(batch: Batch):
    full = batch("red", "once disk", "green", "blue")
    assert (full.exit_code, full.stop, full.num_failed) == (74, "disk", 0)
    assert full.num_made + full.num_interrupted + full.num_untried == 4
    rest = batch("red", "once disk", "green", "blue")
    assert (rest.exit_code, rest.num_made + rest.num_there) == (0, 4)


def test_after_as_many_failures_as_are_allowed_nothing_is_begun(batch: Batch):
    prompts = ["wrong 1", "red", "wrong 2", *(f"ball {number}" for number in range(5))]
    summary = batch(*prompts, max_failures=2)
    assert (summary.num_made, summary.num_failed, summary.num_untried) == (1, 2, 5)
    assert (summary.stop, summary.exit_code) == ("max_failures", 3)


def test_a_batch_whose_first_items_all_fail_alike_stops(batch: Batch):
    summary = batch(*(f"alike {number}" for number in range(9)), retry=0)
    assert (summary.num_failed, summary.num_untried, summary.exit_code) == (3, 6, 1)
    assert summary.reason is not None
    assert "The model is broken." in summary.reason


def test_a_model_that_cannot_be_loaded_fails_all_its_items_at_once(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("QUICK_LOAD", "model")
    summary = batch("red", "green")
    assert (reasons(summary), summary.exit_code) == ({"red": "model", "green": "model"}, 1)


def test_a_model_that_kills_its_worker_while_loading_is_given_up(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("QUICK_LOAD", "exit")
    summary = batch("red", "green")
    assert reasons(summary) == {"red": "death", "green": "death"}


def test_workers_that_do_not_start_end_the_run(batch: Batch):
    summary = batch("red", maker="tests.batch.quick_maker:no_such_thing")
    assert (summary.stop, summary.num_untried, summary.exit_code) == ("workers", 1, 1)


def test_a_suspect_video_is_a_failure_only_to_the_strict(batch: Batch):
    assert (batch("suspect", "red").num_suspect, batch("suspect", "red").exit_code) == (1, 0)
    assert batch("suspect", "red", strict=True).exit_code == 3


def test_reasons_hold_no_folders_of_this_machine(batch: Batch, folder: Path):
    batch("surprise", "red", retry=0)
    written = (folder / "journal.jsonl").read_text() + (folder / "results.jsonl").read_text()
    assert "division by zero" in written
    assert "/home/ada" not in written
    assert str(folder.parent) not in written


def test_two_workers_share_the_work(batch: Batch, folder: Path):
    told: list[Event] = []
    summary = batch(*(f"slow {number}" for number in range(4)), workers=2, listener=told.append)
    assert summary.num_made == 4
    assert {event.worker for event in told if event.status == "begun"} == {"worker-1", "worker-2"}


def test_an_item_is_begun_and_finished_for_those_who_listen(batch: Batch):
    told: list[Event] = []
    batch("red", "once raise", listener=told.append)
    items = [(e.status, e.step, e.of) for e in told if e.event == "item"]
    assert items == [
        ("begun", 0, 2),
        ("ok", 1, 2),
        ("begun", 1, 2),
        ("again", 1, 2),
        ("begun", 1, 2),
        ("ok", 2, 2),
    ]
    steps = [event for event in told if event.event == "step"]
    assert all(event.item and event.worker == "worker-1" for event in steps)


def test_prompts_that_fit_share_a_call(batch: Batch):
    told: list[Event] = []
    batch(*(f"ball {number}" for number in range(4)), batch_size=4, listener=told.append)
    statuses = [event.status for event in told if event.event == "item"]
    assert statuses == ["begun"] * 4 + ["ok"] * 4


def test_the_driver_stays_small(folder: Path):
    code = (
        "import sys; from tests.batch.quick_run import *; "
        f"run_batch(plan_of(['red']), folder=Path({str(folder)!r}), "
        f"manner=Manner(Path({str(folder)!r})), maker=MAKER); "
        "print({'torch', 'diffusers', 'numpy', 'av'} & set(sys.modules))"
    )
    assert python(code, cwd=ROOT).stdout == "set()\n"


def test_a_run_in_a_folder_that_is_in_use_ends_at_once(batch: Batch, folder: Path):
    driver = Driver(folder, ["slow 1"])
    driver.wait_until_begun()
    with pytest.raises(BusyError, match=rf"process {driver.process.pid} on "):
        batch("slow 1")
    assert driver.wait() == 0
    assert sum(event["event"] == "done" for event in journal(folder)) == 1


def test_fresh_makes_all_again_and_deletes_nothing(batch: Batch, folder: Path):
    batch("red", "green")
    summary = batch("red", "green", fresh=True)
    assert summary.num_made == 2
    assert len(list(folder.glob("*.old-1.mp4"))) == 2
    assert len(list(folder.glob("*.mp4"))) == 4


def test_a_worker_that_is_told_to_stop_by_others_is_replaced(folder: Path):
    driver = Driver(folder, ["slow 1", "red"])
    driver.wait_until_begun()
    [worker] = driver.workers()
    os.kill(worker, 15)
    assert driver.wait() == 0, driver.errors()
    statuses = [event.get("status") for event in driver.events() if event["event"] == "item"]
    assert statuses.count("again") == 1
    assert statuses.count("ok") == 2


def test_a_damaged_video_is_made_again_where_hashes_are_compared(batch: Batch, folder: Path):
    batch("red", "green")
    video = next(folder.glob("red-*.mp4"))
    whole = video.read_bytes()
    video.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert batch("red", "green").num_made == 0
    assert batch("red", "green", verify=True).num_made == 1
    assert video.read_bytes() != video.with_name(f"{video.stem}.old-1.mp4").read_bytes()


def test_a_folder_that_cannot_be_used_is_said_before_anything_is_begun(batch: Batch, folder: Path):
    (folder / ".work").mkdir(parents=True)
    (folder / ".work" / "logs").touch()
    with pytest.raises(DiskError, match="logs"):
        batch("red")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can make a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_the_run_and_loses_nothing(tiny_disk: Path):
    folder, ballast = tiny_disk / "out", tiny_disk / "ballast"
    ballast.write_bytes(bytes(420_000))
    prompts = [f"ball {number}" for number in range(12)]
    driver = Driver(folder, prompts)
    assert driver.wait() == 74, driver.errors()
    assert list(folder.rglob(".*.part-*")) == []
    assert rejected(folder) == []
    ballast.unlink()
    again = Driver(folder, prompts)
    assert again.wait() == 0, again.events()[-1:]
    assert again.events()[-1]["num_made"] + again.events()[-1]["num_there"] == 12
    assert sum(event["event"] == "done" for event in journal(folder)) == 12
