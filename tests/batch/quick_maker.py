"""A maker of real, tiny videos in some ten milliseconds, which fails in the way that a prompt says.

The first word of a prompt may be one of `BEHAVIORS`, after `once` if only the first try is to fail.
"""

import ctypes
import errno
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from t2v.api import record as records
from t2v.batch.jobs import Group, Job
from t2v.batch.making import Manner, Outcome
from t2v.batch.running.failures import failure_of
from t2v.errors import (
    GenerationError,
    InterruptedRun,
    MemoryExhaustedError,
    ModelError,
    RequestError,
)
from t2v.media.writer import open_writer
from t2v.plan.events import Event, Listener

NUM_FRAMES, SIZE = 5, 32


def _hang(job: Job, listener: Listener) -> None:
    listener(Event("stage", item=job.id, stage="denoise"))
    while True:
        time.sleep(60)


def _exit(job: Job, listener: Listener) -> None:
    os._exit(3)


def _segfault(job: Job, listener: Listener) -> None:
    ctypes.string_at(0)


def _memory(job: Job, listener: Listener) -> None:
    raise MemoryExhaustedError("The device ran out of memory.")


def _raise(job: Job, listener: Listener) -> None:
    raise GenerationError(f"{job.request.prompt} cannot be made.")


def _alike(job: Job, listener: Listener) -> None:
    raise GenerationError("The model is broken.")


def _surprise(job: Job, listener: Listener) -> None:
    raise ZeroDivisionError("division by zero in /home/ada/secret/model.py")


def _wrong(job: Job, listener: Listener) -> None:
    raise RequestError("There is no such LoRA.")


def _disk(job: Job, listener: Listener) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _print(job: Job, listener: Listener) -> None:
    os.write(1, b"a library has something to say\n")


def _slow(job: Job, listener: Listener) -> None:
    for step in range(1, 41):
        listener(Event("step", item=job.id, stage="denoise", step=step, of=41))
        time.sleep(0.05)


BEHAVIORS: dict[str, Callable[[Job, Listener], None]] = {
    "hang": _hang,
    "exit": _exit,
    "segfault": _segfault,
    "memory": _memory,
    "raise": _raise,
    "alike": _alike,
    "surprise": _surprise,
    "wrong": _wrong,
    "disk": _disk,
    "slow": _slow,
    "print": _print,
}


def open_maker(manner: Manner) -> "QuickMaker":
    """A maker of this module."""
    return QuickMaker(manner)


class QuickMaker:
    """Writes as many frames of noise as `NUM_FRAMES`, by the seed of the job."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._group: Group | None = None

    def load(self, group: Group, prompts: Sequence[str], listener: Listener) -> int:
        """Nothing is loaded, unless an environment variable has it fail."""
        listener(Event("stage", stage="load"))
        if os.environ.get("QUICK_LOAD") == "model":
            raise ModelError("The weights are not here.")
        if os.environ.get("QUICK_LOAD") == "exit":
            os._exit(4)
        self._group = group
        return self._manner.lanes or 1

    def make(self, jobs: Sequence[Job], listener: Listener) -> list[Outcome]:
        """One after another."""
        return [self._one(job, listener) for job in jobs]

    def close(self) -> None:
        """There is nothing to free."""

    def _one(self, job: Job, listener: Listener) -> Outcome:
        began = time.perf_counter()
        try:
            self._misbehave(job, listener)
            return self._write(job, listener, began)
        except (KeyboardInterrupt, InterruptedRun):
            return Outcome(job.key, "interrupted")
        except Exception as error:
            return Outcome(job.key, "failed", failure=failure_of(error))

    def _misbehave(self, job: Job, listener: Listener) -> None:
        words = job.request.prompt.split()
        if words[0] == "once":
            words = words[1:]
            tried = self._manner.folder / ".work" / f"tried-{job.key}"
            if tried.exists():
                return
            tried.touch()
        if words[0] in BEHAVIORS:
            BEHAVIORS[words[0]](job, listener)

    def _write(self, job: Job, listener: Listener, began: float) -> Outcome:
        assert self._group is not None
        listener(Event("step", item=job.id, stage="denoise", step=1, of=2))
        path = self._manner.folder / job.output
        frames = np.random.default_rng(job.request.seed).integers(
            0, 255, (NUM_FRAMES, SIZE, SIZE, 3), dtype=np.uint8
        )
        status = "suspect" if job.request.prompt.startswith("suspect") else "ok"
        record = {
            **records.begin(job.request, self._group.spec, self._group.memory),
            "key": job.key,
            "status": status,
            "frames_sha256": hashlib.sha256(frames.tobytes()).hexdigest(),
        }
        with open_writer(path, width=SIZE, height=SIZE, fps=Fraction(8)) as writer:
            for frame in frames:
                writer.write(frame)
            listener(Event("stage", item=job.id, stage="write"))
            place = writer.finish(record)
        listener(Event("done", item=job.id))
        return Outcome(
            job.key,
            "suspect" if status == "suspect" else "ok",
            output=place.relative_to(self._manner.folder).as_posix(),
            num_bytes=place.stat().st_size,
            sha256=_sha256(place),
            frames_sha256=record["frames_sha256"],
            record=record,
            seconds=time.perf_counter() - began,
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
