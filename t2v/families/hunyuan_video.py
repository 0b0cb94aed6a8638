"""HunyuanVideo: guidance is an input of the denoiser; the VAE decodes overlapping tiles of time."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.pipeline import StreamingAdapter
from t2v.runtime.tiles import tiled_frames


class HunyuanVideoAdapter(StreamingAdapter):
    """Text to video with HunyuanVideo.

    `guidance_scale` is what the distilled denoiser is told; a negative prompt is encoded and
    counts only where an entry's `defaults.call` has a `true_cfg_scale` above 1.
    """

    family = "hunyuan_video"
    pipelines = ("HunyuanVideoPipeline",)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of one tile after another, as the VAE cuts and blends them itself."""
        return tiled_frames(pipe, chunks)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W, in noise and steps alike."""
        return video_layout(pipe, arguments, pipe.transformer.config.in_channels)


adapter = HunyuanVideoAdapter()
