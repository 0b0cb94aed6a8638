"""Motif-Video: guidance in `pipe.guider`, which remembers the steps before; the VAE of Wan."""

from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.families.wan import WanAdapter
from t2v.runtime.guidance import GuidedAdapter
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.vae import to_vae


class MotifVideoAdapter(GuidedAdapter, WanAdapter):
    """Text to video with Motif-Video."""

    family = "motif_video"
    pipelines = ("MotifVideoPipeline",)

    def denormalized(self, pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
        """Latents, B C F H W, as the VAE takes them, computed as this pipeline does it."""
        config = pipe.vae.config
        video: torch.Tensor = pipe._denormalize_latents(
            to_vae(pipe, latents), config.latents_mean, config.latents_std
        )
        return video

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W; the condition and its mask are added for the denoiser alone."""
        return video_layout(pipe, arguments, pipe.vae.config.z_dim)


adapter = MotifVideoAdapter()
