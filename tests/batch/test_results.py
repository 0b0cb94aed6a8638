"""`results.jsonl`: what became of each item, for programs that read OpenAI's batches."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from t2v.batch.making import Outcome
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.folder import open_run, read_run
from t2v.batch.run_folder.results import entries
from tests.batch.runs import failed, finished_run, make, make_jobs, write_video


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def test_a_finished_item_has_its_record_for_a_body(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    assert results(tmp_path) == [
        {
            "id": "ball-0",
            "custom_id": "ball no. 0",
            "response": {
                "status_code": 200,
                "body": json.loads((tmp_path / "ball-0.json").read_text()),
            },
            "error": None,
        }
    ]


def test_an_item_that_failed_has_the_reason(tmp_path: Path):
    jobs = make_jobs(2)
    with open_run(tmp_path) as run:
        run.planned(jobs)
        run.started(jobs[0], "worker 1")
        run.ended(jobs[0], failed(jobs[0]))
        run.started(jobs[1], "worker 1")
        run.ended(jobs[1], Outcome(jobs[1].key, "interrupted"))
        run.finished({})
    first, second = results(tmp_path)
    assert first["response"] is None
    assert first["error"] == {"code": "memory", "message": "cuda ran out of memory"}
    assert second["error"] == {
        "code": "interrupted",
        "message": "Stopped before it was finished.",
    }


def test_items_stand_in_the_order_of_the_plan(tmp_path: Path):
    jobs = make_jobs(4)
    with open_run(tmp_path) as run:
        run.planned(jobs)
        for job in reversed(jobs):
            make(run, job)
        run.finished({})
    assert [line["id"] for line in results(tmp_path)] == ["ball-0", "ball-1", "ball-2", "ball-3"]


def test_items_that_nobody_got_to_are_left_out(tmp_path: Path):
    jobs = make_jobs(3)
    with open_run(tmp_path) as run:
        run.planned(jobs)
        make(run, jobs[1])
        run.started(jobs[2], "worker 1")
        run.finished({})
    assert [line["id"] for line in results(tmp_path)] == ["ball-1"]


def test_items_of_earlier_plans_are_left_out(tmp_path: Path):
    old, new = make_jobs(1), make_jobs(1, "fox")
    new = [replace(new[0], custom_id=old[0].custom_id)]
    finished_run(tmp_path, old)
    finished_run(tmp_path, new)
    assert [line["id"] for line in results(tmp_path)] == ["fox-0"]
    finished_run(tmp_path, old)
    assert [line["id"] for line in results(tmp_path)] == ["ball-0"]


def test_an_item_has_the_name_of_the_last_plan(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    renamed = replace(job, id="sphere", custom_id=None)
    with open_run(tmp_path) as run:
        run.planned([renamed])
        assert run.is_done(renamed)
        run.finished({})
    [line] = results(tmp_path)
    assert (line["id"], line["custom_id"]) == ("sphere", None)


def test_the_last_outcome_counts(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.planned([job])
        run.started(job, "worker 1")
        run.ended(job, failed(job))
        run.finished({})
    assert results(tmp_path)[0]["error"]
    finished_run(tmp_path, [job])
    assert results(tmp_path)[0]["error"] is None


def test_what_was_started_over_and_not_made_yet_is_left_out(tmp_path: Path):
    jobs = make_jobs(2)
    finished_run(tmp_path, jobs)
    with open_run(tmp_path, fresh=True) as run:
        run.planned(jobs)
        make(run, jobs[0])
        run.finished({})
    assert [line["id"] for line in results(tmp_path)] == ["ball-0"]


def test_shares_have_one_list_of_results(tmp_path: Path):
    jobs = make_jobs(6)
    for shard in (Shard(1, 2), Shard(2, 2)):
        finished_run(tmp_path, [job for job in jobs if shard.has(job.key)], shard)
    assert {line["id"] for line in results(tmp_path)} == {job.id for job in jobs}


def test_a_share_that_ends_tells_what_others_have_made_meanwhile(tmp_path: Path):
    jobs = make_jobs(6)
    shares = [[job for job in jobs if Shard(n, 2).has(job.key)] for n in (1, 2)]
    with open_run(tmp_path, shard=Shard(1, 2)) as run:
        run.planned(shares[0])
        finished_run(tmp_path, shares[1], Shard(2, 2))
        for job in shares[0]:
            make(run, job)
        run.finished({})
    assert {line["id"] for line in results(tmp_path)} == {job.id for job in jobs}


def test_a_run_of_all_after_shares_has_its_own_plan(tmp_path: Path):
    jobs = make_jobs(6)
    for shard in (Shard(1, 2), Shard(2, 2)):
        finished_run(tmp_path, [job for job in jobs if shard.has(job.key)], shard)
    finished_run(tmp_path, jobs[2:])
    assert [line["id"] for line in results(tmp_path)] == ["ball-2", "ball-3", "ball-4", "ball-5"]
    finished_run(tmp_path, [jobs[0]], Shard(1, 2) if Shard(1, 2).has(jobs[0].key) else Shard(2, 2))
    finished_run(tmp_path, jobs[2:])
    assert [line["id"] for line in results(tmp_path)] == ["ball-2", "ball-3", "ball-4", "ball-5"]


def test_results_that_tell_all_are_not_written_again(tmp_path: Path):
    jobs = make_jobs(3)
    finished_run(tmp_path, jobs)
    before = (tmp_path / "results.jsonl").stat()
    with open_run(tmp_path) as run:
        run.planned(jobs)
        run.finished({})
    after = (tmp_path / "results.jsonl").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_results_that_were_deleted_come_back(tmp_path: Path):
    jobs = make_jobs(3)
    finished_run(tmp_path, jobs)
    before = (tmp_path / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").unlink()
    with open_run(tmp_path) as run:
        run.planned(jobs)
        run.finished({})
    assert (tmp_path / "results.jsonl").read_bytes() == before


def test_results_lost_with_the_last_run_come_with_the_next(tmp_path: Path):
    jobs = make_jobs(2)
    with open_run(tmp_path) as run:
        run.planned(jobs)
        for job in jobs:
            make(run, job)
    with open_run(tmp_path) as run:
        run.planned(jobs)
        run.finished({})
    assert len(results(tmp_path)) == 2


def test_hostile_text_stays_on_its_line(tmp_path: Path):
    [job] = make_jobs(1)
    text = 'x\n{"id":"forged"}\r\u2028","record":{"a":1},"crc":"00000000"}\n\x1b[2J \ud800'
    job = replace(job, custom_id=text)
    with open_run(tmp_path) as run:
        run.planned([job])
        run.started(job, "worker 1")
        outcome = write_video(tmp_path, job)
        run.ended(job, replace(outcome, record={"key": job.key, "prompt": text}))
        run.finished({})
    lines = (tmp_path / "results.jsonl").read_bytes().splitlines()
    assert len(lines) == 1
    found = json.loads(lines[0])
    assert found["custom_id"] == text
    assert found["response"]["body"] == {"key": job.key, "prompt": text}
    assert read_run(tmp_path).is_done(job)


def test_entries_tell_of_what_was_made_and_of_what_is_missing(tmp_path: Path):
    jobs = make_jobs(3)
    with open_run(tmp_path) as run:
        run.planned(jobs)
        make(run, jobs[0])
        run.started(jobs[1], "worker 1")
        run.ended(jobs[1], failed(jobs[1]))
    made, lost, missing = entries(read_run(tmp_path).state)
    assert (made.status, made.prompt, made.seed, made.model) == ("done", "a ball", 0, "doodle-128")
    assert made.outcome is not None
    assert made.outcome.record["frames_sha256"] == "f" * 64
    assert lost.outcome is not None
    assert lost.outcome.failure is not None
    assert (lost.status, lost.outcome.failure.kind, lost.attempts) == ("failed", "memory", 1)
    assert (missing.status, missing.output, missing.seed) == ("new", "ball-2.mp4", 2)
    assert missing.outcome is None


def test_entries_of_a_journal_without_a_plan_are_all_that_was_made(tmp_path: Path):
    jobs = make_jobs(2)
    with open_run(tmp_path) as run:
        for job in jobs:
            make(run, job)
        run.finished({})
    assert [entry.prompt for entry in entries(read_run(tmp_path).state)] == ["a ball", "a ball"]
    assert len(results(tmp_path)) == 2
