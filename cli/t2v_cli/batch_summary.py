"""What a batch came to: a few lines at its end."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from t2v_cli.output import one_line, out
from t2v_cli.phrases import counted, duration

if TYPE_CHECKING:
    from t2v import BatchPlan, Event, Summary
    from t2v.plan.events import Listener

MOST_FAILURES = 20


def show_paths(plan: "BatchPlan", folder: Path, show: "Listener") -> "Listener":
    """A listener that also prints the path of every video that is finished."""
    outputs = {job.id: folder / job.output for job in plan.jobs}

    def listener(event: "Event") -> None:
        show(event)
        if event.event == "item" and event.status in ("ok", "suspect") and event.item in outputs:
            out.data(outputs[event.item])

    return listener


def show_summary(summary: "Summary", folder: Path, *, json: bool) -> None:
    """Say what was made, what failed and why, and where to look."""
    if json:
        out.json({"folder": str(folder)} | summary.to_dict() | {"failures": _failures(summary)})
    for line in _lines(summary, folder):
        out.talk(line)


def _lines(summary: "Summary", folder: Path) -> Iterator[str]:
    if summary.failures:
        yield from _table(summary)
    yield f"{counted(summary.num_jobs, 'video')}: {_counts(summary)}"
    if summary.stop and summary.stop != "interrupted":
        yield f"stopped early: {summary.reason or summary.stop}"
    if summary.num_jobs:
        yield f"{folder / 'index.html'} shows them, {folder / 'results.jsonl'} has every record"
    if summary.num_failed:
        yield "try again what failed: the same command with --retry-failed"
    elif summary.stop or summary.num_untried or summary.num_interrupted:
        yield "go on: the same command"


def _counts(summary: "Summary") -> str:
    parts = [
        f"{summary.num_made} made in {duration(summary.seconds)}" if summary.num_made else "",
        f"{summary.num_there} there already" if summary.num_there else "",
        f"{summary.num_suspect} look broken" if summary.num_suspect else "",
        f"{summary.num_failed} failed" if summary.num_failed else "",
        f"{summary.num_interrupted} interrupted" if summary.num_interrupted else "",
        f"{summary.num_untried} not tried" if summary.num_untried else "",
    ]
    return ", ".join(filter(None, parts)) or "nothing to do"


def _table(summary: "Summary") -> Iterator[str]:
    """The failures, those alike together when there are many."""
    for item in summary.failures[:MOST_FAILURES]:
        tries = f" ({item.attempts} tries)" if item.attempts > 1 else ""
        yield f"failed: {item.source or item.id}{tries}: {one_line(item.failure.message, 300)}"
    rest = summary.failures[MOST_FAILURES:]
    kinds = Counter(item.failure.type for item in rest)
    if rest:
        listed = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common(5))
        yield f"and {len(rest)} more: {listed}"


def _failures(summary: "Summary") -> list[dict[str, object]]:
    return [
        {
            "id": item.id,
            "custom_id": item.custom_id,
            "source": item.source,
            "attempts": item.attempts,
            "kind": item.failure.kind,
            "type": item.failure.type,
            "message": item.failure.message,
        }
        for item in summary.failures
    ]
