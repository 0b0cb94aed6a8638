"""What is said of a batch while it works: failures, and a line now and then for pipes."""

import time
from typing import TYPE_CHECKING

from t2v_cli.batch_tally import ENDS, Tally
from t2v_cli.output import one_line, out
from t2v_cli.progress import Talk

if TYPE_CHECKING:
    from t2v import Event

PATIENCE_S = 10.0
"""Between two lines in a pipe, while all goes well."""
NEWS = {"failed": "failed", "suspect": "suspect", "again": "is tried again"}
"""What is told at once when it becomes of a video, in words."""
MOST_SAID = 20
"""Failures that are told while the run goes on; the summary and the results have them all."""


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
        else:
            super().__call__(event)

    def _item(self, event: "Event") -> None:
        if event.status not in NEWS:
            return
        self._num_said += 1
        if self._num_said <= MOST_SAID:
            out.warn(f"{event.item} {NEWS[event.status]}: {one_line(event.message or '', 300)}")
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
