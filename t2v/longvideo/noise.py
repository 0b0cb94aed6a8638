"""The noise of a long video, one latent frame at a time.

Every latent frame has noise of its own, made from the seed and its number alone (Philox, a counter
in place of a state: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). So a
longer video begins with the noise of a shorter one, windows agree where they overlap, and nothing
has to be remembered to go on after a stop.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from t2v.runtime.layout import LatentLayout

_INITIAL, _FRESH, _ORDER, _FURTHER, _STEPS = range(5)
"""What a stream of random numbers is for; the draws of the scheduler begin at `_STEPS`."""


def frame_noise(seed: int, stream: int, frame: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal noise of one latent frame: float32, on the CPU."""
    values = _random(seed, stream, frame).standard_normal(math.prod(shape), dtype=np.float32)
    return torch.from_numpy(values).reshape(shape)


def _random(seed: int, stream: int, frame: int) -> np.random.Generator:
    counter = np.array([0, 0, stream, frame % 2**64], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=seed, counter=counter))


class ShotNoise:
    """The noise of one shot, for windows that come in the order of their starts.

    `independent`: every latent frame has its own. `freenoise`: the frames that a window adds have
    the noise of those it leaves behind, shuffled, so that every window has the same frames of noise
    (FreeNoise, arXiv 2310.15169, for any grid). `mixed:A`: a share A of the variance from
    `freenoise`, the rest from `independent`.
    """

    def __init__(self, seed: int, kind: str, loop_latents: int | None = None) -> None:
        """Noise of a seed; `loop_latents` is the length of a shot that goes on with its beginning.

        Its noise is `independent`: the end would have shared frames of the beginning.
        """
        self.seed, self.loop_latents = seed, loop_latents
        self.shared = _share(kind)
        self._sources: list[int] = []
        self._start = 0

    def initial(self, layout: LatentLayout, start: int) -> torch.Tensor:
        """The noise that a window begins with, as its pipeline takes it."""
        layout = layout.noise_layout
        self.enter(start, layout.num_latents)
        return self._joined(layout, start, self._initial_frame)

    def step(self, layout: LatentLayout, start: int, step: int, draw: int) -> torch.Tensor:
        """What a scheduler adds in a step, where it adds noise; `draw` counts within the step."""
        stream = _STEPS + 8 * step + draw

        def frame(index: int, shape: tuple[int, ...]) -> torch.Tensor:
            return frame_noise(self.seed, stream, index, shape)

        return self._joined(layout, start, frame)

    def further_seed(self, start: int) -> int:
        """For whatever else a window's call draws."""
        return int(_random(self.seed, _FURTHER, start).integers(2**63))

    def _joined(self, layout: LatentLayout, start: int, frame: Any) -> torch.Tensor:
        indices = range(start - layout.leading, start + layout.num_latents)
        return layout.joined([frame(self._wrapped(i), layout.frame_shape) for i in indices])

    def _wrapped(self, index: int) -> int:
        return index if self.loop_latents is None else index % self.loop_latents

    def _initial_frame(self, index: int, shape: tuple[int, ...]) -> torch.Tensor:
        own = frame_noise(self.seed, _FRESH if self.shared else _INITIAL, index, shape)
        if not self.shared or index < self._start:
            return own
        source = self._sources[index - self._start]
        shared = frame_noise(self.seed, _INITIAL, source, shape)
        if self.shared == 1:
            return shared
        return math.sqrt(self.shared) * shared + math.sqrt(1 - self.shared) * own

    def enter(self, start: int, length: int) -> None:
        """Go on to a window; `initial` does so too. Settles whose noise each of its frames has."""
        if not self._sources:
            self._sources, self._start = list(range(start, start + length)), start
        left_behind = self._sources[: start - self._start]
        _random(self.seed, _ORDER, start).shuffle(left_behind)
        self._sources = self._sources[len(left_behind) :] + left_behind
        self._start = start


def _share(kind: str) -> float:
    """How much of the variance windows share: 0 to 1."""
    if kind == "independent":
        return 0.0
    return 1.0 if kind == "freenoise" else float(kind.removeprefix("mixed:"))


class _Draws(TorchFunctionMode):  # type: ignore[misc]
    """While it is entered, `torch.randn` gives what `make` makes of the shape, if it does."""

    def __init__(self, make: Callable[[tuple[int, ...]], torch.Tensor | None]) -> None:
        super().__init__()
        self._make = make

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Replace the draw, or pass the call on."""
        kwargs = kwargs or {}
        shape = _drawn_shape(func, args, kwargs)
        made = None if shape is None else self._make(shape)
        if made is None:
            return func(*args, **kwargs)
        like = args[0] if func is torch.randn_like else None
        return made.to(
            device=kwargs.get("device") or getattr(like, "device", None),
            dtype=kwargs.get("dtype") or getattr(like, "dtype", None),
        )


def noise_by_frame(noise: ShotNoise, layout: LatentLayout, start: int, step: int) -> _Draws:
    """While it is entered, what a scheduler draws for its latents is noise by latent frame.

    Schedulers that add noise draw it anew for every window. Two windows that blend different noise
    on the same frame would lose a part of it: the middle of an overlap keeps 0.71 of its deviation.
    """
    axis, draws = layout.frame_axis, itertools.count()

    def make(shape: tuple[int, ...]) -> torch.Tensor | None:
        if len(shape) != len(layout.shape) or shape[axis] != layout.shape[axis]:
            return None
        return noise.step(replace(layout, shape=shape), start, step, next(draws))

    return _Draws(make)


def one_draw(initial: torch.Tensor) -> _Draws:
    """While it is entered, the first draw of that shape is that tensor."""
    draws = iter([initial])
    return _Draws(lambda shape: next(draws, None) if shape == tuple(initial.shape) else None)


def _drawn_shape(func: Any, args: Any, kwargs: Any) -> tuple[int, ...] | None:
    if func is torch.randn_like:
        return tuple(args[0].shape)
    if func is not torch.randn:
        return None
    size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
    return tuple(size)
