"""ModelScope and Zeroscope: a U-Net in time and space over the image VAE of Stable Diffusion."""

from collections.abc import Iterator
from typing import Any

from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, to_vae


class ModelScopeAdapter(PipelineAdapter):
    """Text to video with ModelScope and the models trained from it."""

    family = "modelscope"
    pipelines = ("TextToVideoSDPipeline",)
    latent_context = 0

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W, which the scheduler is given as a batch of pictures."""
        channels, num_frames = pipe.unet.config.in_channels, arguments["num_frames"]
        height = arguments["height"] // pipe.vae_scale_factor
        width = arguments["width"] // pipe.vae_scale_factor
        noise = LatentLayout((1, channels, num_frames, height, width), 2)
        return LatentLayout((num_frames, channels, height, width), 0, noise=noise)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode in which the clip is a batch of pictures."""
        video = 1 / pipe.vae.config.scaling_factor * latents.video
        yield from decoded_frames(pipe, to_vae(pipe, video))


adapter = ModelScopeAdapter()
