"""How far each video of a run is: plain data, which grows event by event."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, Self

from t2v.batch.making import Outcome
from t2v.batch.run_folder.journal import MAX_LINE_BYTES, split, unsealed
from t2v.errors import DiskError

Status = Literal["new", "started", "done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands."""

    journal: Path
    offset: int


@dataclass(frozen=True, slots=True)
class JobState:
    """How far one video is. `started` without an end: a run died with it in work."""

    status: Status = "new"
    attempts: int = 0
    """How often it was begun since the last `--fresh`."""
    outcome: Outcome | None = None
    """The last one, without its record."""
    media: str | None = None
    """How the file is written, as `t2v.batch.planning.identity.media_of` says."""
    id: str = ""
    custom_id: str | None = None
    generation: int = 1
    place: Place | None = None
    """The line of the outcome; its record is there."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A job of the last plan; more of it is in its line."""

    id: str
    custom_id: str | None
    output: str
    place: Place


NEW = JobState()


@dataclass(slots=True)
class State:
    """All that is known of a run folder from its journals."""

    jobs: dict[str, JobState] = field(default_factory=dict)
    """Key -> how far it is, for all that were ever begun and not started over."""
    planned: dict[str, Planned] = field(default_factory=dict)
    """Key -> the job, for those that the last run of each share wanted, in its order."""
    num_outcomes: int = 0
    """How many outcomes were ever recorded."""
    num_damaged: int = 0
    """Lines that are there and not whole."""
    generation: int = 1
    """One more than the times that it was started over."""
    results: Mapping[str, Any] = field(default_factory=dict)
    """What the results were made from when they were written last."""
    plans: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Name of a journal -> the number and the digest of its plan; later plans have higher ones."""

    def of(self, key: str) -> JobState:
        """How far the video with that key is."""
        return self.jobs.get(key, NEW)

    @property
    def wanted(self) -> Collection[str]:
        """Keys of the videos of the last plan; of all that were ever made where there is none."""
        return self.planned or self.jobs

    @property
    def num_plans(self) -> int:
        """How many plans there have been."""
        return max((number for number, _ in self.plans.values()), default=0)

    def begin(self, key: str, job_id: str, custom_id: str | None, generation: int) -> None:
        """One more attempt."""
        attempts = self.attempts(key, generation) + 1
        self.jobs[key] = JobState(
            "started", attempts, id=job_id, custom_id=custom_id, generation=generation
        )

    def end(self, key: str, ended: JobState) -> None:
        """What became of it."""
        self.num_outcomes += 1
        self.jobs[key] = ended

    def attempts(self, key: str, generation: int) -> int:
        """How often it was begun in that generation."""
        now = self.of(key)
        return now.attempts if now.generation == generation else 0


class Lines:
    """Lines of journals, read where they stand; the files stay open between two of them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._files: dict[Path, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, place: Place) -> tuple[dict[str, Any], bytes]:
        """What a line says, and its record as JSON; both empty where it is not whole any more.

        Raises:
            DiskError: The journal cannot be read.
        """
        try:
            file = self._files.get(place.journal)
            if file is None:
                file = self._stack.enter_context(place.journal.open("rb"))
                self._files[place.journal] = file
            file.seek(place.offset)
            body = unsealed(file.readline(MAX_LINE_BYTES))
        except OSError as error:
            raise DiskError(f"Cannot read {place.journal}: {error.strerror}.") from error
        return split(body) if body else ({}, b"")


def record_at(place: Place) -> bytes:
    """The record of an outcome as JSON; empty where there is none, or no such line any more.

    Raises:
        DiskError: The journal cannot be read.
    """
    with Lines() as lines:
        return lines.read(place)[1]


def facts_at(place: Place) -> dict[str, Any]:
    """What a line says, without a record."""
    with Lines() as lines:
        return lines.read(place)[0]
