"""CogVideoX: frames before channels, and in 1.5 padding in front of the first latent."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, to_vae


class CogVideoXAdapter(PipelineAdapter):
    """Text to video with CogVideoX 2B, 5B and 1.5."""

    family = "cogvideox"
    pipelines = ("CogVideoXPipeline",)

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """Drop the padding of 1.5, and put channels before frames."""
        wanted = (arguments["num_frames"] - 1) // pipe.vae_scale_factor_temporal + 1
        return latents[:, latents.shape[1] - wanted :].transpose(1, 2)

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of two latents at a time, as the VAE batches them itself."""
        video = 1 / pipe.vae_scaling_factor_image * latents.video
        yield from decoded_frames(pipe, to_vae(pipe, video))


adapter = CogVideoXAdapter()
