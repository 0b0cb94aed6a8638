"""The loop of a run: work out, messages in, one after another, in one thread."""

import time
from collections import Counter
from dataclasses import dataclass

from t2v.batch.jobs import Job
from t2v.batch.making import Failure, Outcome
from t2v.batch.run_folder.folder import Run
from t2v.batch.running.publishing import Publishing
from t2v.batch.running.schedule import Schedule
from t2v.batch.running.signals import Signals
from t2v.batch.running.summary import Stop
from t2v.batch.running.tally import Tally
from t2v.batch.running.tries import FINAL, Alike, Tries, of_death, of_hang
from t2v.batch.running.watch import Hang, Watch
from t2v.batch.workers.engine import (
    Died,
    Ended,
    Engine,
    Heard,
    Load,
    Loaded,
    Message,
    NotLoaded,
    Ready,
)

WAIT_S = 0.2
"""Signals and hanging workers are looked for so often."""
STILLBORN = 3
"""So many workers in a row may die before they are ready."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience a run has."""

    retry: int = 1
    max_failures: int | None = None
    timeout_s: float | None = None


class Drive:
    """Makes the jobs of a schedule with the workers of an engine."""

    def __init__(
        self,
        run: Run,
        schedule: Schedule,
        engine: Engine,
        tally: Tally,
        signals: Signals,
        limits: Limits,
        publishing: Publishing | None = None,
    ) -> None:
        self._run = run
        self._publishing = publishing or Publishing(run, None)
        self._schedule = schedule
        self._engine = engine
        self._tally = tally
        self._signals = signals
        self._limits = limits
        self._watch = Watch(limits.timeout_s)
        self._tries = Tries(limits.retry)
        self._alike = Alike()
        self._hanging: dict[str, Hang] = {}
        self._load_failures: Counter[int] = Counter()
        self._num_stillborn = 0
        self._is_interrupted = False

    @property
    def _is_stopping(self) -> bool:
        return self._tally.stop is not None

    def until_done(self) -> None:
        """Work until nothing is left, or until the run is to end.

        Raises:
            DiskError: The journal cannot be written.
        """
        while self._schedule.num_in_work or (self._schedule.num_waiting and not self._is_stopping):
            if not self._is_stopping:
                self._hand_out()
            message = self._engine.receive(WAIT_S)
            while message is not None:
                self._take(message)
                message = self._engine.receive(0)
            self._look_for_hangs()
            self._heed_signals()
            if self._signals.is_final:
                break
        self._abandon()

    def _hand_out(self) -> None:
        self._engine.grow(self._schedule.num_useful)
        for worker in self._schedule.workers():
            while (work := self._schedule.work_for(worker)) is not None:
                if isinstance(work, Load):
                    self._watch.loads(worker, time.monotonic())
                else:
                    self._begin(worker, work.jobs)
                self._engine.send(worker, work)

    def _begin(self, worker: str, jobs: tuple[Job, ...]) -> None:
        for job in jobs:
            self._run.started(job, worker)
            self._tally.begun(job, worker)
        self._watch.begins(worker, jobs, time.monotonic())

    def _take(self, message: Message) -> None:
        match message:
            case Ready(worker):
                self._num_stillborn = 0
                self._schedule.joined(worker)
            case Loaded(worker, _, num_lanes):
                self._schedule.loaded(worker, num_lanes)
                self._watch.loaded(worker, time.monotonic())
            case NotLoaded(worker, group, failure):
                self._watch.loaded(worker, time.monotonic())
                self._schedule.not_loaded(worker)
                self._not_loaded(worker, group, failure)
            case Heard(worker, event):
                is_step = event.event == "step"
                self._watch.heard(worker, event.item, time.monotonic(), is_step=is_step)
                self._tally.listener(event)
            case Ended(worker, outcomes):
                self._ended(worker, outcomes)
            case Died():
                self._died(message)

    def _ended(self, worker: str, outcomes: tuple[Outcome, ...]) -> None:
        keys = [outcome.key for outcome in outcomes]
        jobs = {job.key: job for job in self._schedule.ended(worker, keys)}
        self._watch.ended(worker, keys, time.monotonic())
        for outcome in outcomes:
            if outcome.key in jobs:
                self._outcome(jobs[outcome.key], worker, outcome)

    def _outcome(self, job: Job, worker: str, outcome: Outcome) -> None:
        hang = self._hanging.get(worker)
        match outcome.status:
            case "ok" | "suspect":
                is_suspect = outcome.status == "suspect"
                outcome, failure = self._publishing.finished(outcome)
                self._run.ended(job, outcome)
                self._made_or_not_copied(job, worker, failure, is_suspect=is_suspect)
            case "interrupted" if self._is_stopping:
                self._run.ended(job, outcome)
                self._tally.interrupted(job, worker)
            case "interrupted" if hang and job.key in hang.culprits:
                self._blame(job, worker, of_hang(hang), is_surely_it=len(hang.culprits) == 1)
            case "interrupted":
                # Somebody else than this run has told the worker to stop: it will be gone.
                self._schedule.leaves(worker)
                self._again(job, worker, "its worker was stopped")
            case "failed":
                failure = outcome.failure or Failure(
                    "generation", "Unknown", "No reason was given."
                )
                self._failed(job, worker, failure)

    def _made_or_not_copied(
        self, job: Job, worker: str, failure: Failure | None, *, is_suspect: bool
    ) -> None:
        if failure is None:
            self._made(job, worker, is_suspect=is_suspect)
        elif failure.kind == "disk":
            self._interrupt("disk", failure.message)
            self._tally.interrupted(job, worker)
        else:
            self._tally.failed(job, worker, failure, self._run.state.of(job.key).attempts)
            self._count(failure)

    def _made(self, job: Job, worker: str, *, is_suspect: bool) -> None:
        self._alike.has_succeeded = True
        self._tally.made(job, worker, is_suspect=is_suspect)

    def _failed(self, job: Job, worker: str, failure: Failure) -> None:
        if failure.kind == "disk":
            self._interrupt("disk", failure.message)
        if self._is_stopping:
            # It may have failed because all is ending; the next run tries it again.
            self._run.ended(job, Outcome(job.key, "interrupted", failure=failure))
            self._tally.interrupted(job, worker)
        elif self._tries.failed(job, failure) == "failed":
            self._give_up(job, worker, failure)
        else:
            self._again(job, worker, failure.message)

    def _again(self, job: Job, worker: str, reason: str, *, alone: bool = False) -> None:
        self._schedule.put_again(job, alone=alone)
        self._tally.again(job, worker, reason)

    def _give_up(
        self, job: Job, worker: str | None, failure: Failure, *, is_one_of_many: bool = False
    ) -> None:
        self._run.ended(job, Outcome(job.key, "failed", failure=failure))
        self._tally.failed(job, worker, failure, self._run.state.of(job.key).attempts)
        if not is_one_of_many:
            self._count(failure)

    def _count(self, failure: Failure) -> None:
        """End the run where failures are too many."""
        num_failed, most = self._tally.num_failed_now, self._limits.max_failures
        if most is not None and num_failed >= most:
            self._tally.ended("max_failures", f"{num_failed} items failed, as many as are allowed.")
        elif self._alike.add(failure) and self._schedule.num_waiting:
            self._tally.ended(
                "repeated",
                f"The first items all failed alike, and the rest was left untried: "
                f"{failure.message}",
            )

    def _died(self, died: Died) -> None:
        worker = died.worker
        hang = self._hanging.pop(worker, None)
        self._watch.died(worker)
        group, was_loading = self._schedule.group_of(worker), self._schedule.is_loading(worker)
        if worker not in self._schedule.workers():
            self._stillborn(died)
        jobs = self._schedule.died(worker)
        if group is not None and was_loading and not died.is_blameless:
            failure = of_hang(hang) if hang else of_death(died.reason, what="loaded the model")
            self._no_load(group, failure)
        for job in jobs:
            self._lost(job, died, hang, is_alone=len(jobs) == 1)

    def _lost(self, job: Job, died: Died, hang: Hang | None, *, is_alone: bool) -> None:
        """A worker died with this job in work: it may have finished it all the same."""
        if self._run.is_done(job):
            outcome = self._run.state.of(job.key).outcome
            is_suspect = outcome is not None and outcome.status == "suspect"
            failure = self._publishing.settle(job)
            self._made_or_not_copied(job, died.worker, failure, is_suspect=is_suspect)
        elif self._is_stopping:
            self._run.ended(job, Outcome(job.key, "interrupted"))
            self._tally.interrupted(job, died.worker)
        elif hang and job.key not in hang.culprits:
            self._again(job, died.worker, "another item hung its worker")
        elif died.is_blameless:
            verdict = self._tries.was_taken_away(job)
            self._again(job, died.worker, f"its worker {died.reason}", alone=verdict == "alone")
        else:
            failure = of_hang(hang) if hang else of_death(died.reason)
            is_surely_it = is_alone or bool(hang and len(hang.culprits) == 1)
            self._blame(job, died.worker, failure, is_surely_it=is_surely_it)

    def _blame(self, job: Job, worker: str, failure: Failure, *, is_surely_it: bool) -> None:
        if self._tries.died(job, is_surely_it=is_surely_it) == "failed":
            self._give_up(job, worker, failure)
        else:
            self._again(job, worker, failure.message, alone=True)

    def _stillborn(self, died: Died) -> None:
        self._num_stillborn += not died.is_blameless
        if self._num_stillborn >= STILLBORN:
            self._tally.ended(
                "workers",
                f"Workers do not start: the last one {died.reason}. "
                f"Its log is in {self._run.folder.name}/.work/logs.",
            )

    def _not_loaded(self, worker: str, group: int, failure: Failure | None) -> None:
        if failure is None:
            self._schedule.leaves(worker)
        elif failure.kind == "disk":
            self._interrupt("disk", failure.message)
        elif not self._no_load(group, failure) and not self._schedule.is_attended(group):
            # A process that ran out of memory, say, is better begun anew.
            self._schedule.leaves(worker)
            self._engine.kill(worker)

    def _no_load(self, group: int, failure: Failure) -> bool:
        """A group could not be loaded; whether it is given up."""
        self._load_failures[group] += 1
        if self._is_stopping or self._schedule.is_attended(group):
            return False
        if failure.kind not in FINAL and self._load_failures[group] <= self._limits.retry:
            return False
        jobs = self._schedule.give_up(group)
        for job in jobs:
            self._give_up(job, None, failure, is_one_of_many=True)
        self._count(failure)
        return True

    def _look_for_hangs(self) -> None:
        for hang in self._watch.hangs(time.monotonic()):
            if hang.worker not in self._hanging:
                self._hanging[hang.worker] = hang
                self._schedule.leaves(hang.worker)
                self._engine.kill(hang.worker)

    def _heed_signals(self) -> None:
        if self._signals.count:
            self._interrupt("interrupted", "Stopped; what was finished is kept.")

    def _interrupt(self, stop: Stop, reason: str) -> None:
        """Let workers finish the step they are at, and begin nothing new."""
        self._tally.ended(stop, reason)
        if not self._is_interrupted:
            self._is_interrupted = True
            self._engine.interrupt()

    def _abandon(self) -> None:
        """Write down what is still in work when there is no time left."""
        for worker in self._schedule.workers():
            for job in self._schedule.died(worker):
                self._run.ended(job, Outcome(job.key, "interrupted"))
                self._tally.interrupted(job, worker)
