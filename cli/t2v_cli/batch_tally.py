"""How far a batch is: what is finished, what failed, what is in the making, and how fast it goes."""

import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2v_cli.phrases import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from t2v import Event

RECENT = 40
"""Finished videos that the pace is taken from."""
ENDS = ("ok", "suspect", "failed")


@dataclass(slots=True)
class Active:
    """A video in the making, or a model being loaded."""

    worker: str | None
    event: "Event"
    """The last that was heard of it."""


class Tally:
    """Adds up the events of a batch."""

    def __init__(self, clock: "Callable[[], float]" = time.monotonic) -> None:
        self.finished = 0
        self.total: int | None = None
        self.ends: Counter[str] = Counter()
        self.active: dict[str, Active] = {}
        """By the id of the video, or the name of a worker that loads."""
        self.workers: set[str] = set()
        self._clock = clock
        self._times: deque[float] = deque(maxlen=RECENT)

    def take(self, event: "Event") -> None:
        """Add one event."""
        if event.worker is not None:
            self.workers.add(event.worker)
        if event.event in ("item", "plan") and event.of is not None:
            self.finished, self.total = event.step or 0, event.of
        if event.event == "item":
            self._item(event)
            return
        name = event.item or event.worker
        if event.stage is None or name is None:
            return
        if event.item is not None:
            # Its worker has done with loading.
            self.active.pop(event.worker or "", None)
        self.active[name] = Active(event.worker, event)

    def _item(self, event: "Event") -> None:
        if not self._times:
            self._times.append(self._clock())
        if event.status == "begun":
            self.active.pop(event.worker or "", None)
            self.active[event.item or ""] = Active(event.worker, event)
            return
        self.active.pop(event.item or "", None)
        if event.status in ENDS:
            self.ends[event.status] += 1
            self._times.append(self._clock())

    @property
    def seconds_each(self) -> float | None:
        """Between two finished videos, of late; None before the first."""
        if len(self._times) < 2:
            return None
        return (self._times[-1] - self._times[0]) / (len(self._times) - 1)

    @property
    def eta_s(self) -> float | None:
        """Until all are finished, at this pace."""
        each = self.seconds_each
        if each is None or self.total is None:
            return None
        return each * (self.total - self.finished)

    def count(self) -> str:
        """`12/64`."""
        return f"{self.finished}/{self.total}" if self.total is not None else str(self.finished)

    def faults(self) -> str:
        """`2 failed, 1 suspect`, or nothing."""
        return ", ".join(f"{self.ends[kind]} {kind}" for kind in ENDS[:0:-1] if self.ends[kind])

    def pace(self) -> str:
        """`1.2 s each, 3:10 min left`."""
        each, left = self.seconds_each, self.eta_s
        if each is None or left is None:
            return ""
        return f"{duration(each)} each" + (f", {duration(left)} left" if left else "")
