"""How far a run is, from its folder: finished, cut off, at work, started over, damaged."""

import os
import time
from dataclasses import replace
from hashlib import sha256

import pytest

from t2v.batch.run_folder.folder import open_run
from t2v.batch.run_folder.status import Example, Reason, is_run, run_status
from t2v.errors import RequestError
from tests.batch.small_runs import Wish, make_run

NONE = dict.fromkeys(("ok", "suspect", "failed", "interrupted", "waiting", "working"), 0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def test_every_video_is_counted_once(folder):
    statuses = ("ok", "ok", "suspect", "failed", "interrupted", "started", "new", "new", "new")
    make_run(folder, [Wish(f"video {n}", status) for n, status in enumerate(statuses)])
    status = run_status(folder)
    expected = {"ok": 2, "suspect": 1, "failed": 1, "interrupted": 2, "waiting": 3}
    assert status.counts == NONE | expected
    assert (status.num_videos, status.num_missing) == (9, 5)


def test_reasons_that_are_alike_are_told_once_with_where_they_happened(folder):
    wishes = [Wish(f"video {n}", "failed", message="No room.") for n in range(7)]
    make_run(folder, [*wishes, Wish("other", "failed", message="No light."), Wish("one")])
    first, second = run_status(folder).reasons
    assert first == Reason(
        "failed",
        "memory: No room.",
        7,
        [Example(f"video-{n}", f"prompts.txt:{n + 1}") for n in range(5)],
    )
    assert (second.reason, second.num_videos) == ("memory: No light.", 1)


def test_a_video_whose_file_is_gone_is_missing(folder):
    make_run(folder, [Wish("one"), Wish("two")])
    (folder / "video-0.mp4").unlink()
    status = run_status(folder)
    assert status.counts == NONE | {"ok": 1, "waiting": 1}
    assert status.reasons[0].reason == "its file is gone; the next run makes it again"


def test_what_is_in_work_is_not_taken_for_cut_off_while_a_run_holds_the_folder(folder):
    jobs = make_run(folder, [Wish("one"), Wish("two", "new"), Wish("three", "new")])
    with open_run(folder) as run:
        run.started(jobs[1], "worker 1")
        status = run_status(folder)
    assert status.counts == NONE | {"ok": 1, "working": 1, "waiting": 1}
    assert [owner["pid"] for owner in status.at_work] == [str(os.getpid())]
    after = run_status(folder)
    assert after.counts == NONE | {"ok": 1, "interrupted": 1, "waiting": 1}
    assert after.at_work == ()


def test_asking_does_not_keep_a_run_from_beginning_and_changes_nothing(folder):
    make_run(folder, [Wish("one")])
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    run_status(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    with open_run(folder):
        pass


def test_runs_and_what_they_cost_are_told(folder):
    jobs = make_run(folder, [Wish("one"), Wish("two", "failed"), Wish("three", "new")])
    with open_run(folder) as run:
        run.started(jobs[2], "worker 1")
    status = run_status(folder)
    assert [run.num_ended for run in status.runs] == [2, 0]
    assert all(run.wall_s >= 0 for run in status.runs)
    assert status.making_s == 2.5
    assert status.num_bytes == (folder / "video-0.mp4").stat().st_size


def test_a_damaged_journal_is_told_and_the_rest_of_it_read(folder):
    make_run(folder, [Wish("one"), Wish("two")])
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if b'"done"' in line)
    lines[at] = lines[at].replace(b'"done"', b'"gone"')
    journal.write_bytes(b"".join(lines))
    status = run_status(folder)
    assert (status.num_damaged, status.counts) == (1, NONE | {"ok": 1, "interrupted": 1})


def test_a_clock_that_was_set_back_makes_no_negative_time(folder):
    make_run(folder, [Wish("one")])
    journal = folder / "journal.jsonl"
    first, second, *rest = journal.read_bytes().splitlines(keepends=True)
    assert second.startswith(b'{"event":"run","at":"20')
    later = second.replace(b'"at":"20', b'"at":"21', 1)
    journal.write_bytes(b"".join([first, later, *rest]))
    assert [run.wall_s for run in run_status(folder).runs] == [0.0]


def test_a_folder_without_a_journal_is_no_run(tmp_path):
    assert not is_run(tmp_path)
    with pytest.raises(RequestError, match="has no journal of a batch"):
        run_status(tmp_path)


def test_ten_thousand_videos_are_counted_in_seconds(folder):
    template = make_run(folder, [Wish("one")])[0]
    output = folder / template.output
    with open_run(folder, fresh=True) as run:
        jobs = [_numbered(template, number) for number in range(10_000)]
        run.planned(jobs)
    assert output.is_file()
    begun = time.process_time()
    assert run_status(folder).counts == NONE | {"waiting": 10_000}
    assert time.process_time() - begun < 5


def _numbered(job, number):
    key = sha256(str(number).encode()).hexdigest()
    return replace(job, key=key, id=f"video-{number}", output=f"video-{number}.mp4")
