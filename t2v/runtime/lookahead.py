"""Decoding as a stream with decoders that look ahead in time: LTX-Video's.

Every frame depends on some before it and some after it, more of them the deeper the decoder. Each
block of the decoder gets a few frames more than it is to answer for, on both sides, and only what
has all its neighbors goes on to the next one. So the frames are those of one decode, and no block
ever sees more than a few frames more than came.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.runtime.explain import explained
from t2v.runtime.vae import frames_of, regrouped, to_vae, wake

_LATENTS = 8
"""Latent frames that come at a time: fewer take less memory and more work."""


class Stage:
    """A block that answers for a frame once all are there that the frame depends on."""

    def __init__(
        self, run: Callable[[torch.Tensor], torch.Tensor], reach: int, stride: int = 1
    ) -> None:
        """A block on frames B C F H W.

        Args:
            run: The block; at the ends of what it gets it pads as at the ends of a clip.
            reach: Frames that one depends on, on each side, at least 1.
            stride: Frames it makes of every one but the first of a clip, which stays one.
        """
        self._run, self._reach, self._stride = run, reach, stride
        self._held: torch.Tensor | None = None
        self._num_before = 0
        """Frames of those held that were answered for."""

    def feed(self, frames: torch.Tensor | None, *, is_end: bool) -> torch.Tensor | None:
        """Take further frames; returns those that are finished, None if there are none."""
        if frames is not None:
            frames = frames if self._held is None else torch.cat([self._held, frames], dim=2)
            self._held = frames
        if self._held is None:
            return None
        ready = self._held.shape[2] - (0 if is_end else self._reach)
        if ready <= self._num_before:
            return None
        made = self._run(self._held)[:, :, self._begin(self._num_before) : self._begin(ready)]
        start = max(0, ready - self._reach)
        self._held, self._num_before = self._held[:, :, start:].clone(), ready - start
        return made

    def _begin(self, index: int) -> int:
        return self._stride * (index - 1) + 1 if index else 0


def lookahead_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor], timestep: torch.Tensor | None
) -> Iterator[np.ndarray]:
    """Frames of latents as LTX-Video's VAE takes them, which come in pieces, B C f H W."""
    stages = _stages(pipe.vae.decoder, timestep)
    try:
        for piece in regrouped(chunks, _LATENTS, _LATENTS):
            yield from _fed(pipe, stages, to_vae(pipe, piece), is_end=False)
        yield from _fed(pipe, stages, None, is_end=True)
    finally:
        pipe.maybe_free_model_hooks()


def _fed(
    pipe: DiffusionPipeline, stages: list[Stage], frames: torch.Tensor | None, *, is_end: bool
) -> Iterator[np.ndarray]:
    with torch.no_grad(), explained(pipe):
        wake(pipe.vae)
        for stage in stages:
            frames = stage.feed(frames, is_end=is_end)
    if frames is not None:
        yield from frames_of(frames)


def _stages(decoder: Any, timestep: torch.Tensor | None) -> list[Stage]:
    """The blocks of an `LTXVideoDecoder3d` in the order of its `forward`."""
    multiplier = decoder.timestep_scale_multiplier
    temb = timestep if multiplier is None or timestep is None else timestep * multiplier
    # A causal convolution looks twice as far, and only back.
    each = 2 if decoder.conv_in.is_causal else 1
    blocks = [decoder.mid_block, *decoder.up_blocks]
    return [
        Stage(decoder.conv_in, each),
        *(Stage(_with(block, temb), each * _reach(block), _stride(block)) for block in blocks),
        Stage(lambda frames: _last(decoder, frames, temb), each),
    ]


def _with(block: Any, temb: torch.Tensor | None) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda frames: block(frames, temb)


def _stride(block: Any) -> int:
    upsamplers = getattr(block, "upsamplers", None)
    return int(upsamplers[0].stride[0]) if upsamplers else 1


def _reach(block: Any) -> int:
    """Frames of its input that a block looks ahead: one for each convolution along time."""
    after = math.ceil((2 * len(block.resnets) + 1) / _stride(block))
    upsamples = bool(getattr(block, "upsamplers", None))
    widens = getattr(block, "conv_in", None) is not None
    return 2 * widens + upsamples + after


def _last(decoder: Any, frames: torch.Tensor, temb: torch.Tensor | None) -> torch.Tensor:
    """What `forward` does after the last block."""
    frames = decoder.norm_out(frames.movedim(1, -1)).movedim(-1, 1)
    if decoder.time_embedder is not None and temb is not None:
        embedded = decoder.time_embedder(
            timestep=temb.flatten(),
            resolution=None,
            aspect_ratio=None,
            batch_size=frames.size(0),
            hidden_dtype=frames.dtype,
        )
        embedded = embedded.view(frames.size(0), -1, 1, 1, 1).unflatten(1, (2, -1))
        shift, scale = (embedded + decoder.scale_shift_table[None, ..., None, None, None]).unbind(1)
        frames = frames * (1 + scale) + shift
    frames = decoder.conv_out(decoder.conv_act(frames))
    size, length = decoder.patch_size, decoder.patch_size_t
    batch, _, num_frames, height, width = frames.shape
    frames = frames.reshape(batch, -1, length, size, size, num_frames, height, width)
    frames = frames.permute(0, 1, 5, 2, 6, 4, 7, 3)
    return frames.flatten(6, 7).flatten(4, 5).flatten(2, 3)
