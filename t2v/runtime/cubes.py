"""Decoding with Allegro's VAE: cubes of 24 frames and a fixed size that overlap and are blended."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.models.autoencoders.autoencoder_kl_allegro import _prepare_for_blend
from torch.nn import functional

from t2v.runtime.vae import stepped_frames


class _Slab(NamedTuple):
    """The latents of one row of cubes in time."""

    latents: torch.Tensor
    is_first: bool
    is_last: bool


def cube_frames(pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]) -> Iterator[np.ndarray]:
    """Frames of consecutive latents, B C f H W as the VAE takes them.

    The VAE decodes whole cubes alone and leaves the rest black. So latents that fill none are
    continued with their last row, column and frame, and what was made of those is cut off. Where
    the cubes fit, the frames are to the bit those of `vae.decode`; but one row of cubes in time is
    held instead of all.
    """
    decoder = _Decoder(pipe.vae)
    yield from stepped_frames(pipe, decoder.slabs(chunks), decoder.decode)


class _Decoder:
    def __init__(self, vae: Any) -> None:
        self.vae = vae
        self.cube: tuple[int, int, int] = vae.kernel
        self.stride: tuple[int, int, int] = vae.stride
        self.time, self.space = vae.config.temporal_compression_ratio, vae.spatial_compression_ratio
        self.carried: torch.Tensor | None = None

    def slabs(self, chunks: Iterator[torch.Tensor]) -> Iterator[_Slab]:
        """The latents cut in time as the VAE cuts them; the last slab may be short."""
        size, stride = self.cube[0] // self.time, self.stride[0] // self.time
        held: torch.Tensor | None = None
        is_first = True
        for chunk in chunks:
            held = chunk if held is None else torch.cat([held, chunk], dim=2)
            while held.shape[2] > size:
                yield _Slab(held[:, :, :size], is_first, is_last=False)
                held, is_first = held[:, :, stride:].clone(), False
        if held is not None:
            yield _Slab(held, is_first, is_last=True)

    def decode(self, slab: _Slab) -> torch.Tensor:
        """The frames that this slab settles."""
        num_latents, height, width = slab.latents.shape[2:]
        frames = self._blended(self._filled(slab.latents), slab)
        # A copy: a view would keep all of the frames in memory.
        self.carried = frames[:, :, self.stride[0] :].clone()
        length = num_latents * self.time if slab.is_last else self.stride[0]
        return frames[:, :, :length, : height * self.space, : width * self.space]

    def _filled(self, latents: torch.Tensor) -> torch.Tensor:
        """The latents, continued until they fill whole cubes."""
        padding: list[int] = []
        for axis, (size, stride, num_cubes) in enumerate(self._grid(latents)):
            missing = size + stride * (num_cubes - 1) - latents.shape[2 + axis]
            padding = [0, missing, *padding]
        return functional.pad(latents, padding, mode="replicate")

    def _blended(self, latents: torch.Tensor, slab: _Slab) -> torch.Tensor:
        """A row of cubes, each faded where it meets a neighbor, on top of what was carried on."""
        pictures = self.vae.post_quant_conv(latents.transpose(1, 2).flatten(0, 1))
        latents = pictures.unflatten(0, (1, -1)).transpose(1, 2)
        (size, _, _), rows, columns = self._grid(latents)
        height, width = (side * self.space for side in latents.shape[3:])
        frames = latents.new_zeros(1, self.vae.config.out_channels, self.cube[0], height, width)
        if self.carried is not None:
            frames[:, :, : self.carried.shape[2]] = self.carried
        overlaps = [cube - stride for cube, stride in zip(self.cube, self.stride, strict=True)]
        place_in_time = (int(not slab.is_first), 1 + (not slab.is_first) + (not slab.is_last))
        for row in range(rows[2]):
            for column in range(columns[2]):
                across = _span(row, rows), _span(column, columns)
                cube = self.vae.decoder(latents[:, :, :size, across[0], across[1]].contiguous())
                faded = _prepare_for_blend(
                    (*place_in_time, overlaps[0]),
                    (row, rows[2], overlaps[1]),
                    (column, columns[2], overlaps[2]),
                    cube,
                )
                down, right = (
                    slice(span.start * self.space, span.stop * self.space) for span in across
                )
                frames[:, :, :, down, right] += faded
        return frames

    def _grid(self, latents: torch.Tensor) -> list[tuple[int, int, int]]:
        """For time, height and width: size and stride of cubes in latents, and their number."""
        grid = []
        for axis, ratio in enumerate((self.time, self.space, self.space)):
            size, stride = self.cube[axis] // ratio, self.stride[axis] // ratio
            number = max(math.ceil((latents.shape[2 + axis] - size) / stride), 0) + 1
            grid.append((size, stride, number))
        return grid


def _span(index: int, axis: tuple[int, int, int]) -> slice:
    size, stride, _ = axis
    return slice(index * stride, index * stride + size)
