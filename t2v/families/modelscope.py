"""ModelScope and Zeroscope: a U-Net in time and space over the image VAE of Stable Diffusion."""

from collections.abc import Iterator

from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, to_vae


class ModelScopeAdapter(PipelineAdapter):
    """Text to video with ModelScope and the models trained from it."""

    family = "modelscope"
    pipelines = ("TextToVideoSDPipeline",)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode in which the clip is a batch of pictures."""
        video = 1 / pipe.vae.config.scaling_factor * latents.video
        yield from decoded_frames(pipe, to_vae(pipe, video))


adapter = ModelScopeAdapter()
