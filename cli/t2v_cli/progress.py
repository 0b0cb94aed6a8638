"""How a run is shown while it works: a bar for people, lines for pipes, JSON for programs."""

import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from t2v_cli.output import one_line, out
from t2v_cli.phrases import pace
from t2v_cli.terminal import is_terminal
from t2v_cli.values import one_of

if TYPE_CHECKING:
    from rich.progress import Progress

    from t2v import Event

WAYS = ("auto", "bar", "json", "none")
STAGES = {
    "load": "loading",
    "encode": "reading the prompt",
    "denoise": "denoising",
    "decode": "decoding",
    "write": "writing",
}
PATIENCE_S = 5.0
"""Between two lines of one stage in a pipe."""


class Display(Protocol):
    """Shows the events of a run."""

    said: set[str]
    """The messages so far, so that nothing is said twice."""

    def __call__(self, event: "Event") -> None:
        """Show one event."""

    def rest(self) -> None:
        """Leave the terminal alone until the next event."""


class Talk:
    """Shows what is said in words, and no progress."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def __call__(self, event: "Event") -> None:
        """Say the message of the event."""
        self.said.add(event.message or "")
        if event.event == "warning":
            out.warn(event.message)
        elif event.event == "plan" and event.message:
            out.talk(event.message)

    def rest(self) -> None:
        """Nothing is drawn."""


class JsonLines(Talk):
    """One JSON object a line, with the fields that apply."""

    def __call__(self, event: "Event") -> None:
        """Print the event."""
        self.said.add(event.message or "")
        out.event({name: value for name, value in asdict(event).items() if value is not None})


class Lines(Talk):
    """A line for each stage, and now and then one for how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self._stage: str | None = None
        self._said = 0.0

    def __call__(self, event: "Event") -> None:
        """Print the event if it is news."""
        super().__call__(event)
        if event.stage is None:
            return
        if event.stage != self._stage and event.event == "stage":
            self._stage, self._said = event.stage, time.monotonic()
            out.talk(f"{event.message or STAGES[event.stage]} ...")
        # Of a long video, frames come while others are still being denoised.
        elif (
            event.stage == self._stage
            and event.of
            and (event.step == event.of or time.monotonic() - self._said > PATIENCE_S)
        ):
            self._said = time.monotonic()
            out.talk(f"{STAGES[event.stage]} {pace(event)}")


class Bar(Talk):
    """A bar that moves, and disappears when the video is there."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self._stage: str | None = None

    def __call__(self, event: "Event") -> None:
        """Move the bar."""
        if event.event == "stage":
            self._stage = event.stage
        if event.stage is not None:
            # Of a long video, frames come while others are still being denoised.
            if event.stage == self._stage:
                self._draw(event)
        else:
            self.rest()
            super().__call__(event)

    def rest(self) -> None:
        """Take the bar off the terminal."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _draw(self, event: "Event") -> None:
        if self._progress is None:
            from t2v_cli import drawing  # noqa: PLC0415 - rich takes as long as all the rest

            self._progress = drawing.progress()
            self._progress.add_task("", total=None, item="", pace="")
        self._progress.update(
            self._progress.task_ids[0],
            description=one_line(event.message or STAGES[event.stage or "load"]),
            item=one_line(event.item or "", 40),
            total=event.of,
            completed=event.step or 0,
            pace=pace(event),
            # At once: what comes next may keep the drawing thread waiting.
            refresh=event.event == "stage",
        )


def display(
    how: str,
    *,
    quiet: bool = False,
    talk: type[Talk] = Talk,
    lines: type[Talk] = Lines,
    bars: type[Talk] = Bar,
) -> Talk:
    """The display that was asked for with --progress; from here on, all talk follows it."""
    one_of(how, WAYS, "--progress")
    out.quiet, out.json_talk = quiet, how == "json"
    if how == "json":
        return JsonLines()
    if how == "none" or (how == "auto" and quiet):
        return talk()
    return bars() if how == "bar" or is_terminal(sys.stderr) else lines()
