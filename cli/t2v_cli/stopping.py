"""Ctrl-C and SIGTERM: the first ends the run after the current step, the second at once."""

import gc
import signal
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import t2v

if TYPE_CHECKING:
    from t2v import Event
    from t2v_cli.progress import Display

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LONG = ("denoise", "decode", "write")
"""Stages with steps that are worth finishing."""


class Stopping:
    """Passes events on to a display, and ends the run between two of them once asked to."""

    def __init__(self, display: "Display") -> None:
        self._display = display
        self._stage: str | None = None
        self._before: dict[signal.Signals, Any] = {}
        self.is_asked = False

    def __enter__(self) -> Self:
        gc.enable()  # `main` has it off; a run makes garbage
        self._before = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._display.rest()

    def __call__(self, event: "Event") -> None:
        """Show the event; raise where the run was asked to end and can."""
        self._display(event)
        self._stage = event.stage or self._stage
        if self.is_asked and event.is_place_to_stop:
            raise KeyboardInterrupt

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked or self._stage not in _LONG:
            self.is_asked = True
            raise KeyboardInterrupt
        self.is_asked = True
        message = "stopping after this step; once more stops at once"
        self._display(t2v.Event("warning", message=message))
