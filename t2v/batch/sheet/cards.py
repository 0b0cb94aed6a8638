"""What the contact sheet shows of each video: little, so that ten thousand fit one page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from t2v.batch.making import Failure, Outcome
from t2v.batch.run_folder.finished import num_bytes_of, place_of
from t2v.batch.run_folder.results import Entry, entries
from t2v.batch.run_folder.standing import Status
from t2v.batch.run_folder.state import read_state

CardStatus = Literal["ok", "suspect", "failed", "interrupted", "waiting"]

CUT_OFF = "in work when its run was cut off"
GONE = "its file is gone; the next run makes it again"
_LONG = {"method", "window", "overlap", "order", "noise", "loop"}
_APART = {"prompt", "seed", "story", "metadata", "device", "dtype", "memory", "model"}
_FACTS = ("repo", "revision", "license", "dtype")


@dataclass(frozen=True, slots=True)
class Card:
    """One video of a sheet, made or not."""

    id: str
    status: CardStatus
    prompt: str | None = None
    output: str | None = None
    """Path below the run folder of a file that is there; None without one."""
    custom_id: str | None = None
    seed: int | None = None
    seconds: float | None = None
    """How long it took to make."""
    made: str | None = None
    """When it was made, as ISO 8601."""
    reason: str | None = None
    """Why it is not as it should be."""
    attempts: int | None = None
    frames_sha256: str | None = None
    story: list[Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it shares with others, as a rule."""


def cards_of(folder: Path) -> Iterator[Card]:
    """A card for each video of the last plan, in its order, one after another from the journals.

    Raises:
        DiskError: A journal cannot be read.
        RequestError: A newer t2v wrote it, or something else did.
    """
    return (card_of(folder, entry) for entry in entries(read_state(folder)))


def card_of(folder: Path, entry: Entry) -> Card:
    """The card of one video."""
    outcome = entry.outcome
    record = outcome.record if outcome else {}
    place = place_of(folder, entry.output) if outcome else None
    is_there = place is not None and num_bytes_of(place) is not None
    status, reason = status_of(entry.status, outcome, is_there=is_there)
    return Card(
        entry.id,
        status,
        entry.prompt or None,
        entry.output if is_there else None,
        entry.custom_id,
        entry.seed,
        (round(outcome.seconds, 3) or None) if outcome else None,
        _text(record.get("created")),
        reason,
        entry.attempts or None,
        outcome.frames_sha256 if outcome else None,
        _story(record),
        settings_of(record) or {"model": entry.model},
    )


def status_of(
    status: Status, outcome: Outcome | None, *, is_there: bool
) -> tuple[CardStatus, str | None]:
    """How far a video is, as people are told, and why where it is not well."""
    said = said_of(outcome.failure) if outcome and outcome.failure else None
    match status:
        case "new":
            return "waiting", None
        case "started":
            return "interrupted", CUT_OFF
        case "interrupted":
            return "interrupted", said
        case "failed":
            return "failed", said or "no reason was recorded"
    if not is_there:
        return "waiting", GONE
    if outcome and outcome.status == "suspect":
        return "suspect", said or _suspicion(outcome.record)
    return "ok", None


def settings_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of how its video was made, without what is left open and what is its own."""
    said = ((name, _dict(one).get("value")) for name, one in _dict(record.get("request")).items())
    found = {"model": record.get("model")}
    apart = _APART if record.get("long") else _APART | _LONG
    found |= {name: value for name, value in said if name not in apart}
    found |= {name: record.get(name) for name in _FACTS}
    found["device"] = _dict(record.get("device")).get("name")
    found["memory"] = _dict(record.get("memory")).get("rung")
    versions = _dict(record.get("versions"))
    found["versions"] = [f"{name} {version}" for name, version in versions.items()]
    return {name: value for name, value in found.items() if not _is_open(value)}


def _is_open(value: Any) -> bool:
    """Whether a value says nothing; zero does."""
    return value is None or value is False or value in ("", "auto", [], ())


def said_of(failure: Failure) -> str:
    """A failure in one line."""
    return f"{failure.kind}: {failure.message}"


def _suspicion(record: Mapping[str, Any]) -> str | None:
    reasons = _dict(record.get("guard")).get("suspect")
    return "; ".join(map(str, reasons)) or None if isinstance(reasons, list) else None


def _story(record: Mapping[str, Any]) -> list[Any] | None:
    story = _dict(_dict(record.get("request")).get("story")).get("value")
    return story if isinstance(story, list) and story else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
