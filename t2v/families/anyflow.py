"""AnyFlow: a distilled Wan that steps from any noise level to any other; guidance is built in."""

from typing import Any

from diffusers import DiffusionPipeline

from t2v.families.wan import WanAdapter
from t2v.runtime.layout import LatentLayout, video_layout


class AnyFlowAdapter(WanAdapter):
    """Text to video with AnyFlow, the whole clip at once."""

    family = "anyflow"
    pipelines = ("AnyFlowPipeline",)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Noise as B C F H W, steps as B F C H W."""
        noise = video_layout(pipe, arguments, pipe.transformer.config.in_channels)
        batch, channels, num_latents, height, width = noise.shape
        shape = (batch, num_latents, channels, height, width)
        return LatentLayout(shape, frame_axis=1, noise=noise)


adapter = AnyFlowAdapter()
