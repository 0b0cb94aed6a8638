"""SANA-Video: frames are called `frames`, and a size is made as it was asked for."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.families.ltx2 import require_wide
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.lookahead import lookahead_frames
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.vae import causal_decoder, decoded_frames, streamed_frames, to_vae

_MOTION_SCORE = " motion score: 30."
"""Every training caption ended with one, and every example of the authors does; 30 is theirs."""


class SanaVideoAdapter(PipelineAdapter):
    """Text to video with SANA-Video, over the VAE of Wan (480p) or of LTX-2 (720p)."""

    family = "sana_video"
    pipelines = ("SanaVideoPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`, without its own idea of the size.

        With `use_resolution_binning` it makes the nearest of its eleven sizes, and scales and crops
        the frames to the one that was asked for.
        """
        if _is_from_ltx2(pipe):
            require_wide(pipe, request)
        arguments = super().call_arguments(pipe, request)
        if "motion score" not in arguments["prompt"]:
            arguments["prompt"] += _MOTION_SCORE
        return {**arguments, "use_resolution_binning": False}

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames one latent at a time where the VAE is Wan's; of one decode where it is LTX-2's."""
        yield from decoded_frames(pipe, _denormalized(pipe, latents.video))

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """The same, for latents that come in pieces."""
        if causal_decoder(pipe.vae) is not None:
            return streamed_frames(pipe, (_denormalized(pipe, chunk) for chunk in chunks))
        if _is_from_ltx2(pipe) and not pipe.vae.use_framewise_decoding:
            return lookahead_frames(pipe, (_denormalized(pipe, chunk) for chunk in chunks))
        return super().decode_stream(pipe, chunks)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B C F H W, in the call's argument as in its steps."""
        channels = pipe.transformer.config.in_channels
        return video_layout(pipe, {**arguments, "num_frames": arguments["frames"]}, channels)


def _is_from_ltx2(pipe: DiffusionPipeline) -> bool:
    return type(pipe.vae).__name__ == "AutoencoderKLLTX2Video"


def _denormalized(pipe: DiffusionPipeline, latents: torch.Tensor) -> torch.Tensor:
    video = to_vae(pipe, latents)
    # Wan keeps its statistics in the config, LTX-2 in buffers; an AutoencoderDC has none.
    mean, std = (_statistic(pipe.vae, name) for name in ("latents_mean", "latents_std"))
    mean = torch.zeros(video.shape[1]) if mean is None else torch.as_tensor(mean)
    std = torch.ones(video.shape[1]) if std is None else torch.as_tensor(std)
    # The pipeline's own detour over the reciprocal, for the same last bit.
    inverse_std = 1.0 / std.view(1, -1, 1, 1, 1).to(video)
    return video / inverse_std + mean.view(1, -1, 1, 1, 1).to(video)


def _statistic(vae: Any, name: str) -> Any:
    config = vae.config
    return config[name] if name in config else getattr(vae, name, None)


adapter = SanaVideoAdapter()
