"""Wan 2.1 and 2.2: one denoiser, or two that take turns; a causal VAE that decodes as a stream."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, streamed_frames, to_vae


class WanAdapter(PipelineAdapter):
    """Text to video with Wan."""

    family = "wan"
    pipelines = ("WanPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; a second guidance only where there is a second denoiser."""
        if request.guidance_scale_2 is not None and pipe.config.get("boundary_ratio") is None:
            raise RequestError(
                f"{request.model} has one denoiser, so a second guidance scale means nothing to it. "
                "Leave --guidance-scale-2 out."
            )
        return super().call_arguments(pipe, request)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames one latent at a time, through the VAE's causal cache."""
        yield from decoded_frames(pipe, self.denormalized(pipe, latents.video))

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of latents that come in pieces; the cache is carried on from one to the next."""
        return streamed_frames(pipe, (self.denormalized(pipe, chunk) for chunk in chunks))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W."""
        denoiser = pipe.transformer or pipe.transformer_2
        factor = pipe.vae_scale_factor_spatial
        num_latents = (arguments["num_frames"] - 1) // pipe.vae_scale_factor_temporal + 1
        height, width = arguments["height"] // factor, arguments["width"] // factor
        return LatentLayout((1, denoiser.config.in_channels, num_latents, height, width), 2)

    def denormalized(self, pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
        """Latents, B C F H W, as the VAE takes them."""
        video = to_vae(pipe, latents)

        def per_channel(values: list[float]) -> torch.Tensor:
            return torch.tensor(values).view(1, -1, 1, 1, 1)

        mean = per_channel(pipe.vae.config.latents_mean).to(video)
        # The pipeline's own detour over the reciprocal, for the same last bit.
        inverse_std = 1.0 / per_channel(pipe.vae.config.latents_std).to(video)
        return video / inverse_std + mean


adapter = WanAdapter()
