"""Counts a run while it goes on, and tells its listener what became of each item."""

import time
from dataclasses import dataclass, field

from t2v.batch.jobs import Job
from t2v.batch.making import Failure
from t2v.batch.running.summary import FailedItem, Stop, Summary
from t2v.plan.events import Event, ItemStatus, Listener


@dataclass(slots=True)
class Tally:
    """What is finished, how, and when the rest will be."""

    num_jobs: int
    listener: Listener
    num_made: int = 0
    num_there: int = 0
    num_suspect: int = 0
    num_interrupted: int = 0
    failures: list[FailedItem] = field(default_factory=list)
    num_failed_earlier: int = 0
    stop: Stop | None = None
    reason: str | None = None
    _began: float = field(default_factory=time.monotonic)
    _first_begun: float | None = None

    @property
    def num_finished(self) -> int:
        """Made, there or failed."""
        return self.num_made + self.num_there + len(self.failures)

    @property
    def num_failed_now(self) -> int:
        """In this run."""
        return len(self.failures) - self.num_failed_earlier

    def start(self) -> None:
        """Say how much there is."""
        self.listener(Event("plan", step=self.num_finished, of=self.num_jobs))

    def there(self, *, is_suspect: bool) -> None:
        """An earlier run made it."""
        self.num_there += 1
        self.num_suspect += is_suspect

    def failed_earlier(self, job: Job, failure: Failure, attempts: int) -> None:
        """An earlier run could not make it, and it is not tried again."""
        self.num_failed_earlier += 1
        self.failures.append(_failed(job, failure, attempts))

    def begun(self, job: Job, worker: str) -> None:
        """A worker has it."""
        if self._first_begun is None:
            self._first_begun = time.monotonic()
        self._tell(job, "begun", worker)

    def made(self, job: Job, worker: str, *, is_suspect: bool) -> None:
        """It is there now."""
        self.num_made += 1
        self.num_suspect += is_suspect
        self._tell(job, "suspect" if is_suspect else "ok", worker)

    def again(self, job: Job, worker: str, reason: str) -> None:
        """It will be tried again."""
        self._tell(job, "again", worker, reason)

    def failed(self, job: Job, worker: str | None, failure: Failure, attempts: int) -> None:
        """It is given up."""
        self.failures.append(_failed(job, failure, attempts))
        self._tell(job, "failed", worker, failure.message)

    def interrupted(self, job: Job, worker: str) -> None:
        """It was stopped; what there is of it is kept."""
        self.num_interrupted += 1
        self._tell(job, "interrupted", worker)

    def warn(self, message: str) -> None:
        """Something to be said once."""
        self.listener(Event("warning", message=message))

    def ended(self, stop: Stop, reason: str) -> None:
        """The run ends early; the first reason is the one."""
        if self.stop is None:
            self.stop, self.reason = stop, reason

    def summary(self, *, is_strict: bool) -> Summary:
        """All in numbers."""
        counted = self.num_finished + self.num_interrupted
        return Summary(
            self.num_jobs,
            self.num_made,
            self.num_there,
            self.num_suspect,
            len(self.failures),
            self.num_interrupted,
            self.num_jobs - counted,
            time.monotonic() - self._began,
            tuple(self.failures),
            self.stop,
            self.reason,
            is_strict,
        )

    def _tell(
        self, job: Job, status: ItemStatus, worker: str | None, message: str | None = None
    ) -> None:
        self.listener(
            Event(
                "item",
                item=job.id,
                step=self.num_finished,
                of=self.num_jobs,
                eta_s=self._eta_s(),
                message=message,
                worker=worker,
                status=status,
            )
        )

    def _eta_s(self) -> float | None:
        """Until the batch is finished, at the pace of this run."""
        done = self.num_made + self.num_failed_now
        if not done or self._first_begun is None:
            return None
        return (time.monotonic() - self._first_begun) / done * (self.num_jobs - self.num_finished)


def _failed(job: Job, failure: Failure, attempts: int) -> FailedItem:
    return FailedItem(job.id, job.source, failure, attempts, job.custom_id)
