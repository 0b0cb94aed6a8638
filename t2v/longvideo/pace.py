"""How often what a run needs to go on is written."""

import time
from collections.abc import Generator
from contextlib import contextmanager

_SHARE = 0.05
"""The part of the time that writing may take."""


class Pace:
    """So many seconds apart, or more where writing takes long."""

    def __init__(self, every_s: float) -> None:
        """Seconds between two writings at least; 0 for one whenever it is asked."""
        self._every_s = every_s
        self._last_s, self._pause_s = time.monotonic(), every_s

    @property
    def is_due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self._last_s >= self._pause_s

    def begin(self) -> None:
        """Count from now on."""
        self._last_s = time.monotonic()

    @contextmanager
    def writing(self) -> Generator[None]:
        """The block writes."""
        began = time.monotonic()
        yield
        self._last_s = time.monotonic()
        took_s = self._last_s - began
        self._pause_s = max(self._every_s, took_s / _SHARE) if self._every_s else 0
