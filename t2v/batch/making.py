"""The agreement between the runner and whoever makes the videos, in this process or in another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from t2v.batch.jobs import Group, Job
from t2v.plan.events import Listener

Status = Literal["ok", "suspect", "failed", "interrupted"]
Kind = Literal["request", "model", "memory", "generation", "suspect", "timeout", "death", "disk"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a video was not made. Plain data: it crosses processes and goes into the journal."""

    kind: Kind
    """`request` and `model` fail again however often they are tried; `memory`, `timeout` and `death`
    may not; `disk` ends the run, since all others would fail likewise."""
    type: str
    """Name of the exception class."""
    message: str
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job. Plain data."""

    key: str
    status: Status
    output: str | None = None
    """Path below the run folder; the file is whole and at its final place."""
    num_bytes: int | None = None
    sha256: str | None = None
    """Of the file, or as `t2v.batch.run_folder.finished.sha256_of` has it for a folder of pictures."""
    frames_sha256: str | None = None
    record: dict[str, Any] = field(default_factory=dict)
    """As in the sidecar; empty where nothing was written. Its `key` is the job's, in the sidecar and
    in the file too: by that a video is known again which nobody lived to record."""
    failure: Failure | None = None
    """None for `ok`."""
    seconds: float = 0.0
    published: str | None = None
    """Where the file was copied to, without the user and password of a URL."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How all videos of a run are made, whoever makes them."""

    folder: Path
    """The run folder, absolute."""
    strict: bool = False
    allow_pickle: bool = False
    batch_size: int = 1
    """Prompts in one call of the pipeline."""
    lanes: int | None = None
    """Videos in the making at once in one worker; None leaves it to the worker."""
    encode_first: bool | None = None
    """Whether all prompts are encoded before the denoiser is loaded; None leaves it to the worker."""
    publish: str | None = None
    """A folder or fsspec URL that the driver copies finished files to before they count as done."""


class Maker(Protocol):
    """Makes the videos of one group at a time, in the process it lives in.

    A maker is opened by `open_maker(manner)` of a module; which one is a string `module:function`,
    so that a spawned process or another machine can do it.
    """

    def load(self, group: Group, prompts: Sequence[str], listener: Listener) -> int:
        """Get ready for the jobs of a group and let go of the one before.

        `prompts` are the distinct texts that its jobs will need. Returns the number of lanes: how
        many jobs `make` may be called with at once, each from a thread of its own.
        """

    def make(self, jobs: Sequence[Job], listener: Listener) -> list[Outcome]:
        """Make the videos of jobs that go through the pipeline in one call; one job as a rule.

        Never raises for a job's own failure: that is an outcome. Listeners hear events whose `item`
        is the job's id; an exception that a listener raises ends the work with `interrupted`.
        """

    def close(self) -> None:
        """Free everything."""
