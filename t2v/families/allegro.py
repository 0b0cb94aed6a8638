"""Allegro: a VAE that decodes whole cubes alone, and leaves black what fills none."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame
from t2v.runtime.cubes import cube_frames
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import StreamingAdapter
from t2v.runtime.vae import to_vae


class AllegroAdapter(StreamingAdapter):
    """Text to video with Allegro."""

    family = "allegro"
    pipelines = ("AllegroPipeline",)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of one row of cubes in time after another, at any size."""
        scale = 1 / pipe.vae.config.scaling_factor
        return cube_frames(pipe, (scale * to_vae(pipe, chunk) for chunk in chunks))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Channels before frames."""
        num_latents = -(-arguments["num_frames"] // pipe.vae_scale_factor_temporal)
        size = arguments["height"], arguments["width"]
        height, width = (side // pipe.vae_scale_factor_spatial for side in size)
        channels = pipe.transformer.config.in_channels
        return LatentLayout((1, channels, num_latents, height, width), frame_axis=2)


adapter = AllegroAdapter()
