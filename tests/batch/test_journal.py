"""The journal: whole lines or none, whatever cuts or changes it."""

import json
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.folder import open_run, read_run
from t2v.batch.run_folder.journal import (
    Journal,
    check_version,
    journals_of,
    lines_of,
    sealed,
    split,
    unsealed,
)
from t2v.batch.run_folder.state import read_state, replay
from t2v.errors import DiskError, RequestError
from tests.batch.runs import finished_run, make, make_jobs, names, write_video
from tests.disks import fill, small_disk
from tests.patience import PATIENCE_S


def written(path: Path, *events: dict[str, object]) -> Path:
    journal = Journal(path)
    journal.append(*events)
    journal.close()
    return path


def events_of(path: Path) -> list[str]:
    bodies = [unsealed(line) for _, line in lines_of(path)]
    return [split(body)[0]["event"] for body in bodies if body is not None]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """One of three events behind its header."""
    path = tmp_path / "journal.jsonl"
    return written(path, *({"event": f"event {n}", "text": "x"} for n in range(3)))


def test_a_line_is_json_that_ends_with_its_checksum():
    line = sealed({"event": "started", "key": "ab"})
    assert line == b'{"event":"started","key":"ab","crc":"cd70f16e"}\n'
    assert unsealed(line) == b'{"event":"started","key":"ab"'


def test_a_record_is_told_apart_from_text_that_looks_like_one():
    text = 'a sign that says ,"record":{"x":1},"crc":"00000000"}'
    body = unsealed(sealed({"event": "done", "id": text, "record": {"prompt": text}}))
    assert body is not None
    facts, record = split(body)
    assert facts == {"event": "done", "id": text}
    assert json.loads(record) == {"prompt": text}


def test_what_json_and_utf_8_lack_can_be_written():
    body = unsealed(sealed({"event": "x", "text": "\ud800 ä", "mean": [float("nan"), 1.5]}))
    assert body is not None
    assert split(body)[0] == {"event": "x", "text": "\ud800 ä", "mean": [None, 1.5]}


def test_what_has_no_place_in_a_journal_is_refused(tmp_path: Path):
    with pytest.raises(TypeError, match="object has no place in a journal"):
        sealed({"event": "x", "thing": object()})


def test_a_path_is_written_without_its_folders():
    body = unsealed(sealed({"event": "x", "file": Path("/home/ada/clip.mp4")}))
    assert body is not None
    assert split(body)[0]["file"] == "clip.mp4"


def test_the_first_line_tells_the_version(journal: Path):
    first = json.loads(journal.read_text().splitlines()[0])
    assert (first["event"], first["version"]) == ("journal", 1)


def test_a_line_that_a_crash_has_cut_is_taken_off_before_the_next(journal: Path):
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"event":"sta')
    written(journal, {"event": "next"})
    assert journal.read_bytes().startswith(whole)
    assert events_of(journal) == ["journal", "event 0", "event 1", "event 2", "next"]
    assert replay(journal).state.num_damaged == 0


def test_a_whole_last_line_without_its_end_is_kept(journal: Path):
    journal.write_bytes(journal.read_bytes()[:-1])
    written(journal, {"event": "next"})
    assert events_of(journal) == ["journal", "event 0", "event 1", "event 2", "next"]


def test_a_journal_cut_at_any_byte_takes_further_events(journal: Path):
    whole = journal.read_bytes()
    num_cuts = 0
    for cut in range(len(whole)):
        journal.write_bytes(whole[:cut])
        written(journal, {"event": "next"})
        # A line that only lacks its end is a whole one.
        kept = whole[: cut + 1].count(b"\n")
        expected = ["journal", "event 0", "event 1", "event 2"][: max(1, kept)]
        assert events_of(journal) == [*expected, "next"], cut
        num_cuts += 1
    assert num_cuts == len(whole) > 250


@pytest.mark.slow
def test_a_journal_cut_at_every_byte_is_read_as_far_as_it_goes(tmp_path: Path):
    jobs = make_jobs(16)
    with open_run(tmp_path / "out") as run:
        for job in jobs:
            run.started(job, "worker 1")
            run.ended(job, write_video(run.folder, job))
            if job is jobs[3]:
                run.planned(jobs)
    path = tmp_path / "out" / "journal.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 51  # header, run, 16 x (started, done), 16 jobs and their end
    for cut in range(len(whole) - 1, -1, -1):
        os.truncate(path, cut)
        done = whole[: cut + 1].count(b"\n")
        expected = sum(b'"event":"done"' in line for line in lines[:done])
        state = read_state(tmp_path / "out")
        found = [job for job in state.jobs.values() if job.status == "done"]
        assert (len(found), state.num_damaged) == (expected, 0), cut


def test_a_changed_byte_costs_its_own_line_alone(tmp_path: Path):
    jobs = make_jobs(5)
    finished_run(tmp_path, jobs)
    path = tmp_path / "journal.jsonl"
    data = bytearray(path.read_bytes())
    data[data.index(b'"event":"done"') + 20] ^= 1
    path.write_bytes(data)
    state = read_run(tmp_path).state
    assert state.num_damaged == 1
    assert [state.of(job.key).status for job in jobs] == ["started", *["done"] * 4]


