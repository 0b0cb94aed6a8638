"""How a batch is shown to people while it works: bars."""

from typing import TYPE_CHECKING

from t2v_cli.batch_progress import NEWS, BatchTalk
from t2v_cli.batch_tally import Active
from t2v_cli.columns import terminal_width
from t2v_cli.output import one_line
from t2v_cli.phrases import pace
from t2v_cli.progress import STAGES

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from t2v import Event

MOST_ROWS = 12
"""Videos in the making that are drawn."""


class BatchBars(BatchTalk):
    """A bar for all, and one for each video in the making; gone at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._progress: Progress | None = None
        self._rows: dict[str, TaskID] = {}

    def __call__(self, event: "Event") -> None:
        """Take in one event and draw."""
        if event.event in ("warning", "plan", "error") or event.status in NEWS:
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
