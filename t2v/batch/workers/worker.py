"""What runs in a worker, whatever engine keeps it: one maker, its lanes, and the way to stop."""

import importlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from t2v.batch.jobs import Job
from t2v.batch.making import Failure, Maker, Manner, Outcome
from t2v.batch.running.failures import failure_of
from t2v.batch.workers.engine import (
    Ended,
    Heard,
    Load,
    Loaded,
    Make,
    Message,
    NotLoaded,
    Ready,
    Work,
)
from t2v.errors import InterruptedRun
from t2v.plan.events import Event

logger = logging.getLogger(__name__)


class Worker:
    """Holds a maker and answers the runner's work. `tell` takes its messages, from any thread."""

    def __init__(
        self, name: str, manner: Manner, maker: str, tell: Callable[[Message], None]
    ) -> None:
        self._name = name
        self._tell = tell
        self._is_stopped = threading.Event()
        # Loading and making never overlap, so they share the threads; lanes may be more than one.
        self._threads = ThreadPoolExecutor(thread_name_prefix=name, max_workers=64)
        self._maker = open_maker(maker, manner)
        tell(Ready(name))

    def take(self, work: Work) -> None:
        """Begin with work; returns at once."""
        match work:
            case Load():
                self._threads.submit(self._load, work)
            case Make(jobs):
                self._threads.submit(self._make, jobs)

    def interrupt(self) -> None:
        """Stop after the step that is being made; all work in hand is answered."""
        self._is_stopped.set()

    def close(self) -> None:
        """Wait for what is being made and free everything."""
        self._threads.shutdown(cancel_futures=True)
        self._maker.close()

    def _load(self, work: Load) -> None:
        index = work.group.index
        try:
            num_lanes = self._maker.load(work.group, work.prompts, self._heard)
        except BaseException as error:
            failure = _reason(error, f"loading {work.group.spec.name}")
            self._tell(NotLoaded(self._name, index, failure))
        else:
            self._tell(Loaded(self._name, index, max(1, num_lanes)))

    def _make(self, jobs: tuple[Job, ...]) -> None:
        ids = {job.id for job in jobs}

        def listener(event: Event) -> None:
            item = event.item if event.item in ids else jobs[0].id
            self._heard(replace(event, item=item))

        try:
            self._stop_if_asked()
            outcomes = self._maker.make(jobs, listener)
        except BaseException as error:
            failure = _reason(error, f"making {', '.join(ids)}")
            outcomes = [_lost(job, failure) for job in jobs]
        told = {outcome.key: outcome for outcome in outcomes}
        nothing = Failure("generation", "LookupError", "The maker said nothing of it.")
        whole = tuple(told.get(job.key) or _lost(job, nothing) for job in jobs)
        self._tell(Ended(self._name, whole))

    def _heard(self, event: Event) -> None:
        if event.is_place_to_stop:
            self._stop_if_asked()
        self._tell(Heard(self._name, replace(event, worker=self._name)))

    def _stop_if_asked(self) -> None:
        if self._is_stopped.is_set():
            raise KeyboardInterrupt  # as a terminal does it: whoever has something to keep knows it


def _reason(error: BaseException, what: str) -> Failure | None:
    """None where it was interrupted; all else is also told to the log, with its traceback."""
    if isinstance(error, KeyboardInterrupt | InterruptedRun):
        return None
    logger.error("%s", what, exc_info=error)
    return failure_of(error)


def _lost(job: Job, failure: Failure | None) -> Outcome:
    return Outcome(job.key, "failed" if failure else "interrupted", failure=failure)


def open_maker(name: str, manner: Manner) -> Maker:
    """The maker that `module:function` opens."""
    module, _, function = name.partition(":")
    maker: Maker = getattr(importlib.import_module(module), function)(manner)
    return maker
