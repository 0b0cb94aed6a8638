"""What journals add up to, whoever wrote them, in whatever order, by whatever clock."""

import json
from dataclasses import replace
from pathlib import Path

from t2v.batch.making import Outcome
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.folder import open_run, read_run
from t2v.batch.run_folder.journal import lines_of, sealed, split, unsealed
from t2v.batch.run_folder.standing import NEW
from t2v.batch.run_folder.state import read_state
from tests.batch.runs import FAILURE, failed, finished_run, make, make_jobs, write_video

ONE, TWO = Shard(1, 2), Shard(2, 2)


def test_nobody_has_begun_in_an_empty_folder(tmp_path: Path):
    state = read_state(tmp_path / "nowhere")
    assert state.of("ab") == NEW
    assert (state.of("ab").status, state.of("ab").attempts) == ("new", 0)


def test_each_job_is_as_far_as_its_last_event_says(tmp_path: Path):
    jobs = make_jobs(5)
    with open_run(tmp_path) as run:
        make(run, jobs[0])
        run.started(jobs[1], "worker 1")
        run.ended(jobs[1], failed(jobs[1]))
        run.started(jobs[2], "worker 1")
        run.ended(jobs[2], Outcome(jobs[2].key, "interrupted"))
        run.started(jobs[3], "worker 1")
        in_memory = [run.state.of(job.key) for job in jobs]
    state = read_state(tmp_path)
    assert [state.of(job.key).status for job in jobs] == [
        *["done", "failed", "interrupted", "started", "new"]
    ]
    assert [state.of(job.key) for job in jobs] == in_memory


