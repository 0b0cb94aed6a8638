"""How far a batch is: counts, times, and why videos are missing."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import t2v
from t2v_cli.output import one_line, out
from t2v_cli.phrases import counted, duration

if TYPE_CHECKING:
    from t2v import RunStatus

WORDS = {
    "ok": "done",
    "suspect": "look broken",
    "failed": "failed",
    "working": "in work",
    "interrupted": "interrupted",
    "waiting": "not begun",
}
MOST_REASONS = 20


def show_run(status: "RunStatus", folder: str, *, json: bool) -> None:
    """Say it to people, or as JSON."""
    if json:
        out.json(status.to_dict())
        return
    out.table(("fact", "value"), list(_facts(status, Path(folder))))
    if status.reasons:
        out.table(("videos", "status", "reason", "such as"), list(_reasons(status)))
    if left := status.reasons[MOST_REASONS:]:
        out.talk(f"and {len(left)} more reasons: --json has all of them")
    for hint in _hints(status):
        out.talk(hint)


def _facts(status: "RunStatus", folder: Path) -> Iterator[tuple[str, str]]:
    counts = [
        f"{status.counts[name]} {word}" for name, word in WORDS.items() if status.counts[name]
    ]
    yield "videos", f"{status.num_videos}: {', '.join(counts)}" if counts else "none"
    yield "at work", "; ".join(map(_owner, status.at_work)) or "no run"
    if status.remaining_s is not None:
        yield "left", f"about {duration(status.remaining_s)} at this pace"
    if status.runs:
        runs = counted(len(status.runs), "run")
        wall_s = sum(run.wall_s for run in status.runs)
        yield "time", f"{duration(wall_s)} in {runs}, the last {_when(status.runs[-1].ended)}"
    if made := status.counts["ok"] + status.counts["suspect"]:
        yield (
            "a video",
            f"{duration(status.making_s / made)}, {t2v.text.gb(status.num_bytes // made)}",
        )
    yield "size", t2v.text.gb(status.num_bytes)
    if status.num_damaged:
        yield "damaged", f"{status.num_damaged} lines of the journal"
    if status.sheet:
        yield "sheet", str(folder / status.sheet)


def _owner(facts: Mapping[str, str]) -> str:
    if "pid" not in facts:
        return "a run"
    return (
        f"process {facts['pid']} on {facts.get('host', '?')} since {_when(facts.get('since', ''))}"
    )


def _when(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return text or "?"


def _reasons(status: "RunStatus") -> Iterator[tuple[object, ...]]:
    for reason in status.reasons[:MOST_REASONS]:
        places = [one.source or one.id for one in reason.examples[:3]]
        more = ", ..." if reason.num_videos > len(places) else ""
        yield (
            reason.num_videos,
            WORDS[reason.status],
            one_line(reason.reason, 120),
            ", ".join(places) + more,
        )


def _hints(status: "RunStatus") -> Iterator[str]:
    if status.at_work:
        return
    if status.num_missing:
        yield "the same t2v batch command makes what is missing"
    if status.counts["failed"]:
        yield "with --retry-failed it tries again what failed"
