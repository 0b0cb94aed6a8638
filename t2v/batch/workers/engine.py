"""What the runner asks of whoever keeps the workers: processes of this machine, or of a cluster.

The runner is the one driver: it alone decides what is made when and alone writes the journal. An
engine starts workers, carries work to them, and brings back what they say. A worker is a process of
its own that holds a `Maker`; `t2v.batch.workers.worker.Worker` is what runs in it, whatever the engine.
"""

from dataclasses import dataclass
from typing import Protocol

from t2v.batch.jobs import Group, Job
from t2v.batch.making import Failure, Manner, Outcome
from t2v.plan.events import Event


@dataclass(frozen=True, slots=True)
class Load:
    """Get ready for the jobs of a group. Sent to a worker that has nothing to do."""

    group: Group
    prompts: tuple[str, ...]
    """The distinct texts that jobs of the group will need."""


@dataclass(frozen=True, slots=True)
class Make:
    """Make the videos of jobs of the group that was loaded, in one call of the maker.

    Sent while the worker makes fewer than its number of lanes.
    """

    jobs: tuple[Job, ...]


Work = Load | Make


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has joined and takes work."""

    worker: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The answer to `Load`."""

    worker: str
    group: int
    num_lanes: int
    """How many `Make` it takes at once."""


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """The other answer to `Load`; the worker lives and may be asked for another group."""

    worker: str
    group: int
    failure: Failure | None
    """None where it was interrupted."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a worker tells while it works; `event.item` is the job's id, None while loading."""

    worker: str
    event: Event


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer to one `Make`: an outcome for each of its jobs. Their files are in the run folder."""

    worker: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Died:
    """A worker is gone with all that it had in work, and says nothing any more."""

    worker: str
    reason: str
    """In a few words: `killed by SIGSEGV`, `ended with exit code 3`, `left with its node`."""
    is_blameless: bool = False
    """Whether what it was making cannot be the cause: its machine was taken away."""


Message = Ready | Loaded | NotLoaded | Heard | Ended | Died


class Engine(Protocol):
    """Keeps workers. Called from one thread, the runner's.

    Every `Load` is answered by `Loaded` or `NotLoaded`, every `Make` by `Ended`, unless `Died` comes:
    then nothing of that worker follows, and no answer to what it had. Names of workers are never
    used again. Messages of one worker keep their order.
    """

    def open(self, manner: Manner, maker: str) -> None:
        """Prepare, without starting a worker; `maker` is `module:function`, see `Maker`."""

    def grow(self, num_workers: int) -> None:
        """Start workers until there are this many, or as many as there is room for.

        Called again and again, with the number that has use; returns at once. Also replaces the
        dead and finds room that came up meanwhile. Workers above the number may stay.
        """

    def send(self, worker: str, work: Work) -> None:
        """Hand work to a worker. Never raises for a worker that is dead: `Died` tells it."""

    def receive(self, timeout_s: float) -> Message | None:
        """The next message, or None after so long."""

    def interrupt(self) -> None:
        """Tell all workers to stop after the step they are at; they answer all they have in work."""

    def kill(self, worker: str) -> None:
        """End a worker that hangs, politely and then not; returns at once, `Died` follows."""

    def close(self) -> None:
        """End all workers now and wait until they are gone; what they had in work is lost."""
