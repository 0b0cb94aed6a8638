"""Decoding as a stream with HunyuanVideo 1.5's VAE, which never looks ahead but back to the start.

Its convolutions need the frames just before; its attention, in the middle of the decoder, all frames
that were. Of those their keys and values are kept, so that a frame is attended to once. The VAE's own
decode makes a mask of all pairs of places in a clip instead, most of it for what may not be seen.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from torch.nn import functional

from t2v.runtime.stages import Part, Stage, staged_frames


def recollected_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
) -> Iterator[np.ndarray]:
    """Frames of latents as the VAE takes them, which come in pieces, B C f H W."""
    yield from staged_frames(pipe, lambda: recollecting_parts(pipe.vae.decoder), chunks)


def recollecting_parts(decoder: Any) -> Iterator[Part]:
    """The layers of a `HunyuanVideo15Decoder3D` in the order of its `forward`, for one video."""

    def enter(latents: torch.Tensor) -> torch.Tensor:
        widened: torch.Tensor = latents.repeat_interleave(repeats=decoder.repeat, dim=1)
        return decoder.conv_in(latents) + widened

    def leave(frames: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = decoder.conv_out(decoder.conv_act(decoder.norm_out(frames)))
        return made

    first, *rest = decoder.mid_block.resnets
    yield _stage(enter)
    yield _stage(first, num_convolutions=2)
    for attention, resnet in zip(decoder.mid_block.attentions, rest, strict=True):
        if attention is not None:
            yield _Attention(attention)
        yield _stage(resnet, num_convolutions=2)
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            yield _stage(resnet, num_convolutions=2)
        for upsampler in block.upsamplers or ():
            yield _stage(upsampler, stride=2 if upsampler.add_temporal_upsample else 1)
    yield _stage(leave)


def _stage(layer: Any, *, num_convolutions: int = 1, stride: int = 1) -> Stage:
    return Stage(layer, 2 * num_convolutions, stride=stride, is_causal=True)


class _Attention:
    """A `HunyuanVideo15AttnBlock` that is given its frames bit by bit."""

    def __init__(self, block: Any) -> None:
        self._block = block
        self._keys: torch.Tensor | None = None
        self._values: torch.Tensor | None = None

    def finish(self) -> None:
        """Nothing: what was fed has been answered."""

    def feed(self, frames: torch.Tensor) -> torch.Tensor:
        """The frames with what they find in themselves and those before."""
        block, normed = self._block, self._block.norm(frames)
        queries = _tokens(block.to_q(normed))
        self._keys = _appended(self._keys, _tokens(block.to_k(normed)))
        self._values = _appended(self._values, _tokens(block.to_v(normed)))
        each = frames.shape[-2] * frames.shape[-1]
        ends = range(self._keys.shape[2] - queries.shape[2] + each, self._keys.shape[2] + 1, each)
        found = [
            functional.scaled_dot_product_attention(
                query, self._keys[:, :, :end], self._values[:, :, :end]
            )
            for query, end in zip(queries.split(each, dim=2), ends, strict=True)
        ]
        together = torch.cat(found, dim=2).squeeze(1).transpose(1, 2).reshape(frames.shape)
        attended: torch.Tensor = block.proj_out(together) + frames
        return attended


def _tokens(frames: torch.Tensor) -> torch.Tensor:
    """Places of all frames, one after another: B 1 F*H*W C."""
    return frames.flatten(2).transpose(1, 2).unsqueeze(1)


def _appended(before: torch.Tensor | None, tokens: torch.Tensor) -> torch.Tensor:
    return tokens if before is None else torch.cat([before, tokens], dim=2)
