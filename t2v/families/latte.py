"""Latte: 16 frames and no other number, over an image VAE or one that looks a little along time."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import StreamingAdapter
from t2v.runtime.vae import picture_frames, to_vae

_PICTURES_AT_ONCE = 14
"""The pipeline's own number. A temporal decoder mixes the frames that it gets together."""


class LatteAdapter(StreamingAdapter):
    """Text to video with Latte."""

    family = "latte"
    takes_lists = False
    pipelines = ("LattePipeline",)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of 14 latents and then of the last two, as the pipeline takes them."""
        scale = 1 / pipe.vae.config.scaling_factor
        pieces = (to_vae(pipe, scale * chunk) for chunk in chunks)
        return picture_frames(pipe, pieces, _PICTURES_AT_ONCE)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Channels before frames."""
        size = arguments["height"], arguments["width"]
        height, width = (side // pipe.vae_scale_factor for side in size)
        channels = pipe.transformer.config.in_channels
        return LatentLayout((1, channels, arguments["video_length"], height, width), frame_axis=2)


adapter = LatteAdapter()
