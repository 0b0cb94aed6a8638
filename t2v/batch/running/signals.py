"""Ctrl-C and SIGTERM for a driver: the first ends the run after the current steps, the second now."""

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

TERMINATING_S = 30.0
"""How long schedulers of clusters wait between SIGTERM and SIGKILL."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Counts signals while it is open; in a thread that gets none it stays at zero."""

    def __init__(self) -> None:
        self.count = 0
        self._deadline: float | None = None
        self._before: dict[signal.Signals, Any] = {}

    @property
    def is_final(self) -> bool:
        """Whether there is no time left to finish steps."""
        is_late = self._deadline is not None and time.monotonic() > self._deadline
        return self.count > 1 or is_late

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._count) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if number == signal.SIGTERM:
            self._deadline = time.monotonic() + TERMINATING_S
