"""Mochi: 6 frames a latent, decoded in one go; a long video goes through a cache of ours."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.edges import edge_cached_frames
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, to_vae


class MochiAdapter(PipelineAdapter):
    """Text to video with Mochi 1."""

    family = "mochi"
    pipelines = ("MochiPipeline",)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode over the whole clip."""
        yield from decoded_frames(pipe, _denormalized(pipe, latents.video))

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Those of one decode but for rounding, for latents that are still to come."""
        return edge_cached_frames(pipe, (_denormalized(pipe, chunk) for chunk in chunks))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Channels before frames."""
        num_latents = (arguments["num_frames"] - 1) // pipe.vae_temporal_scale_factor + 1
        size = arguments["height"], arguments["width"]
        height, width = (side // pipe.vae_spatial_scale_factor for side in size)
        channels = pipe.transformer.config.in_channels
        return LatentLayout((1, channels, num_latents, height, width), frame_axis=2)


def _denormalized(pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
    config = pipe.vae.config
    if config.latents_mean is None or config.latents_std is None:
        return to_vae(pipe, latents / config.scaling_factor)

    def per_channel(values: list[float]) -> torch.Tensor:
        return torch.tensor(values).view(1, -1, 1, 1, 1).to(latents)

    std, mean = per_channel(config.latents_std), per_channel(config.latents_mean)
    return to_vae(pipe, latents * std / config.scaling_factor + mean)


adapter = MochiAdapter()
