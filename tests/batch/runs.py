"""Jobs and finished videos without a model: a few bytes, and the sidecar by which they are known."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from t2v.batch.jobs import Job
from t2v.batch.making import Failure, Outcome
from t2v.batch.planning.identity import job_key
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.folder import Run, open_run
from t2v.plan.request import Request
from t2v.zoo.catalog import Zoo

FAILURE = Failure("memory", "MemoryExhaustedError", "cuda ran out of memory")


def request_of(prompt: str, seed: int = 0, **values: Any) -> Request:
    """A request of the embedded model."""
    return Request(prompt, "doodle-128", 128, 128, 16, Fraction(8), seed, **values)


def make_jobs(count: int, prefix: str = "ball", **values: Any) -> list[Job]:
    """Jobs with keys of their own: `ball-0`, `ball-1`, ..."""
    spec = Zoo.load().find("doodle-128")
    requests = [request_of(f"a {prefix}", seed, **values) for seed in range(count)]
    return [
        Job(job_key(spec, one), f"{prefix}-{n}", one, f"{prefix}-{n}.mp4", 0, f"{prefix} no. {n}")
        for n, one in enumerate(requests)
    ]


def write_video(folder: Path, job: Job, data: bytes = b"moving pictures") -> Outcome:
    """What a maker leaves of a finished video."""
    path = folder / job.output
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "schema": "t2v.video/1",
        "key": job.key,
        "status": "ok",
        "prompt": job.request.prompt,
        "frames_sha256": "f" * 64,
        "request": job.request.to_dict(),
    }
    path.write_bytes(data + job.id.encode())
    path.with_suffix(".json").write_text(json.dumps(record))
    return Outcome(job.key, "ok", job.output, frames_sha256="f" * 64, record=record, seconds=1.5)


def make(run: Run, job: Job, data: bytes = b"moving pictures") -> None:
    """Make a job's video and write it down."""
    run.started(job, "worker 1")
    run.ended(job, write_video(run.folder, job, data))


def finished_run(folder: Path, jobs: list[Job], shard: Shard | None = None) -> None:
    """A run that made all of these."""
    with open_run(folder, shard=shard) as run:
        run.planned(jobs)
        for job in jobs:
            make(run, job)
        run.finished({"num_made": len(jobs)})


def failed(job: Job, message: str = FAILURE.message) -> Outcome:
    """An outcome that is none."""
    return Outcome(job.key, "failed", failure=replace(FAILURE, message=message))


def names(folder: Path) -> list[str]:
    """What is in a folder, but for hidden files."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
