"""HunyuanVideo 1.5: guidance in `pipe.guider`, no callback, a VAE that sees all frames at once."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.guidance import GuidedAdapter
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.recollection import recollected_frames
from t2v.runtime.vae import decoded_frames, to_vae


class HunyuanVideo15Adapter(GuidedAdapter):
    """Text to video with HunyuanVideo 1.5."""

    family = "hunyuan_video_15"
    pipelines = ("HunyuanVideo15Pipeline",)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode over the whole clip: its attention reaches back to the start."""
        scale = pipe.vae.config.scaling_factor
        yield from decoded_frames(pipe, to_vae(pipe, latents.video) / scale)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """The same but for rounding, for latents that are still to come."""
        scale = pipe.vae.config.scaling_factor
        return recollected_frames(pipe, (to_vae(pipe, chunk) / scale for chunk in chunks))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W; the condition and its mask are added for the denoiser alone."""
        return video_layout(pipe, arguments, pipe.num_channels_latents)


adapter = HunyuanVideo15Adapter()
