"""CogVideoX: frames before channels, and in 1.5 padding in front of the first latent."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.layout import LatentLayout
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import decoded_frames, streamed_frames, to_vae


class CogVideoXAdapter(PipelineAdapter):
    """Text to video with CogVideoX 2B, 5B and 1.5."""

    family = "cogvideox"
    pipelines = ("CogVideoXPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; 1.5 cuts its positions out of a grid that has an end.

        Raises:
            RequestError: The video reaches beyond the grid.
        """
        config, factor = pipe.transformer.config, pipe.vae_scale_factor_spatial
        if config.patch_size_t is not None:
            width, height = config.sample_width * factor, config.sample_height * factor
            if request.width > width or request.height > height:
                raise RequestError(
                    f"{request.model} makes no frames of {request.width}x{request.height}: its "
                    f"positions end at {width}x{height}. Ask for a smaller --size."
                )
        return super().call_arguments(pipe, request)

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """Drop the padding of 1.5, and put channels before frames."""
        wanted = (arguments["num_frames"] - 1) // pipe.vae_scale_factor_temporal + 1
        return latents[:, latents.shape[1] - wanted :].transpose(1, 2)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B F C H W, in 1.5 with padding in front where the number of latents is odd."""
        config, factor = pipe.transformer.config, pipe.vae_scale_factor_spatial
        num_latents = (arguments["num_frames"] - 1) // pipe.vae_scale_factor_temporal + 1
        leading = -num_latents % (config.patch_size_t or 1)
        height, width = arguments["height"] // factor, arguments["width"] // factor
        shape = (1, leading + num_latents, config.in_channels, height, width)
        return LatentLayout(shape, 1, leading=leading)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of latents that come in pieces; the cache is carried on from one to the next."""
        return streamed_frames(pipe, (self._scaled(pipe, chunk) for chunk in chunks))

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of two latents at a time, as the VAE batches them itself."""
        yield from decoded_frames(pipe, self._scaled(pipe, latents.video))

    def _scaled(self, pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
        return to_vae(pipe, 1 / pipe.vae_scaling_factor_image * latents)


adapter = CogVideoXAdapter()
