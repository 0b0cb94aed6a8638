"""What a run tells while it works; the command line draws it, programs read it as JSON lines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["plan", "stage", "step", "frames", "item", "done", "warning", "error"]
ItemStatus = Literal["begun", "ok", "suspect", "failed", "again", "interrupted"]
Stage = Literal["load", "encode", "denoise", "decode", "write"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. Fields that do not apply are None."""

    event: Kind
    item: str | None = None
    """Which video of the run: its output name, in a batch its id."""
    stage: Stage | None = None
    step: int | None = None
    of: int | None = None
    seconds_per_step: float | None = None
    eta_s: float | None = None
    """Expected time until the video is finished, in seconds."""
    memory_bytes: int | None = None
    message: str | None = None
    worker: str | None = None
    """Who tells it, in a batch."""
    status: ItemStatus | None = None
    """Of an `item` event: what became of the video. `step` of `of` are then finished."""

    @property
    def is_place_to_stop(self) -> bool:
        """Whether a run may end here: between steps, and not where the last one has just been made.

        A finished video is kept, and so is what the last step completed.
        """
        is_last = self.event == "step" and self.step == self.of
        return self.event in ("stage", "step", "frames") and not is_last


Listener = Callable[[Event], None]
"""Called in the thread that generates; must return quickly and not raise."""


def silent(event: Event) -> None:
    """Listen to nothing."""
