"""ModelScope and Zeroscope: a U-Net in time and space over the image VAE of Stable Diffusion."""

from collections.abc import Iterator

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, to_vae


class ModelScopeAdapter(PipelineAdapter):
    """Text to video with ModelScope and the models trained from it."""

    family = "modelscope"
    pipelines = ("TextToVideoSDPipeline",)

    def decode(self, pipe: DiffusionPipeline, latents: torch.Tensor) -> Iterator[Frame]:
        """Frames of one decode in which the clip is a batch of pictures."""
        latents = to_vae(pipe, 1 / pipe.vae.config.scaling_factor * latents)
        yield from decoded_frames(pipe, latents)


adapter = ModelScopeAdapter()