@pytest.mark.parametrize("num_changes", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_changed_byte_makes_a_wrong_file_pass_for_a_finished_one(
    tmp_path: Path, num_changes: int
):
    jobs = make_jobs(6)
    finished_run(tmp_path, jobs)
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    good = {job.key: (tmp_path / job.output).read_bytes() for job in jobs}
    chance = random.Random(6)
    num_lost = 0
    for number in range(num_changes):
        # Either the journal is damaged, or a video of the same length is.
        job = jobs[number % len(jobs)]
        if number % 2:
            video = bytearray(good[job.key])
            video[chance.randrange(len(video))] ^= 1 << chance.randrange(8)
            (tmp_path / job.output).write_bytes(video)
        else:
            data = bytearray(whole)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        view = read_run(tmp_path)
        for one in jobs:
            is_good = (tmp_path / one.output).read_bytes() == good[one.key]
            is_done = view.is_done(one, verify=True)
            assert is_good or not is_done, number
            num_lost += is_good and not is_done
        path.write_bytes(whole)
        (tmp_path / job.output).write_bytes(good[job.key])
    # Sidecars tell what damaged lines do not: no good video has to be made again.
    assert num_lost == 0


def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    newer = b'{"event":"journal","version":2,"seal":"of another kind"}\n'
    path.write_bytes(newer)
    with pytest.raises(RequestError, match=r"newer t2v \(journal version 2, this one knows 1\)"):
        read_run(tmp_path)
    with (
        pytest.raises(RequestError, match="Update t2v, or choose another folder"),
        open_run(tmp_path),
    ):
        pass
    assert path.read_bytes() == newer


def test_a_newer_version_under_our_own_seal_is_refused_too(tmp_path: Path):
    (tmp_path / "journal.jsonl").write_bytes(sealed({"event": "journal", "version": 7}))
    with pytest.raises(RequestError, match="journal version 7"):
        read_run(tmp_path)


def test_a_damaged_version_is_no_newer_one(journal: Path):
    journal.write_bytes(journal.read_bytes().replace(b'"version":1', b'"version":9', 1))
    check_version(journal)
    assert replay(journal).state.num_damaged == 1


def test_a_file_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"date":"2026-11-24","text":"Dear diary"}\n')
    with pytest.raises(RequestError, match="is no journal of t2v"), open_run(tmp_path):
        pass
    assert path.read_text() == '{"date":"2026-11-24","text":"Dear diary"}\n'


def test_events_of_later_versions_are_left_alone(journal: Path):
    written(journal, {"event": "invented", "later": [1]}, {"event": "started", "key": 5})
    assert replay(journal).state.num_damaged == 1  # the second lacks what it must have


def test_journals_of_shares_lie_beside_each_other(tmp_path: Path):
    finished_run(tmp_path, make_jobs(1), Shard(2, 8))
    finished_run(tmp_path, make_jobs(1))
    (tmp_path / "journal.0-of-8.jsonl").touch()
    (tmp_path / "journal.old.jsonl").touch()
    found = [path.name for path in journals_of(tmp_path)]
    assert found == ["journal.2-of-8.jsonl", "journal.jsonl"]


def test_a_folder_without_journals_has_none(tmp_path: Path):
    assert journals_of(tmp_path / "nowhere") == []


def test_a_journal_that_is_a_link_is_not_written_to(tmp_path: Path):
    (tmp_path / "other").write_text("precious")
    (tmp_path / "journal.jsonl").symlink_to(tmp_path / "other")
    with pytest.raises(DiskError, match=r"journal\.jsonl"):
        Journal(tmp_path / "journal.jsonl")
    assert (tmp_path / "other").read_text() == "precious"


def test_a_journal_deleted_under_a_run_is_noticed_at_the_next_event(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        (tmp_path / "journal.jsonl").unlink()
        with pytest.raises(DiskError, match="was deleted while the run was under way"):
            run.ended(job, write_video(tmp_path, job))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    with small_disk(tmp_path / "disk", 400 * 1024) as folder:
        yield folder


def test_a_full_disk_loses_nothing_and_the_run_goes_on_when_there_is_room(disk: Path):
    jobs = make_jobs(3)
    big = {"text": "x" * 20_000}
    with open_run(disk) as run:
        make(run, jobs[0])
        run.started(jobs[1], "worker 1")
        outcome = write_video(disk, jobs[1])
        fill(disk)
        with pytest.raises(DiskError, match="is full") as caught:
            run.finished(big)
        assert caught.value.exit_code == 74
        (disk / "filler").unlink()
        run.ended(jobs[1], outcome)
    state = read_run(disk).state
    assert [state.of(job.key).status for job in jobs] == ["done", "done", "new"]
    assert state.num_damaged == 0
    assert not list(disk.glob(".*.part-*"))


def test_events_that_find_no_room_together_are_not_there_in_part(disk: Path):
    path = written(disk / "journal.jsonl", {"event": "before"})
    before = path.read_bytes()
    fill(disk, leave=16_384)
    with closing(Journal(path)) as journal:
        with pytest.raises(DiskError, match="is full"):
            journal.append({"event": "small"}, {"event": "large", "text": "x" * 60_000})
        assert path.read_bytes() == before
        journal.append({"event": "small"})
    assert events_of(path) == ["journal", "before", "small"]


def test_a_disk_that_is_full_from_the_start_is_named(disk: Path):
    (disk / "out").mkdir()
    fill(disk)
    with pytest.raises(DiskError, match=r"The disk of .* is full"), open_run(disk / "out") as run:
        run.planned(make_jobs(100))
    assert names(disk / "out") in ([], ["journal.jsonl"])


def test_a_read_only_folder_can_be_looked_at_and_says_why_it_takes_no_run(disk: Path):
    jobs = make_jobs(2)
    finished_run(disk, jobs)
    command = ["mount", "-o", "remount,ro", str(disk)]
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    view = read_run(disk)
    assert [view.is_done(job) for job in jobs] == [True, True]
    with pytest.raises(DiskError, match="cannot be written to") as caught, open_run(disk):
        pass
    assert caught.value.exit_code == 74
