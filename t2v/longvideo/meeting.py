"""Where a window's call meets the others: in its own scheduler, after every step."""

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from t2v.errors import GenerationError
from t2v.longvideo.baton import Meet
from t2v.longvideo.memory import memory_of, recall
from t2v.longvideo.noise import ShotNoise, noise_by_frame
from t2v.runtime.layout import LatentLayout


@dataclass(frozen=True, slots=True)
class Post:
    """What a window has after a step."""

    latents: torch.Tensor
    is_last: bool


@dataclass(slots=True)
class WindowState:
    """Where a window's call is, after some steps: enough to get there again without computing."""

    num_steps: int
    returned: list[torch.Tensor]
    """The tensors that the scheduler returned last; the first are the latents."""
    memories: dict[str, dict[str, Any]]
    """What scheduler and guider remember."""
    generator: torch.Tensor
    """The state of the call's generator."""
    outputs: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """Component -> `Denoiser.outputs`."""
    caches: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Component -> `Denoiser.memory()`."""
    beside: list[dict[str, Any]] = field(default_factory=list)
    """Of each copy of the scheduler that takes steps of its own, as for sound: `Beside.state()`."""
    latest: dict[str, list[list[torch.Tensor]]] = field(default_factory=dict)
    """Component -> `Denoiser.latest`, where such a copy may still need it for its step."""


class Meeting:
    """The steps of one window's scheduler."""

    def __init__(
        self,
        pipe: Any,
        layout: LatentLayout,
        noise: ShotNoise,
        start: int,
        generator: torch.Generator,
    ) -> None:
        """Steps of a pipeline whose scheduler no other call uses; it is wrapped from now on."""
        scheduler = pipe.scheduler
        self._pipe, self._scheduler, self._layout, self._noise = pipe, scheduler, layout, noise
        self._start, self._generator = start, generator
        self._original = scheduler.step
        self.meet: Meet | None = None
        self.reached: WindowState | None = None
        """Where to go without computing, before the first meeting."""
        self.num_steps = 0
        self._returned: list[torch.Tensor] = []
        _step_by(self._step, scheduler)
        scheduler.__deepcopy__ = self._copied
        self.beside: list[Beside] = []
        """Copies of the scheduler."""

    @property
    def is_skipping(self) -> bool:
        """Whether the step that the call is in was done before."""
        return self.reached is not None and self.num_steps < self.reached.num_steps

    @property
    def is_arriving(self) -> bool:
        """Whether it is the last of these."""
        return self.reached is not None and self.num_steps == self.reached.num_steps - 1

    def state(self) -> WindowState:
        """Where the call is; only while it waits in a meeting."""
        memories = {name: memory_of(part) for name, part in self._remembering().items()}
        return WindowState(
            self.num_steps,
            list(self._returned),
            memories,
            self._generator.get_state(),
            beside=[one.state() for one in self.beside],
        )

    def _remembering(self) -> dict[str, Any]:
        # A family may give the pipeline another guider for its call.
        guider = getattr(self._pipe, "guider", None)
        return {"scheduler": self._scheduler} | ({} if guider is None else {"guider": guider})

    def _step(self, *args: Any, **kwargs: Any) -> Any:
        with noise_by_frame(self._noise, self._layout, self._start, self.num_steps):
            result = self._original(*args, **kwargs)
        self.num_steps += 1
        if self.reached is not None and self.num_steps <= self.reached.num_steps:
            result = self._skipped(result, self.reached)
            if self.num_steps < self.reached.num_steps:
                return result
        latents = result[0]
        self._check(latents)
        self._returned = _tensors(result)
        assert self.meet is not None
        is_last = self.num_steps == len(self._scheduler.timesteps)
        return _with_first(result, self.meet(Post(latents, is_last)))

    def _skipped(self, result: Any, reached: WindowState) -> Any:
        """What the step returned when it was computed; zeros where nobody looks at it."""
        if self.num_steps < reached.num_steps:
            return _with_zeros(result)
        for name, part in self._remembering().items():
            recall(part, reached.memories[name])
        self._generator.set_state(reached.generator)
        return _with_known(result, reached.returned)

    def _copied(self, memo: dict[int, Any]) -> Any:
        """A copy that meets nobody: pipelines make one for their sound."""
        plain = copy.copy(self._scheduler)
        for name in ("step", "__deepcopy__"):
            del vars(plain)[name]
        other = copy.deepcopy(plain, memo)
        states = [] if self.reached is None else self.reached.beside
        number = len(self.beside)
        self.beside.append(Beside(other, states[number] if number < len(states) else None))
        return other

    def _check(self, latents: torch.Tensor) -> None:
        axis, wanted = self._layout.frame_axis, self._layout.shape
        if latents.ndim != len(wanted) or latents.shape[axis] != wanted[axis]:
            raise GenerationError(
                f"The steps of {type(self._scheduler).__name__} hand on latents of shape "
                f"{tuple(latents.shape)}, and the family says {self._layout.shape}; this is a bug "
                "in the family."
            )


class Beside:
    """The steps of a copy of the scheduler. They meet nobody, and are gone on with as well."""

    def __init__(self, scheduler: Any, reached: dict[str, Any] | None) -> None:
        """Steps of a scheduler, which is wrapped from now on; those reached are not computed."""
        self._scheduler, self._original, self._reached = scheduler, scheduler.step, reached
        self._num_steps = 0
        self._returned: list[torch.Tensor] = []
        _step_by(self._step, scheduler)

    def state(self) -> dict[str, Any]:
        """Where it is."""
        memory = memory_of(self._scheduler)
        return {"num_steps": self._num_steps, "returned": self._returned, "memory": memory}

    def _step(self, *args: Any, **kwargs: Any) -> Any:
        result = self._original(*args, **kwargs)
        self._num_steps += 1
        reached = self._reached
        if reached is not None and self._num_steps < reached["num_steps"]:
            return _with_zeros(result)
        if reached is not None and self._num_steps == reached["num_steps"]:
            recall(self._scheduler, reached["memory"])
            result = _with_known(result, reached["returned"])
        self._returned = _tensors(result)
        return result


def _step_by(own: Callable[..., Any], scheduler: Any) -> None:
    """Let a scheduler take its steps by another function, with the signature that pipelines read."""

    @functools.wraps(scheduler.step)
    def step(*args: Any, **kwargs: Any) -> Any:
        return own(*args, **kwargs)

    scheduler.step = step


def _tensors(result: Any) -> list[torch.Tensor]:
    values = result if isinstance(result, tuple) else result.values()
    return [value for value in values if isinstance(value, torch.Tensor)]


def _with_first(result: Any, latents: torch.Tensor) -> Any:
    return _with_tensors(result, [latents, *_tensors(result)[1:]])


def _with_zeros(result: Any) -> Any:
    return _with_tensors(result, [torch.zeros_like(one) for one in _tensors(result)])


def _with_known(result: Any, tensors: list[torch.Tensor]) -> Any:
    device = result[0].device
    return _with_tensors(result, [one.to(device) for one in tensors])


def _with_tensors(result: Any, tensors: list[torch.Tensor]) -> Any:
    """The same kind of result with other tensors in it."""
    given = iter(tensors)
    if isinstance(result, tuple):
        return tuple(next(given) if isinstance(one, torch.Tensor) else one for one in result)
    for name, value in result.items():
        if isinstance(value, torch.Tensor):
            setattr(result, name, next(given))
    return result
