"""LTX-Video: latents travel as tokens, and newer decoders take a timestep and a little noise."""

from dataclasses import replace
from typing import Any, ClassVar

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor

from t2v.plan.request import Request
from t2v.runtime.layout import LatentLayout
from t2v.runtime.lookahead import LookaheadAdapter
from t2v.runtime.vae import to_vae

_DECODE_TIMESTEP = 0.05
_DECODE_NOISE_SCALE = 0.025
"""What the model's authors decode with since 0.9.1; the pipelines' own default is neither."""


class LTXAdapter(LookaheadAdapter):
    """Text to video with LTX-Video 0.9 to 0.9.8."""

    family = "ltx"
    pipelines: ClassVar[tuple[str, ...]] = ("LTXPipeline", "LTXConditionPipeline")

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; how to decode only where the decoder takes a timestep."""
        arguments = super().call_arguments(pipe, request)
        if pipe.vae.config.timestep_conditioning:
            arguments["decode_timestep"] = _DECODE_TIMESTEP
            arguments["decode_noise_scale"] = _DECODE_NOISE_SCALE
        return arguments

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """Tokens, frame by frame; `LTXConditionPipeline` draws its noise as B C F H W itself."""
        time, space = pipe.vae_temporal_compression_ratio, pipe.vae_spatial_compression_ratio
        num_latents = (arguments["num_frames"] - 1) // time + 1
        height, width = arguments["height"] // space, arguments["width"] // space
        channels, rows = pipe.transformer.config.in_channels, height * width
        packed = LatentLayout((1, num_latents * rows, channels), 1, rows)
        if type(pipe).__name__ == "LTXPipeline":
            return packed
        drawn = LatentLayout((1, channels, num_latents, height, width), 2)
        return replace(packed, noise=drawn, takes_latents=False)

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """Tokens to B C F H W in the VAE's range, with the noise that its decoder expects."""
        if latents.ndim == 3:
            time, space = pipe.vae_temporal_compression_ratio, pipe.vae_spatial_compression_ratio
            latents = pipe._unpack_latents(
                latents,
                (arguments["num_frames"] - 1) // time + 1,
                arguments["height"] // space,
                arguments["width"] // space,
                pipe.transformer_spatial_patch_size,
                pipe.transformer_temporal_patch_size,
            )
        vae = pipe.vae
        latents = pipe._denormalize_latents(
            latents, vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(pipe.text_encoder.dtype)
        if not vae.config.timestep_conditioning:
            return latents
        # The call draws this noise after the last step, from the same generator.
        noise = randn_tensor(
            latents.shape,
            generator=arguments.get("generator"),
            device=latents.device,
            dtype=latents.dtype,
        )
        scale = torch.tensor(arguments["decode_noise_scale"]).to(latents)
        return (1 - scale) * latents + scale * noise

    def decode_timestep(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, wanted: float | None
    ) -> torch.Tensor | None:
        """None for decoders before 0.9.1."""
        if not pipe.vae.config.timestep_conditioning:
            return None
        timestep = torch.tensor([_DECODE_TIMESTEP if wanted is None else wanted])
        return timestep.to(latents.dtype).to(to_vae(pipe, latents))


adapter = LTXAdapter()
