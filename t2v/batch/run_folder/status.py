"""How far a run is, told from its folder alone: while it is at work, after it, or after a crash."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from t2v.batch.run_folder.finished import num_bytes_of, place_of
from t2v.batch.run_folder.journal import journals_of, lines_of
from t2v.batch.run_folder.locks import at_work
from t2v.batch.run_folder.standing import Place, State, facts_at
from t2v.batch.run_folder.state import read_state
from t2v.batch.run_folder.view import WORK
from t2v.batch.sheet.cards import CardStatus, status_of
from t2v.batch.sheet.page_file import SHEET_NAME
from t2v.errors import RequestError

STATUSES = (*get_args(CardStatus), "working")
MAX_EXAMPLES = 5
_EVENT = re.compile(rb'\{"event":"(\w+)","at":"([^"]{1,40})"')


@dataclass(frozen=True, slots=True)
class Example:
    """One video, and where it was asked for."""

    id: str
    source: str


@dataclass(slots=True)
class Reason:
    """Why videos are not as they should be."""

    status: CardStatus
    reason: str
    num_videos: int = 0
    examples: list[Example] = field(default_factory=list)
    """The first of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """One run: from its first event to its last."""

    began: str
    ended: str
    wall_s: float
    num_ended: int
    """Videos that were finished or given up."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is."""

    name: str
    """Of the folder."""
    counts: Mapping[str, int]
    """Status -> number of videos of the last plan: `ok`, `suspect`, `failed`, `working` (of a run at
    work), `interrupted`, and `waiting`, which nobody has begun."""
    reasons: tuple[Reason, ...]
    """Those with the most videos first."""
    runs: tuple[Span, ...]
    """Of all shares, one after another as they stand in the journals."""
    making_s: float
    """Time that the finished videos took, added up over all workers."""
    num_bytes: int
    """Of the finished videos."""
    at_work: tuple[Mapping[str, str], ...]
    """Who writes to the folder now."""
    remaining_s: float | None
    """At the pace of the run at work; None without one, or before it has a pace."""
    num_damaged: int
    """Lines of the journal that are there and not whole."""
    sheet: str | None
    """Name of the contact sheet, where there is one."""

    @property
    def num_videos(self) -> int:
        """All that were asked for."""
        return sum(self.counts.values())

    @property
    def num_missing(self) -> int:
        """Those that the same command would make now."""
        return self.counts["interrupted"] + self.counts["waiting"]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"num_videos": self.num_videos, "num_missing": self.num_missing}


def is_run(path: str | Path) -> bool:
    """Whether it is the folder of a batch."""
    path = Path(path)
    return path.is_dir() and bool(journals_of(path))


def run_status(folder: str | Path) -> RunStatus:
    """How far the run in a folder is; changes nothing, and may be asked while it is at work.

    Raises:
        RequestError: It is no run folder, or a newer t2v wrote it.
        DiskError: A journal cannot be read.
    """
    folder = Path(folder)
    if not is_run(folder):
        raise RequestError(f"{folder} has no journal of a batch. Name the folder of t2v batch -o.")
    owners = tuple(at_work(folder, folder / WORK))
    state = read_state(folder)
    tally = _tally(folder, state, is_live=bool(owners))
    runs = [span for journal in journals_of(folder) for span in _spans(journal)]
    return RunStatus(
        folder.absolute().name,
        tally.counts,
        tuple(sorted(tally.reasons.values(), key=lambda one: -one.num_videos)),
        tuple(runs),
        round(tally.making_s, 3),
        tally.num_bytes,
        owners,
        _remaining_s(tally, runs) if len(owners) == 1 else None,
        state.num_damaged,
        SHEET_NAME if (folder / SHEET_NAME).is_file() else None,
    )


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    reasons: dict[tuple[str, str], Reason] = field(default_factory=dict)
    making_s: float = 0.0
    num_bytes: int = 0

    def add_reason(self, status: CardStatus, text: str, job_id: str, place: Place | None) -> None:
        reason = self.reasons.setdefault((status, text), Reason(status, text))
        reason.num_videos += 1
        if len(reason.examples) < MAX_EXAMPLES:
            source = facts_at(place).get("source", "") if place else ""
            reason.examples.append(Example(job_id, str(source)))


def _tally(folder: Path, state: State, *, is_live: bool) -> _Tally:
    tally = _Tally()
    for key in state.wanted:
        planned, job = state.planned.get(key), state.of(key)
        if is_live and job.status == "started":
            tally.counts["working"] += 1
            continue
        outcome = job.outcome
        path = place_of(folder, outcome.output) if outcome and outcome.output else None
        num_bytes = num_bytes_of(path) if path else None
        status, text = status_of(job.status, outcome, is_there=num_bytes is not None)
        tally.counts[status] += 1
        if outcome and status in ("ok", "suspect"):
            tally.num_bytes += num_bytes or 0
            tally.making_s += outcome.seconds
        if text:
            job_id = planned.id if planned else job.id
            tally.add_reason(status, text, job_id, planned.place if planned else None)
    return tally


def _spans(journal: Path) -> Iterator[Span]:
    """The runs of one journal; each begins with an event of its own."""
    events = [
        (match[1], match[2].decode("ascii", "replace"))
        for _, line in lines_of(journal)
        if (match := _EVENT.match(line))
    ]
    starts = [index for index, (name, _) in enumerate(events) if name == b"run"]
    for first, after in pairwise([*starts, len(events)]):
        began, ended = events[first][1], events[after - 1][1]
        names = [name for name, _ in events[first:after]]
        num_ended = names.count(b"done") + names.count(b"failed")
        yield Span(began, ended, _seconds_between(began, ended), num_ended)


def _seconds_between(began: str, ended: str) -> float:
    """Never less than nothing: a clock may have been set back."""
    try:
        wall_s = (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, round(wall_s, 3))


def _remaining_s(tally: _Tally, runs: list[Span]) -> float | None:
    """What is missing, at the pace of the last run."""
    missing = sum(tally.counts[status] for status in ("working", "interrupted", "waiting"))
    if not runs or not runs[-1].num_ended or not runs[-1].wall_s:
        return None
    return round(missing * runs[-1].wall_s / runs[-1].num_ended, 1)
