"""What became of a batch, in numbers and reasons, and the exit code that says it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from t2v.batch.making import Failure

Stop = Literal["interrupted", "disk", "max_failures", "repeated", "workers"]
"""Why a run ended before all was tried: it was told to; the disk is full or away; as many failed as
were allowed; the first ones all failed alike; no worker could be started."""

_EXIT_CODES: Mapping[Stop, int] = {
    "interrupted": 130,
    "disk": 74,
    "max_failures": 3,
    "repeated": 1,
    "workers": 1,
}


@dataclass(frozen=True, slots=True)
class FailedItem:
    """A video that was not made."""

    id: str
    source: str
    """Where its item stands, as messages name it: `prompts.csv:3`."""
    failure: Failure
    attempts: int
    """How often it was begun, in all runs since the last `--fresh`."""
    custom_id: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the videos of a plan. Every one of them is counted once."""

    num_jobs: int
    num_made: int = 0
    """In this run; those that look suspect are among them."""
    num_there: int = 0
    """Made by earlier runs."""
    num_suspect: int = 0
    """Of those made or there: written, but the frames look broken."""
    num_failed: int = 0
    """In this run, or in earlier ones and not tried again."""
    num_interrupted: int = 0
    num_untried: int = 0
    seconds: float = 0.0
    failures: tuple[FailedItem, ...] = ()
    stop: Stop | None = None
    reason: str | None = None
    """Why it stopped, in words."""
    is_strict: bool = False

    @property
    def exit_code(self) -> int:
        """0 all done, 3 some failed, 1 all failed; see `Stop` for runs that ended early."""
        if self.stop:
            return _EXIT_CODES[self.stop]
        failed = self.num_failed + (self.num_suspect if self.is_strict else 0)
        if failed == 0:
            return 0
        return 1 if failed == self.num_jobs else 3

    def to_dict(self) -> dict[str, Any]:
        """The numbers, JSON-ready; failures are in the journal one by one."""
        facts = {name: value for name, value in asdict(self).items() if name != "failures"}
        return facts | {"seconds": round(self.seconds, 3), "exit_code": self.exit_code}
