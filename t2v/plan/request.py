"""What will be asked of the model, every value concrete and with its origin."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any, Self

from t2v.errors import RequestError
from t2v.plan.history import Estimate
from t2v.plan.machine import Machine
from t2v.plan.options import Options
from t2v.plan.outline import outline, weighted_windows
from t2v.plan.prompts import checked_prompt
from t2v.plan.story import Cue, parse_story
from t2v.plan.windows import LongPlan
from t2v.plan.wording import quoted
from t2v.zoo.spec import ModelSpec

_REQUIRED = ("prompt", "model", "width", "height", "num_frames", "fps", "seed")
_NEVER_NONE = {"method", "order", "noise", "loop", "endless"}
_UNRECORDED = {"origins", "long", "story_file"}


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA to add: a Hub repository id or a local safetensors file, and how strongly."""

    source: str
    scale: float = 1.0

    def __str__(self) -> str:
        return f"{self.source}:{self.scale!r}"


@dataclass(frozen=True, slots=True)
class Request:
    """One video of one model. Frozen: what runs is what was printed.

    `num_frames` and sizes obey the model's rules already; `fps` is the rate of the file.
    Values that are None are left to the pipeline's own default.
    """

    prompt: str
    model: str
    width: int
    height: int
    num_frames: int
    fps: Fraction
    seed: int
    negative_prompt: str | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    guidance_scale_2: float | None = None
    max_sequence_length: int | None = None
    scheduler: str | None = None
    flow_shift: float | None = None
    lora: tuple[Lora, ...] = ()
    device: str = "auto"
    dtype: str = "auto"
    memory: str = "auto"
    codec: str = "auto"
    crf: int | None = None
    metadata: bool = True
    story: tuple[Cue, ...] = ()
    """Prompts over time, the first of which is `prompt`; empty where there is one alone."""
    method: str = "auto"
    window: int | None = None
    """Asked-for length of a window in pixel frames; None is the entry's."""
    overlap: int | None = None
    """Asked-for overlap in pixel frames; None is the entry's."""
    order: str = "auto"
    noise: str = "independent"
    loop: bool = False
    endless: bool = False
    """Whether it goes on until it is stopped; `num_frames` is then the most there can be."""
    story_file: str | None = None
    """Where an endless video looks for further prompts; stays on this machine."""
    long: LongPlan | None = field(default=None, compare=False)
    """How it is made where it is more than one plain clip; None calls the pipeline as it is."""
    origins: dict[str, str] = field(default_factory=dict, compare=False)
    """Field name -> who decided it: `flag`, `project config`, `user config`, `zoo` (the entry),
    `pipeline` (its own default), `t2v` (ours), `random` or `derived from SEED`."""

    @property
    def duration_s(self) -> float:
        """Length of the video in seconds."""
        return float(self.num_frames / self.fps)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """`{name: {"value": ..., "origin": ...}}` for every value, JSON-ready."""
        return {
            name: {"value": value, "origin": self.origins.get(name, "t2v")}
            for name, value in self._values().items()
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The request that `to_dict` wrote; names it does not know are left out.

        The record may come out of a stranger's video, so every value is checked again.
        """
        known = {one.name for one in fields(cls)} - _UNRECORDED
        given = {name: entry for name, entry in record.items() if name in known}
        if not all(isinstance(entry, Mapping) for entry in given.values()):
            raise RequestError(
                'Not a request of t2v: a value must be {"value": ..., "origin": ...}'
            )
        values = {name: entry.get("value") for name, entry in given.items()}
        values = {k: v for k, v in values.items() if v is not None or k not in _NEVER_NONE}
        missing = [name for name in _REQUIRED if values.get(name) is None]
        if missing:
            raise RequestError(f"Not a request of t2v: it lacks {', '.join(missing)}")
        origins = {name: str(entry.get("origin", "t2v")) for name, entry in given.items()}
        return cls(**_checked(values), origins=origins)

    def to_options(self) -> Options:
        """The options that ask for this request again."""
        values = self._values()
        values["lora"] = tuple(str(lora) for lora in self.lora) or None
        values["story"] = self.story or None
        return Options(
            **{name: value for name, value in values.items() if name in Options.model_fields}
        )

    def _values(self) -> dict[str, Any]:
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if name not in _UNRECORDED} | {
            "fps": str(self.fps),
            "lora": [asdict(lora) for lora in self.lora],
            "story": [cue.to_dict() for cue in self.story],
        }


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where the weights live while the model runs."""

    rung: str
    """`none`, `model`, `group` or `sequential`: diffusers' ways to move weights on and off."""
    vae_tiling: bool
    reason: str
    estimated_bytes: int | None = None
    """Expected peak on the device, where the entry knows its sizes."""
    host_bytes: int | None = None
    """Expected peak of the host's memory, likewise."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything known before a weight is loaded; `t2v plan` prints it and the run obeys it."""

    spec: ModelSpec
    requests: tuple[Request, ...]
    """One a video; they differ in their seed alone."""
    memory: MemoryPlan
    notes: tuple[str, ...] = ()
    """What was changed on the way and why, a line each, to be said once."""
    machine: Machine | None = None
    estimate: Estimate | None = None
    """How long one video takes, from earlier runs; None where there was none like it."""

    def to_dict(self) -> dict[str, Any]:
        """The plan as one JSON document."""
        spec, first = self.spec, self.requests[0]
        return {
            "model": {
                "name": spec.name,
                "family": spec.family,
                "pipeline": spec.pipeline,
                "repo": spec.repo,
                "revision": spec.revision,
                "license": spec.license,
                "commercial": spec.commercial,
                "maturity": spec.maturity,
                "download_bytes": spec.download_bytes or (None if spec.repo else 0),
            },
            "request": first.to_dict(),
            "duration_s": None if first.endless else first.duration_s,
            "long": first.long and outline(first.long),
            "windows": weighted_windows(first.long) if first.long else [],
            "seeds": [request.seed for request in self.requests],
            "memory": asdict(self.memory),
            "machine": self.machine and asdict(self.machine),
            "estimate": self.estimate
            and asdict(self.estimate) | {"total_s": self.estimate.total_s},
            "notes": list(self.notes),
        }


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Values of a record in the types of a request."""
    loras = _loras(values.get("lora"))
    length = values.get("max_sequence_length")
    if length is not None and not (type(length) is int and 0 < length < 1_000_000):
        raise RequestError(f"max_sequence_length must be a whole number, not {quoted(length)}")
    prompt = values["prompt"]
    if not isinstance(prompt, str):
        raise RequestError(f"prompt must be text, not {quoted(prompt)}")
    story = _story(values.get("story"))
    shared = {name: value for name, value in values.items() if name in Options.model_fields}
    options = Options(**{**shared, "lora": tuple(map(str, loras)), "story": story or None})
    return {
        **{name: getattr(options, name) for name in shared},
        "prompt": checked_prompt(prompt)[0],
        "fps": Fraction(str(options.fps)),
        "lora": loras,
        "story": story,
        "max_sequence_length": length,
    }


def _story(entries: Any) -> tuple[Cue, ...]:
    if entries is None or entries == []:
        return ()
    try:
        if not isinstance(entries, list):
            raise ValueError("must be a list of prompts")
        return parse_story(entries)
    except ValueError as error:
        raise RequestError(f"story: {error}") from None


def _loras(entries: Any) -> tuple[Lora, ...]:
    try:
        return tuple(Lora(str(entry["source"]), float(entry["scale"])) for entry in entries or ())
    except (TypeError, KeyError, ValueError):
        raise RequestError("lora must be a list of sources and scales") from None
