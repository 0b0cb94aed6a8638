"""Decoding in pieces with a VAE whose convolutions repeat the first frame instead of a cache."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.models.autoencoders.autoencoder_kl_cogvideox import CogVideoXCausalConv3d
from torch.nn import functional

from t2v.runtime.mosaic import Step, in_tiles
from t2v.runtime.vae import stepped_frames

_LATENTS_AT_ONCE = 2


def edge_cached_frames(
    pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
) -> Iterator[np.ndarray]:
    """Frames of consecutive latents, B C f H W, through Mochi's VAE.

    Its layers look back in time alone, and normalize each frame by itself. So they need no more
    than the last frames that each convolution saw, and the whole clip is never there. What comes
    out differs from one decode by rounding: convolutions of another length add up in another order.
    """
    vae = pipe.vae
    pieces = (piece for chunk in chunks for piece in chunk.split(_LATENTS_AT_ONCE, dim=2))
    yield from stepped_frames(pipe, pieces, in_tiles(vae, partial(_start, vae)))


def _start(vae: Any) -> Step:
    edges = Edges(vae.decoder)
    surplus = vae.temporal_compression_ratio - 1 if vae.drop_last_temporal_frames else 0

    def step(latents: torch.Tensor) -> torch.Tensor:
        nonlocal surplus
        with edges.remembered():
            video: torch.Tensor = vae.decoder(latents)[0][:, :, surplus:]
        surplus = 0
        return video

    return step


class Edges:
    """The last frames that each causal convolution of a decoder has seen."""

    def __init__(self, decoder: torch.nn.Module) -> None:
        """Nothing seen yet."""
        self._paddings: list[tuple[Any, Any]] = [
            (module, _padding(module))
            for module in decoder.modules()
            if isinstance(module, CogVideoXCausalConv3d)
        ]

    @contextmanager
    def remembered(self) -> Generator[None]:
        """Let each convolution begin with them, and remember what it sees; afterwards as before."""
        for convolution, padding in self._paddings:
            convolution.fake_context_parallel_forward = padding
        try:
            yield
        finally:
            for convolution, _ in self._paddings:
                del convolution.fake_context_parallel_forward


def _padding(convolution: CogVideoXCausalConv3d) -> Any:
    before: torch.Tensor | None = None
    *sides, num_frames, _ = convolution.time_causal_padding

    def pad(inputs: torch.Tensor, conv_cache: torch.Tensor | None = None) -> torch.Tensor:
        nonlocal before
        if num_frames:
            front = inputs[:, :, :1].expand(-1, -1, num_frames, -1, -1)
            inputs = torch.cat([front if before is None else before, inputs], dim=2)
            before = inputs[:, :, -num_frames:].clone()
        return functional.pad(inputs, (*sides, 0, 0), mode="replicate")

    return pad
