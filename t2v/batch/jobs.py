"""A batch as arithmetic: every video settled and named before a weight is loaded."""

from dataclasses import dataclass
from typing import Literal

from t2v.plan.machine import Machine
from t2v.plan.request import MemoryPlan, Request
from t2v.zoo.spec import ModelSpec

Layout = Literal["flat", "vbench"]


@dataclass(frozen=True, slots=True)
class Job:
    """One video of a batch, every value settled."""

    key: str
    """Its identity, 64 hex digits: the same model, revision, request and seed have the same."""
    id: str
    """Unique in the run and stable: the user's `custom_id`, or made of the prompt and the key."""
    request: Request
    output: str
    """Path below the run folder, with `/`: `a-red-ball-3fa2b1c0.mp4`."""
    group: int
    """Which `Group` of the plan makes it."""
    custom_id: str | None = None
    source: str = ""
    """Where it stands, as messages name it: `prompts.csv:3`."""


@dataclass(frozen=True, slots=True)
class Group:
    """Videos that one loaded model makes: all that is settled at loading is the same."""

    index: int
    spec: ModelSpec
    memory: MemoryPlan
    machine: Machine
    request: Request
    """The first of them; it stands for model, device, dtype, memory, LoRAs and scheduler of all."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """All videos of a batch, in the order in which they are made."""

    groups: tuple[Group, ...]
    jobs: tuple[Job, ...]
    notes: tuple[str, ...] = ()
    """What was changed on the way and why, a line each, to be said once."""
    num_repeats: int = 0
    """Items that ask for a video that another item asks for already; it is made once."""
    layout: Layout = "flat"
    """`vbench` has the finished videos also in a folder without anything else."""
