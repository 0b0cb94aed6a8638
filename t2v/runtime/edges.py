"""Decoding in pieces with a VAE whose convolutions repeat the first frame instead of a cache."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.models.autoencoders.autoencoder_kl_cogvideox import CogVideoXCausalConv3d
from torch.nn import functional

from t2v.runtime.mosaic import Memory, Step, going_on
from t2v.runtime.vae import TOGETHER, regrouped, stepped_frames

_LATENTS_AT_ONCE = 2


def edge_cached_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
) -> Iterator[np.ndarray]:
    """Frames of consecutive latents, B C f H W, through Mochi's VAE.

    Its layers look back in time alone, and normalize each frame by itself. So they need no more
    than the last frames that each convolution saw, and the whole clip is never there. What comes
    out differs from one decode by rounding: convolutions of another length add up in another order.
    """
    vae, size = pipe.vae, _LATENTS_AT_ONCE
    if vae.use_tiling:
        pieces = regrouped(chunks, TOGETHER * size, TOGETHER * size)
    else:
        pieces = (piece for chunk in chunks for piece in chunk.split(size, dim=2))
    yield from stepped_frames(pipe, pieces, going_on(vae, edge_step(vae), size, size))


def edge_step(vae: Any) -> Step:
    """A step of Mochi's VAE, which remembers what each causal convolution saw last."""
    convolutions: list[Any] = [
        module for module in vae.decoder.modules() if isinstance(module, CogVideoXCausalConv3d)
    ]
    surplus = vae.temporal_compression_ratio - 1 if vae.drop_last_temporal_frames else 0

    def step(latents: torch.Tensor, memory: Memory) -> torch.Tensor:
        is_first = not memory
        with _remembering(convolutions, memory):
            video: torch.Tensor = vae.decoder(latents)[0]
        return video[:, :, surplus:] if is_first else video

    return step


@contextmanager
def _remembering(convolutions: list[Any], memory: Memory) -> Generator[None]:
    """Let each convolution see the frames that it saw last; as before when the block ends."""
    for index, convolution in enumerate(convolutions):
        convolution.fake_context_parallel_forward = _padding(convolution, memory, str(index))
    try:
        yield
    finally:
        for convolution in convolutions:
            del convolution.fake_context_parallel_forward


def _padding(convolution: Any, memory: Memory, name: str) -> Any:
    *sides, num_frames, _ = convolution.time_causal_padding

    def pad(inputs: torch.Tensor, conv_cache: torch.Tensor | None = None) -> torch.Tensor:
        if num_frames:
            front = memory.get(name)
            if front is None:
                front = inputs[:, :, :1].expand(-1, -1, num_frames, -1, -1)
            inputs = torch.cat([front, inputs], dim=2)
            memory[name] = inputs[:, :, -num_frames:].clone()
        return functional.pad(inputs, (*sides, 0, 0), mode="replicate")

    return pad
