"""Run folders as a batch leaves them: a real journal, and real videos of a few kilobytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from t2v.api.record import public_request
from t2v.batch.jobs import Job
from t2v.batch.making import Failure, Outcome
from t2v.batch.run_folder.folder import open_run
from t2v.media.writer import open_writer
from t2v.plan.request import Request

FPS = Fraction(12)
COLORS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (200, 40, 200)]


@dataclass(frozen=True)
class Wish:
    """A video of a run, and what becomes of it."""

    prompt: str
    status: str = "ok"
    """Of its outcome; `started` and `new` have none."""
    output: str | None = None
    seed: int = 0
    model: str = "doodle-128"
    steps: int = 20
    num_frames: int = 12
    message: str = "It ran out of memory."
    size: tuple[int, int] = (64, 48)
    custom_id: str | None = None


def make_run(folder: Path, wishes: Sequence[Wish]) -> list[Job]:
    """Make a run folder with these videos."""
    jobs = [_job(number, wish) for number, wish in enumerate(wishes)]
    with open_run(folder) as run:
        run.planned(jobs)
        for number, (job, wish) in enumerate(zip(jobs, wishes, strict=True)):
            if wish.status == "new":
                continue
            run.started(job, "worker 1")
            if wish.status != "started":
                run.ended(job, _outcome(folder, job, wish, COLORS[number % len(COLORS)]))
        run.finished({})
    return jobs


def write_clip(path: Path, color: Sequence[int], size: tuple[int, int], num_frames: int) -> None:
    """A plain color with a white bar that walks from left to right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    with open_writer(path, width=width, height=height, fps=FPS) as writer:
        for number in range(num_frames):
            frame = np.full((height, width, 3), color, np.uint8)
            left = number * width // num_frames
            frame[: height // 4, left : left + width // num_frames] = 255
            writer.write(frame)
        writer.finish(None)


def _job(number: int, wish: Wish) -> Job:
    request = Request(
        wish.prompt,
        wish.model,
        *wish.size,
        wish.num_frames,
        FPS,
        wish.seed,
        num_inference_steps=wish.steps,
    )
    key = sha256(repr((number, wish)).encode()).hexdigest()
    output = wish.output or f"video-{number}.mp4"
    return Job(
        key, f"video-{number}", request, output, 0, wish.custom_id, f"prompts.txt:{number + 1}"
    )


def _outcome(folder: Path, job: Job, wish: Wish, color: Sequence[int]) -> Outcome:
    if wish.status in ("failed", "interrupted"):
        kind = Failure("memory", "MemoryExhaustedError", wish.message)
        failure = kind if wish.status == "failed" else None
        return Outcome(job.key, wish.status, failure=failure, seconds=1.5)
    path = folder / job.output
    write_clip(path, color, wish.size, wish.num_frames)
    record: dict[str, Any] = {
        "model": wish.model,
        "prompt": wish.prompt,
        "seed": wish.seed,
        "created": "2026-11-24T17:00:00+00:00",
        "license": "apache-2.0",
        "request": public_request(job.request),
        "status": wish.status,
        "guard": {"suspect": ["flat: 96 % of the frames are one color"]},
    }
    sign = Failure("suspect", "SuspectError", "The frames look broken: flat.", 4)
    failure = sign if wish.status == "suspect" else None
    num_bytes = path.stat().st_size if path.is_file() else None
    return Outcome(
        job.key, wish.status, job.output, num_bytes, "0" * 64, "f" * 64, record, failure, 2.5
    )
