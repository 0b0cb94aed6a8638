"""Decoding as a stream, layer by layer, with decoders whose frames depend on others around them.

Each layer of the decoder gets some frames more than it is to answer for, and only what has all that
it depends on goes on to the next one. So the frames are those of one decode, and no layer ever sees
more than a few frames more than came.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.runtime.explain import explained
from t2v.runtime.mosaic import Mosaic, Place, is_tiled
from t2v.runtime.vae import frames_of, regrouped, to_vae, wake

LATENTS_AT_ONCE = 4
"""Latent frames that come at a time: fewer take less memory and more work."""


class Part(Protocol):
    """A part of a decoder that takes frames as they come."""

    def feed(self, frames: torch.Tensor) -> torch.Tensor | None:
        """Take further frames, B C F H W; returns those that are finished, None if there are none."""
        ...

    def finish(self) -> torch.Tensor | None:
        """What was held back for frames to come, of which there are none."""
        ...


class Stage:
    """A layer that answers for a frame once all are there that the frame depends on."""

    def __init__(
        self,
        run: Callable[[torch.Tensor], torch.Tensor],
        reach: int,
        *,
        stride: int = 1,
        is_causal: bool = False,
    ) -> None:
        """A layer on frames B C F H W.

        Args:
            run: The layer; at the ends of what it gets it pads as at the ends of a clip.
            reach: Frames that one depends on, at least 1: on each side, or before it if causal.
            stride: Frames it makes of every one but the first of a clip, which stays one.
            is_causal: Whether no frame depends on later ones.
        """
        self._run, self._stride = run, stride
        self._behind, self._ahead = reach, 0 if is_causal else reach
        self._held: torch.Tensor | None = None
        self._num_before = 0
        """Frames of those held that were answered for."""

    def feed(self, frames: torch.Tensor) -> torch.Tensor | None:
        """Take further frames; returns those that are finished, None if there are none."""
        self._held = frames if self._held is None else torch.cat([self._held, frames], dim=2)
        return self._answered(self._held.shape[2] - self._ahead)

    def finish(self) -> torch.Tensor | None:
        """The last frames, which depend on none after them."""
        return None if self._held is None else self._answered(self._held.shape[2])

    def _answered(self, ready: int) -> torch.Tensor | None:
        """What is made of the frames held before `ready`."""
        if self._held is None or ready <= self._num_before:
            return None
        made = self._run(self._held)[:, :, self._begin(self._num_before) : self._begin(ready)]
        start = max(0, ready - self._behind)
        self._held, self._num_before = self._held[:, :, start:].clone(), ready - start
        return made

    def _begin(self, index: int) -> int:
        return self._stride * (index - 1) + 1 if index else 0


class Layers:
    """The parts of a decoder, one after another."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = tuple(parts)

    def feed(self, frames: torch.Tensor) -> torch.Tensor | None:
        """Take further latents; returns the frames that are finished, None if there are none."""
        return _through(self._parts, frames)

    def move(self, device: torch.device) -> None:
        """Take what the parts hold to a device."""
        for part in self._parts:
            for name, held in vars(part).items():
                if isinstance(held, torch.Tensor):
                    setattr(part, name, held.to(device))

    def finish(self) -> Iterator[torch.Tensor]:
        """The last frames, a few at a time: each part gives up what it held back after those before."""
        for index, part in enumerate(self._parts, start=1):
            frames = _through(self._parts[index:], part.finish())
            if frames is not None:
                yield frames


def _through(parts: Iterable[Part], frames: torch.Tensor | None) -> torch.Tensor | None:
    for part in parts:
        frames = None if frames is None else part.feed(frames)
    return frames


class Tiles:
    """A decoder that sees a picture in overlapping tiles, the parts once for each.

    What those of all tiles but one hold rests in the memory of the host.
    """

    def __init__(self, vae: Any, parts: Callable[[], Iterable[Part]], like: torch.Tensor) -> None:
        """Tiles of latents that are as large as `like`.

        Args:
            vae: Has tiling on.
            parts: Gives the parts of its decoder, anew for each tile.
            like: Latents, B C F H W.
        """
        self._mosaic = Mosaic(vae, like)
        self._layers = {place: Layers(parts()) for place in self._mosaic.places}
        self._device = like.device

    def feed(self, frames: torch.Tensor) -> torch.Tensor | None:
        """Take further latents; returns the frames that are finished, None if there are none."""
        self._device = frames.device
        return self._joined(lambda place, layers: layers.feed(self._mosaic.tile(frames, place)))

    def finish(self) -> Iterator[torch.Tensor]:
        """The last frames, a few at a time."""
        rest = {place: layers.finish() for place, layers in self._layers.items()}
        while (made := self._joined(lambda place, _: next(rest[place], None))) is not None:
            yield made

    def _joined(self, step: Callable[[Place, Layers], torch.Tensor | None]) -> torch.Tensor | None:
        made = {}
        for place, layers in self._layers.items():
            layers.move(self._device)
            tile = step(place, layers)
            layers.move(torch.device("cpu"))
            # None of all of them, if of one: all take as many frames.
            if tile is not None:
                made[place] = tile
        return self._mosaic.joined(made) if made else None


def staged_frames(
    pipe: DiffusionPipeline, parts: Callable[[], Iterable[Part]], chunks: Iterator[torch.Tensor]
) -> Iterator[np.ndarray]:
    """Frames of latents as the VAE takes them, which come in pieces, B C f H W.

    Args:
        pipe: Its VAE is used, in tiles where tiling is on.
        parts: Gives the parts of the VAE's decoder in order, fresh ones at every call.
        chunks: Consecutive latents.
    """
    decoder: Layers | Tiles | None = None
    try:
        for piece in regrouped(chunks, LATENTS_AT_ONCE, LATENTS_AT_ONCE):
            latents = to_vae(pipe, piece)
            if decoder is None:
                tiled = is_tiled(pipe.vae, latents)
                decoder = Tiles(pipe.vae, parts, latents) if tiled else Layers(parts())
            made = _awake(pipe, partial(decoder.feed, latents))
            if made is not None:
                yield from frames_of(made)
        rest = decoder.finish() if decoder is not None else iter(())
        while (made := _awake(pipe, partial(next, rest, None))) is not None:
            yield from frames_of(made)
    finally:
        pipe.maybe_free_model_hooks()


def _awake(pipe: DiffusionPipeline, step: Callable[[], torch.Tensor | None]) -> torch.Tensor | None:
    # Not around a yield: the switch would leak into the code of whoever takes the frames.
    with torch.no_grad(), explained(pipe):
        wake(pipe.vae)
        return step()
