"""The maker of real videos: one model at a time, several lanes on it, in the process it lives in."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from t2v.batch.jobs import Group, Job
from t2v.batch.makers.model import Model
from t2v.batch.making import Failure, Manner, Outcome
from t2v.batch.run_folder.finished import num_bytes_of, sha256_of
from t2v.batch.running.failures import failure_of
from t2v.errors import InterruptedRun, SuspectError
from t2v.plan.events import Listener

if TYPE_CHECKING:
    from t2v.api.video import Video

logger = logging.getLogger(__name__)


def open_maker(manner: Manner) -> "VideoMaker":
    """The maker of a run, for a worker to hold."""
    return VideoMaker(manner)


class VideoMaker:
    """Makes videos with the models that `t2v generate` has, to the same bits."""

    def __init__(self, manner: Manner) -> None:
        import torch

        from t2v.runtime.heap import share_heap

        share_heap()
        self._manner = manner
        self._num_threads = torch.get_num_threads()
        self._set_threads: Callable[[int], None] = torch.set_num_threads
        self._model: Model | None = None

    def load(self, group: Group, prompts: Sequence[str], listener: Listener) -> int:
        """Get ready for the jobs of a group and let go of the one before."""
        self.close()
        self._model = Model(group, prompts, self._manner, self._num_threads, listener)
        return len(self._model.lanes.all)

    def make(self, jobs: Sequence[Job], listener: Listener) -> list[Outcome]:
        """Make the videos of jobs that go through the pipeline in one call; one job as a rule."""
        model = self._model
        if model is None:
            raise RuntimeError("no group was loaded")
        # The number belongs to the thread, and each lane comes with one of its own.
        self._set_threads(model.threads_of_a_lane)
        began = time.perf_counter()
        if len(jobs) > 1:
            try:
                self._denoise(model, jobs, listener)
            except (KeyboardInterrupt, InterruptedRun):
                return [Outcome(job.key, "interrupted") for job in jobs]
        share_s = (time.perf_counter() - began) / len(jobs)
        return [self._outcome(model, job, listener, share_s) for job in jobs]

    def close(self) -> None:
        """Free everything."""
        if self._model is not None:
            self._model.close()
            self._model = None
        self._set_threads(self._num_threads)

    def _denoise(self, model: Model, jobs: Sequence[Job], listener: Listener) -> None:
        """Denoise what goes in one call; what does not, or fails, is denoised alone afterwards."""
        try:
            model.denoise_together([(job, _named(listener, job.id)) for job in jobs])
        except InterruptedRun:
            raise
        except Exception as error:
            logger.warning("denoising %d together; each is made alone", len(jobs), exc_info=error)

    def _outcome(self, model: Model, job: Job, listener: Listener, before_s: float) -> Outcome:
        began = time.perf_counter()
        try:
            outcome = _finished(job, model.make(job, _named(listener, job.id)), self._manner.folder)
        except (KeyboardInterrupt, InterruptedRun):
            outcome = Outcome(job.key, "interrupted")
        except Exception as error:
            logger.error("making %s", job.id, exc_info=error)
            outcome = Outcome(job.key, "failed", failure=failure_of(error))
        return replace(outcome, seconds=round(before_s + time.perf_counter() - began, 3))


def _named(listener: Listener, job_id: str) -> Listener:
    return lambda event: listener(replace(event, item=job_id))


def _finished(job: Job, video: "Video", folder: Path) -> Outcome:
    assert video.output is not None
    record = video.record
    return Outcome(
        job.key,
        "suspect" if video.status == "suspect" else "ok",
        video.output.relative_to(folder).as_posix(),
        num_bytes_of(video.output),
        sha256_of(video.output),
        record["frames_sha256"],
        record,
        _suspicion(record["guard"]["suspect"]) if video.status == "suspect" else None,
    )


def _suspicion(signs: Sequence[str]) -> Failure:
    message = f"The frames look broken: {', '.join(signs)}."
    return Failure("suspect", SuspectError.__name__, message, SuspectError.exit_code)
