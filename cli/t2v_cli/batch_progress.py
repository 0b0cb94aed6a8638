"""How a batch is shown while it works: bars for people, lines for pipes, JSON for programs."""

import sys
import time
from typing import TYPE_CHECKING

import typer

from t2v_cli.batch_tally import ENDS, Active, Tally
from t2v_cli.columns import terminal_width
from t2v_cli.output import one_line, out
from t2v_cli.phrases import pace
from t2v_cli.progress import STAGES, WAYS, JsonLines, Talk
from t2v_cli.terminal import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from t2v import Event

PATIENCE_S = 10.0
"""Between two lines in a pipe, while all goes well."""
MOST_SAID = 20
"""Failures that are told while the run goes on; the summary and the results have them all."""
MOST_ROWS = 12
"""Videos in the making that are drawn."""


def batch_display(how: str, *, quiet: bool = False) -> "BatchTalk | JsonLines":
    """The display that was asked for with --progress; from here on, all talk follows it."""
    if how not in WAYS:
        raise typer.BadParameter(
            f"{one_line(how)!r} is none of {', '.join(WAYS)}", param_hint="--progress"
        )
    out.quiet, out.json_talk = quiet, how == "json"
    if how == "json":
        return JsonLines()
    if how == "none" or (how == "auto" and quiet):
        return BatchTalk()
    return BatchBars() if how == "bar" or is_terminal(sys.stderr) else BatchLines()


class BatchTalk(Talk):
    """Says what fails, and shows no progress."""

    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally()
        self._num_said = 0

    def __call__(self, event: "Event") -> None:
        """Take in one event."""
        self.tally.take(event)
        if event.event == "item":
            self._item(event)
        elif event.event == "plan" and event.of is not None:
            if event.step and event.step < event.of:
                out.talk(
                    f"{event.step:,} of {event.of:,} finished before, {event.of - event.step:,} to go"
                )
        else:
            super().__call__(event)

    def _item(self, event: "Event") -> None:
        if event.status not in ("failed", "suspect", "again"):
            return
        self._num_said += 1
        if self._num_said <= MOST_SAID:
            what = {"again": "is tried again"}.get(event.status, event.status)
            out.warn(f"{event.item} {what}: {one_line(event.message or '', 300)}")
        elif self._num_said == MOST_SAID + 1:
            out.warn("what fails from here on is in results.jsonl")


class BatchLines(BatchTalk):
    """A line now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._said = time.monotonic()
        self._loading: set[str | None] = set()

    def __call__(self, event: "Event") -> None:
        """Take in one event; say it if it is news."""
        super().__call__(event)
        if event.event == "stage" and event.item is None:
            self._say_loading(event.message)
        if event.event == "item" and event.status in ENDS:
            now, tally = time.monotonic(), self.tally
            if now - self._said > PATIENCE_S or tally.finished == tally.total:
                self._said = now
                parts = (f"{tally.count()} finished", tally.faults(), tally.pace())
                out.talk(", ".join(filter(None, parts)))

    def _say_loading(self, message: str | None) -> None:
        if message and message not in self._loading:
            self._loading.add(message)
            out.talk(f"{message} ...")


class BatchBars(BatchTalk):
    """A bar for all, and one for each video in the making; gone at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self._rows: dict[str, TaskID] = {}

    def __call__(self, event: "Event") -> None:
        """Take in one event and draw."""
        if event.event in ("warning", "plan", "error") or event.status in (
            "failed",
            "suspect",
            "again",
        ):
            self.rest()
        super().__call__(event)
        if (event.event == "item" and self.tally.active) or event.stage is not None:
            self._draw()

    def rest(self) -> None:
        """Take the bars off the terminal."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._rows = {}

    def _draw(self) -> None:
        progress = self._started()
        active = dict(list(self.tally.active.items())[:MOST_ROWS])
        for name in [name for name in self._rows if name and name not in active]:
            progress.remove_task(self._rows.pop(name))
        tally = self.tally
        progress.update(
            self._rows[""],
            total=tally.total,
            completed=tally.finished,
            item=f"{tally.count()} finished",
            description=tally.faults(),
            pace=tally.pace(),
        )
        for name, one in active.items():
            self._draw_row(progress, name, one)

    def _draw_row(self, progress: "Progress", name: str, active: Active) -> None:
        event = active.event
        is_begun = event.stage is None
        if name not in self._rows:
            self._rows[name] = progress.add_task("", total=None, item="", pace="")
        progress.update(
            self._rows[name],
            total=None if is_begun else event.of,
            completed=0 if is_begun else event.step or 0,
            item=one_line(self._title(name, active), max(24, min(60, terminal_width() - 50))),
            description=STAGES[event.stage] if event.stage else "",
            pace="" if is_begun else pace(event),
        )

    def _started(self) -> "Progress":
        if self._progress is None:
            from t2v_cli import drawing  # noqa: PLC0415 - rich takes as long as all the rest

            self._progress = drawing.progress(is_list=True)
            task = self._progress.add_task("", total=None, item="", pace="")
            self._rows = {"": task}
        return self._progress

    def _title(self, name: str, active: Active) -> str:
        """The video and, where there are several, who makes it."""
        worker = active.worker
        is_told = worker not in (None, name) and len(self.tally.workers) > 1
        return f"{worker} {name}" if is_told else name
