"""Runs that can be killed at a chosen moment, in a child that has the imports already."""

import gc
import os
import random
import select
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from t2v.plan.events import Event

PATIENCE_S = 120
Tell = Callable[[Event], None]


@dataclass
class Child:
    """A forked process; every event of its run comes through a pipe as one line."""

    pid: int
    events: int
    """The reading end of the pipe."""
    code: int | None = None

    def wait_for(self, number: int) -> list[str]:
        """Read events until there are so many, or the child ends."""
        lines: list[str] = []
        rest = b""
        while len(lines) < number and (data := self._read()):
            rest += data
            if data == b"\n":
                lines.append(rest.decode().strip())
                rest = b""
        return lines

    def _read(self) -> bytes:
        if not select.select([self.events], [], [], PATIENCE_S)[0]:
            os.kill(self.pid, signal.SIGKILL)
            raise TimeoutError(f"no event for {PATIENCE_S} seconds")
        return os.read(self.events, 1)

    def wait_for_stage(self, stage: str) -> None:
        """Read events until one is of the stage."""
        while (lines := self.wait_for(1)) and stage not in lines[0].split():
            pass

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit code, negative for a signal."""
        os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        if self.code is None:
            while os.read(self.events, 65536):
                pass
            os.close(self.events)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code


def forked(work: Callable[[Tell], int | None], log: Path) -> Child:
    """Run `work` in a child; what it prints goes to the log."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    code = 99
    try:
        # Encoders of the parent's tests have threads that are not here: collected, they wait for them.
        gc.freeze()
        _renew_threads()
        os.close(reading)
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(target, 1)
        os.dup2(target, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        # pytest's own handlers belong to the parent.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        def tell(event: Event) -> None:
            os.write(writing, f"{event.event} {event.stage} {event.step}\n".encode())

        code = work(tell) or 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _renew_threads() -> None:
    """Give a child a thread pool of its own, while it has one thread.

    torch renews the parent's, which did not come along, on the next use: threads that do so at the
    same time, as when weights are loaded, find none. And OpenMP waits for the parent's threads.
    """
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def seeds(number: int, quick: int) -> list[Any]:
    """So many seeds, of which all but the first few are for the slow tests."""
    slow = (pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, number))
    return [*range(quick), *slow]


def moments(seed: int, last: int) -> tuple[int, float]:
    """A random moment of a run: after how many events, and how many seconds later."""
    chance = random.Random(seed)
    return chance.randint(0, last), chance.uniform(0, 0.02)