def test_an_outcome_comes_back_but_for_its_record(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        outcome = replace(write_video(tmp_path, job), num_bytes=21, sha256="e" * 64)
        run.ended(job, outcome)
    assert read_state(tmp_path).of(job.key).outcome == replace(outcome, record={})


def test_the_reason_of_a_failure_comes_back(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        run.ended(job, failed(job))
    outcome = read_state(tmp_path).of(job.key).outcome
    assert outcome is not None
    assert outcome.failure == FAILURE


def test_every_beginning_is_an_attempt(tmp_path: Path):
    [job] = make_jobs(1)
    for _ in range(3):
        with open_run(tmp_path) as run:
            run.started(job, "worker 1")
    assert read_state(tmp_path).of(job.key).attempts == 3
    with open_run(tmp_path) as run:
        make(run, job)
    assert read_state(tmp_path).of(job.key).attempts == 4


def test_a_share_knows_what_another_division_has_made(tmp_path: Path):
    jobs = make_jobs(6)
    finished_run(tmp_path, jobs[:3])
    for shard in (ONE, TWO):
        finished_run(tmp_path, [job for job in jobs[3:] if shard.has(job.key)], shard)
    with open_run(tmp_path, shard=Shard(3, 7)) as run:
        assert [run.is_done(job) for job in jobs] == [True] * 6


def test_attempts_of_all_journals_count(tmp_path: Path):
    [job] = make_jobs(1)
    shard = ONE if ONE.has(job.key) else TWO
    for one in (None, shard, shard):
        with open_run(tmp_path, shard=one) as run:
            run.started(job, "worker 1")
    assert read_state(tmp_path).of(job.key).attempts == 3


def test_what_one_journal_finished_is_not_undone_by_another(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
    finished_run(tmp_path, [job], ONE if ONE.has(job.key) else TWO)
    with open_run(tmp_path) as run:
        assert run.state.of(job.key).status == "done"


def test_a_fresh_start_forgets_all_and_counts_anew(tmp_path: Path):
    jobs = make_jobs(2)
    finished_run(tmp_path, jobs)
    with open_run(tmp_path, fresh=True) as run:
        assert [run.state.of(job.key) for job in jobs] == [NEW, NEW]
        run.started(jobs[0], "worker 1")
    state = read_state(tmp_path)
    assert [state.of(job.key).status for job in jobs] == ["started", "new"]
    assert state.of(jobs[0].key).attempts == 1


def test_what_was_made_since_a_fresh_start_counts(tmp_path: Path):
    jobs = make_jobs(2)
    finished_run(tmp_path, jobs)
    with open_run(tmp_path, fresh=True) as run:
        make(run, jobs[0])
    with open_run(tmp_path) as run:
        assert [run.is_done(job) for job in jobs] == [True, False]


def test_a_fresh_share_forgets_its_own_alone(tmp_path: Path):
    jobs = make_jobs(16)
    finished_run(tmp_path, jobs)
    with open_run(tmp_path, shard=ONE, fresh=True) as run:
        seen = [run.is_done(job) for job in jobs]
    assert seen == [not ONE.has(job.key) for job in jobs]
    assert {True, False} == set(seen)
    view = read_run(tmp_path)
    assert [view.is_done(job) for job in jobs] == seen


def test_a_share_that_goes_on_after_all_was_started_over_is_not_forgotten(tmp_path: Path):
    jobs = make_jobs(16)
    finished_run(tmp_path, jobs)
    with open_run(tmp_path, fresh=True):
        pass
    shares = [[job for job in jobs if shard.has(job.key)] for shard in (ONE, TWO)]
    finished_run(tmp_path, shares[0], ONE)
    state = read_state(tmp_path)
    assert {state.of(job.key).status for job in shares[0]} == {"done"}
    assert {state.of(job.key).status for job in shares[1]} == {"new"}


def test_a_fresh_start_of_nothing_writes_nothing(tmp_path: Path):
    with open_run(tmp_path, fresh=True):
        pass
    assert (tmp_path / "journal.jsonl").read_bytes() == b""


def test_a_clock_that_jumps_back_changes_nothing(tmp_path: Path):
    jobs = make_jobs(3)
    finished_run(tmp_path, jobs[:1])
    with open_run(tmp_path, fresh=True) as run:
        run.planned(jobs)
        make(run, jobs[1])
        run.started(jobs[2], "worker 1")
    before = read_state(tmp_path)
    path = tmp_path / "journal.jsonl"
    bodies = [unsealed(line) for _, line in lines_of(path)]
    events = [json.loads(body + b"}") for body in bodies if body is not None]
    for number, event in enumerate(events):
        event["at"] = f"{2026 - number}-11-24T17:00:00.000+00:00"
    path.write_bytes(b"".join(map(sealed, events)))
    after = read_state(tmp_path)
    assert [after.of(job.key).status for job in jobs] == ["new", "done", "started"]
    assert [after.of(job.key) for job in jobs] == [before.of(job.key) for job in jobs]
    with open_run(tmp_path) as run:
        assert [run.is_done(job) for job in jobs] == [False, True, False]


def test_the_last_plan_says_what_is_wanted(tmp_path: Path):
    jobs = make_jobs(4)
    for wanted in (jobs[:3], jobs[1:]):
        with open_run(tmp_path) as run:
            run.planned(wanted)
    assert list(read_state(tmp_path).planned) == [job.key for job in jobs[1:]]


def test_the_same_plan_is_not_written_twice(tmp_path: Path):
    jobs = make_jobs(4)
    finished_run(tmp_path, jobs)
    size = (tmp_path / "journal.jsonl").stat().st_size
    with open_run(tmp_path) as run:
        run.planned(jobs)
        assert all(run.is_done(job) for job in jobs)
        run.finished({})
    assert (tmp_path / "journal.jsonl").stat().st_size == size


def test_a_plan_that_was_cut_is_none(tmp_path: Path):
    jobs = make_jobs(4)
    with open_run(tmp_path) as run:
        run.planned(jobs[:1])
        run.planned(jobs)
    path = tmp_path / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert list(read_state(tmp_path).planned) == [jobs[0].key]
    with open_run(tmp_path) as run:
        run.planned(jobs)
    assert len(read_state(tmp_path).planned) == 4


def test_the_journal_has_no_place_of_this_machine(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canarycanarycanarycanary")
    [job] = make_jobs(1)
    model = replace(job.request, model=str(tmp_path / "models" / "mine"))
    job = replace(job, source=f"{tmp_path}/prompts.txt:3", request=model)
    message = f"{tmp_path}/models/mine refuses hf_canarycanarycanarycanary"
    with open_run(tmp_path / "out") as run:
        run.planned([job])
        run.started(job, "worker 1")
        run.ended(job, failed(job, message))
        run.finished({})
    events = [
        split(body)[0]
        for _, line in lines_of(tmp_path / "out" / "journal.jsonl")
        if (body := unsealed(line)) is not None
    ]
    told = {event["event"]: event for event in events}
    assert told["job"]["source"] == "prompts.txt:3"
    assert told["job"]["model"] == "mine"
    assert told["failed"]["failure"]["message"] == "mine refuses ***"
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert str(tmp_path) not in path.read_text()
            assert "canary" not in path.read_text()
