"""How long a test waits for another process before that is a failure."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PATIENCE_S = 120
"""Far more than anything here takes, and less than a test has in all."""


@contextmanager
def patience(process: subprocess.Popen[Any], seconds: float = PATIENCE_S) -> Iterator[None]:
    """Kill a process that is read from for so long; the test has failed then."""
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():
            pytest.fail(f"killed, as it had not ended after {seconds:g} s: {process.args}")


def wait_for(happens: Callable[[], object], what: str = "it") -> None:
    """Wait until it does."""
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
