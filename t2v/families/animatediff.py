"""AnimateDiff: Stable Diffusion 1.5 or XL with a motion adapter between its layers."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
from diffusers import AnimateDiffSDXLPipeline, DiffusionPipeline

from t2v.runtime.adapter import Frame
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import StreamingAdapter
from t2v.runtime.vae import picture_frames, to_vae, upcast_vae

_PICTURES_AT_ONCE = 16
"""As many as the pipeline of Stable Diffusion 1.5 decodes together; the other takes them all."""


class AnimateDiffAdapter(StreamingAdapter):
    """Text to video with AnimateDiff and its distilled kin, over any base model."""

    family = "animatediff"
    pipelines = ("AnimateDiffPipeline", "AnimateDiffSDXLPipeline")

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames as pictures of the base model's VAE."""
        is_xl = isinstance(pipe, AnimateDiffSDXLPipeline)
        # The VAE of SDXL overflows in float16, and its pipeline knows.
        overflows = is_xl and pipe.vae.dtype == torch.float16 and pipe.vae.config.force_upcast
        with upcast_vae(pipe) if overflows else nullcontext():
            scale = 1 / pipe.vae.config.scaling_factor
            pieces = (to_vae(pipe, scale * chunk.to(pipe.vae.dtype)) for chunk in chunks)
            yield from picture_frames(pipe, pieces, None if is_xl else _PICTURES_AT_ONCE)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Channels before frames."""
        size = arguments["height"], arguments["width"]
        height, width = (side // pipe.vae_scale_factor for side in size)
        channels = pipe.unet.config.in_channels
        return LatentLayout((1, channels, arguments["num_frames"], height, width), frame_axis=2)


adapter = AnimateDiffAdapter()
