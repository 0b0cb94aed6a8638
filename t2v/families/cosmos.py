"""Cosmos 1.0 and Predict 2.5: guidance counted from 0, and a guardrail that sees every clip."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.guardrail import guarded, require_guardrail
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, frames_of, to_vae


class CosmosAdapter(PipelineAdapter):
    """Text to video with Cosmos 1.0 and Cosmos Predict 2.5."""

    family = "cosmos"
    takes_lists = False
    pipelines = ("CosmosTextToWorldPipeline", "Cosmos2_5_PredictBasePipeline")

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`.

        The guidance scale is passed on as it is. What it weighs is added to the prompt's prediction
        and not to that of the negative prompt, so that 7 here is 8 elsewhere, and 1 or less is off.
        """
        require_guardrail(pipe, request.model)
        return super().call_arguments(pipe, request)

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """In the VAE's range; what the range depends on is known now, and not when decoding."""
        if _has_own_vae(pipe):
            return _scaled(pipe, latents)
        mean, inverse_std = (s.to(latents) for s in (pipe.latents_mean, pipe.latents_std))
        return latents / inverse_std + mean

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of one decode, each as the guardrail lets it pass."""
        passed = guarded(pipe, decoded_frames(pipe, to_vae(pipe, latents.video)))
        # The pipeline takes them back to its own range and out again, for the same last bit.
        video = torch.from_numpy(passed.astype(np.float32) / 255.0 * 2 - 1)
        yield from frames_of(video.permute(3, 0, 1, 2).unsqueeze(0))

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W, in the call's argument as in its steps."""
        if _has_own_vae(pipe):
            raise RequestError(
                "The VAE of Cosmos 1.0 has statistics for 16 latent frames and no more, so it "
                "makes no windows of a longer video. Ask for 121 frames or fewer."
            )
        # One channel of the denoiser's says which frames are given, as none are here.
        return video_layout(pipe, arguments, pipe.transformer.config.in_channels - 1)


def _has_own_vae(pipe: DiffusionPipeline) -> bool:
    return type(pipe.vae).__name__ == "AutoencoderKLCosmos"


def _scaled(pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
    """In the range of the VAE of 1.0, whose statistics differ from latent frame to latent frame."""
    config, sigma_data = pipe.vae.config, pipe.scheduler.config.sigma_data
    if config.latents_mean is None:
        return latents / sigma_data

    def per_frame(values: list[float]) -> torch.Tensor:
        grid = torch.tensor(values).view(1, config.latent_channels, -1, 1, 1)
        return grid[:, :, : latents.shape[2]].to(latents)

    return latents * per_frame(config.latents_std) / sigma_data + per_frame(config.latents_mean)


adapter = CosmosAdapter()
