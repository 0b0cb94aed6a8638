"""EasyAnimate: a causal VAE that goes latent by latent and remembers in its layers."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, streamed_frames, to_vae


class EasyAnimateAdapter(PipelineAdapter):
    """Text to video with EasyAnimate 5.1."""

    family = "easyanimate"
    pipelines = ("EasyAnimatePipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; the pipeline fails on a negative prompt that is not given."""
        return {"negative_prompt": "", **super().call_arguments(pipe, request)}

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one latent after another."""
        yield from decoded_frames(pipe, _scaled(pipe, latents.video))

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """The same, for latents that are still to come."""
        return streamed_frames(pipe, (_scaled(pipe, chunk) for chunk in chunks))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Channels before frames."""
        num_latents = (arguments["num_frames"] - 1) // pipe.vae_temporal_compression_ratio + 1
        size = arguments["height"], arguments["width"]
        height, width = (side // 16 * 16 // pipe.vae_spatial_compression_ratio for side in size)
        channels = pipe.transformer.config.in_channels
        return LatentLayout((1, channels, num_latents, height, width), frame_axis=2)


def _scaled(pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
    return to_vae(pipe, 1 / pipe.vae.config.scaling_factor * latents)


adapter = EasyAnimateAdapter()
