"""Decoding with HunyuanVideo's VAE: tiles of a few frames that overlap and are blended."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame
from t2v.runtime.explain import explained
from t2v.runtime.vae import frames_of, to_vae, wake


class _Tile(NamedTuple):
    latents: torch.Tensor
    is_first: bool
    total: int | None
    """How many latents there are in all, where that is known already."""


def tiled_frames(pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]) -> Iterator[Frame]:
    """Frames of consecutive latents, B C f H W as the pipeline has them, a tile at a time.

    They are to the bit those of one `vae.decode` of all the latents: it, too, decodes 5 latents
    at every third one and blends 4 frames. No more than two tiles are held.
    """
    decoder, scale = _Decoder(pipe.vae), pipe.vae.config.scaling_factor
    try:
        for tile in decoder.tiles(to_vae(pipe, chunk) / scale for chunk in chunks):
            # Not around the yield: the switch would leak into the code of whoever takes the frames.
            with torch.no_grad(), explained(pipe):
                wake(pipe.vae)
                video = decoder.decode(tile)
            yield from frames_of(video)
    finally:
        pipe.maybe_free_model_hooks()


class _Decoder:
    """The state between tiles: the one before, and how many frames have left."""

    def __init__(self, vae: Any) -> None:
        self.vae = vae
        self.ratio: int = vae.temporal_compression_ratio
        self.size: int = vae.tile_sample_min_num_frames // self.ratio
        self.stride: int = vae.tile_sample_stride_num_frames // self.ratio
        self.before: torch.Tensor | None = None
        self.num_frames = 0

    def tiles(self, chunks: Iterator[torch.Tensor]) -> Iterator[_Tile]:
        """The latents cut as the VAE cuts them; a clip no longer than a tile stays whole."""
        if not self.vae.use_framewise_decoding:
            latents = torch.cat(list(chunks), dim=2)
            yield _Tile(latents, True, latents.shape[2])
            return
        held, start = None, 0
        for chunk in chunks:
            held = chunk if held is None else torch.cat([held, chunk], dim=2)
            while held.shape[2] > self.size:
                yield _Tile(held[:, :, : self.size + 1], start == 0, None)
                held, start = held[:, :, self.stride :].clone(), start + self.stride
        if held is None:
            return
        total = start + held.shape[2]
        for offset in range(0, held.shape[2] if start else 1, self.stride):
            yield _Tile(held[:, :, offset:], start + offset == 0, total)

    def decode(self, tile: _Tile) -> torch.Tensor:
        """The frames that this tile settles."""
        decoded = self._decoded(tile.latents)
        length = self.vae.tile_sample_stride_num_frames
        if tile.is_first:
            is_whole = tile.total is not None
            settled = decoded if is_whole else decoded[:, :, : length + 1]
        else:
            overlap = self.vae.tile_sample_min_num_frames - length
            decoded = self.vae.blend_t(self.before, decoded[:, :, 1:], overlap)
            settled = decoded[:, :, :length]
        if tile.total is not None:
            wanted = (tile.total - 1) * self.ratio + 1
            settled = settled[:, :, : max(wanted - self.num_frames, 0)]
        self.before = decoded
        self.num_frames += settled.shape[2]
        return settled

    def _decoded(self, latents: torch.Tensor) -> torch.Tensor:
        vae, (height, width) = self.vae, latents.shape[-2:]
        ratio = vae.spatial_compression_ratio
        is_large = (
            height > vae.tile_sample_min_height // ratio
            or width > vae.tile_sample_min_width // ratio
        )
        decoded: torch.Tensor = (
            vae.tiled_decode(latents).sample
            if vae.use_tiling and is_large
            else vae.decoder(vae.post_quant_conv(latents))
        )
        return decoded
