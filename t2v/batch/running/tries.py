"""What failed and how often: what is tried again, what is made alone, and what is given up."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from t2v.batch.jobs import Job
from t2v.batch.making import Failure
from t2v.batch.running.watch import Hang

Verdict = Literal["again", "alone", "failed"]

FINAL = ("request", "model", "suspect")
"""Kinds of failure that the same seed and the same model bring again."""
MAX_BLAMELESS = 5
"""Workers may be taken away so often under a job until it is looked at closely."""
ALIKE = 3


class Tries:
    """Counts, for the length of a run."""

    def __init__(self, retry: int) -> None:
        """Every job has `retry` further tries after its first."""
        self._retry = retry
        self._errors: Counter[str] = Counter()
        self._deaths: Counter[str] = Counter()
        self._blameless: Counter[str] = Counter()

    def failed(self, job: Job, failure: Failure) -> Verdict:
        """A worker answered that it could not make it."""
        if failure.kind in FINAL:
            return "failed"
        self._errors[job.key] += 1
        return "failed" if self._errors[job.key] > self._retry else "again"

    def died(self, job: Job, *, is_surely_it: bool) -> Verdict:
        """A worker died of a job, or of one that it made beside it."""
        if not is_surely_it:
            return "alone"
        self._deaths[job.key] += 1
        return "failed" if self._deaths[job.key] > self._retry else "alone"

    def was_taken_away(self, job: Job) -> Verdict:
        """A worker was lost with its machine."""
        self._blameless[job.key] += 1
        return "again" if self._blameless[job.key] <= MAX_BLAMELESS else "alone"


@dataclass(slots=True)
class Alike:
    """Notices that nothing but the same failure comes."""

    last: tuple[str, str, str] | None = None
    count: int = 0
    has_succeeded: bool = False

    def add(self, failure: Failure) -> bool:
        """Whether it is the third of the same before any success."""
        now = (failure.kind, failure.type, failure.message)
        self.count = self.count + 1 if now == self.last else 1
        self.last = now
        return self.count >= ALIKE and not self.has_succeeded


def of_death(reason: str, *, what: str = "made it") -> Failure:
    """A worker died, and of nothing else than that."""
    was = reason if reason.startswith(("ended", "was ")) else f"was {reason}"
    return Failure(
        "death", "WorkerDied", f"The worker that {what} {was}. Its log is in .work/logs."
    )


def of_hang(hang: Hang) -> Failure:
    """A worker was ended because it said nothing."""
    return Failure(
        "timeout",
        "Timeout",
        f"No sign of life for {hang.silence_s:.0f} s. If it only is slow, raise --timeout.",
    )
