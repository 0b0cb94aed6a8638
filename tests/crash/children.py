"""Runs that can be killed at a chosen moment, in children that have imports and models already.

A server of one thread forks them (`preloaded` is what it has in memory). pytest itself has threads of
its libraries, whose locks a fork of it would wait for, now and then and for ever.
"""

import faulthandler
import multiprocessing
import multiprocessing.forkserver
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import psutil
import pytest

from t2v.plan.events import Event
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
PRELOADED = "tests.crash.preloaded"
Work = Callable[..., int | None]
"""A function of a module; it is called with `tell`, which takes every event, and its arguments."""

needs_children = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="only POSIX can fork"
)


@dataclass
class Child:
    """A process of its own; every event of its run comes through a pipe."""

    process: BaseProcess
    events: Connection
    log: Path
    patience_s: float = PATIENCE_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.join(self.patience_s)
        self.events.close()

    def wait_for(self, number: int) -> list[str]:
        """Read events until there are so many, or the child ends."""
        events: list[str] = []
        while len(events) < number and (event := self._next(self.patience_s)) is not None:
            events.append(event)
        return events

    def wait_for_stage(self, stage: str) -> None:
        """Read events until one is of the stage."""
        while (events := self.wait_for(1)) and stage not in events[0].split():
            pass

    def send(self, number: int) -> None:
        """Send a signal, unless the child has ended."""
        if self.process.exitcode is None:
            assert self.process.pid is not None
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit code, negative for a signal."""
        self.send(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        until = time.monotonic() + self.patience_s
        while self._next(until - time.monotonic()) is not None:
            pass
        self.process.join(max(0, until - time.monotonic()))
        if self.process.exitcode is None:
            self._give_up("no end")
        return self.process.exitcode

    def _next(self, patience_s: float) -> str | None:
        if not self.events.poll(max(0, patience_s)):
            self._give_up("no event")
        try:
            return self.events.recv_bytes().decode()
        except (EOFError, OSError):  # It ended, maybe in the middle of an event.
            return None

    def _give_up(self, what: str) -> NoReturn:
        self.send(signal.SIGABRT)  # faulthandler writes its stacks into the log.
        self.process.join(10)
        self.process.kill()
        pytest.fail(f"{what} of a child in {self.patience_s:g} s; its log:\n{self.log.read_text()}")


def started(work: Work, *arguments: Any, log: Path, **more: Any) -> Child:
    """Run `work` in a child; what it prints goes to the log."""
    _ensure_server()
    context = multiprocessing.get_context("forkserver")
    reading, writing = context.Pipe(duplex=False)
    call = (work, arguments, more, log, writing, dict(os.environ))
    process = context.Process(target=_run, args=call, daemon=True)
    process.start()
    writing.close()
    return Child(process, reading, log)


def killed_at(work: Work, *arguments: Any, seed: int, last: int, log: Path, **more: Any) -> None:
    """Kill the work at a random moment, up to a moment after so many events."""
    chance = random.Random(seed)
    with started(work, *arguments, log=log, **more) as child:
        child.wait_for(chance.randint(0, last))
        time.sleep(chance.uniform(0, 0.02))
        assert child.kill() in (-signal.SIGKILL, 0), log.read_text()


def seeds(number: int, quick: int) -> list[Any]:
    """So many seeds, of which all but the first few are for the slow tests."""
    slow = (pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, number))
    return [*range(quick), *slow]


def _ensure_server() -> None:
    multiprocessing.get_context("forkserver").set_forkserver_preload([PRELOADED, __name__])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), str(ROOT / "cli"))))
        patch.setenv("OMP_NUM_THREADS", "1")
        multiprocessing.forkserver.ensure_running()


def _run(
    work: Work,
    arguments: tuple[Any, ...],
    more: dict[str, Any],
    log: Path,
    events: Connection,
    environment: dict[str, str],
) -> None:
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(target, 1)
    os.dup2(target, 2)
    faulthandler.enable()
    # Whoever started pytest in the background may have had it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    _refuse_another_server()
    # torch makes a new pool in place of the server's on the next use: threads that do so at the same
    # time, as when weights are loaded, find none. So one does it now.
    sys.modules["torch"].set_num_threads(1)

    def tell(event: Event) -> None:
        events.send_bytes(f"{event.event} {event.stage} {event.step}".encode())

    sys.exit(work(tell, *arguments, **more) or 0)


def _refuse_another_server() -> None:
    """A child is quick and whole only if all was loaded before it was forked, and by one thread."""
    server = os.getppid()
    assert server == sys.modules[PRELOADED].SERVER
    assert psutil.Process(server).num_threads() == 1
