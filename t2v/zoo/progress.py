"""Count the bytes of a download from several threads, and tell about them now and then."""

import threading
import time
from collections.abc import Callable
from typing import Any

Progress = Callable[[str, int, int], None]
"""Told a line of text, the bytes that are here, and the bytes in all."""

_SECONDS_BETWEEN_REPORTS = 0.5


def quiet(message: str, done: int, total: int) -> None:
    """Report nothing."""


class Tally:
    """How far a download is; a thread that adds to it ends where the download was stopped."""

    def __init__(self, message: str, total: int, progress: Progress) -> None:
        self._message, self._total, self._progress = message, total, progress
        self._lock = threading.Lock()
        self._done, self._reported = 0, 0.0
        self.is_stopped = False

    def add(self, count: int) -> None:
        """Count bytes that have arrived; negative ones have to come again."""
        if self.is_stopped:
            raise InterruptedError("the download was stopped")
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now - self._reported >= _SECONDS_BETWEEN_REPORTS or self._done >= self._total:
                self._reported = now
                self._progress(self._message, min(self._done, self._total), self._total)

    def bar(self) -> type[Any]:
        """A tqdm class that draws nothing and counts here, to hand to `snapshot_download`."""
        from huggingface_hub.utils import tqdm

        add = self.add

        class Bar(tqdm):  # type: ignore[misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                # One bar counts the bytes that arrive on disk, others files and bytes on the wire.
                self.counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
                super().__init__(*args, **{**kwargs, "disable": True})

            def update(self, n: float | None = 1) -> None:
                if self.counts:
                    add(int(n or 0))

        return Bar
