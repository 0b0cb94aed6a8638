"""Kandinsky 5: channels last, room for a first frame beside the latents, and sparse attention."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import DiffusionPipeline, attention_backend

from t2v.errors import RequestError
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame
from t2v.runtime.layout import LatentLayout, video_layout
from t2v.runtime.pipeline import StreamingAdapter
from t2v.runtime.quiet import quiet
from t2v.runtime.tiles import tiled_frames

_NABLA_MULTIPLE = 128
"""NABLA attends to blocks of 8 x 8 tokens, each token 16 pixels wide; the call checks 16 alone."""


class Kandinsky5Adapter(StreamingAdapter):
    """Text to video with Kandinsky 5 Lite and Pro."""

    family = "kandinsky5"
    # A prompt of a list is filled up to the longest, and the denoiser attends to what fills it.
    takes_lists = False
    pipelines = ("Kandinsky5T2VPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; a size that sparse attention cannot take is refused here."""
        is_off = any(side % _NABLA_MULTIPLE for side in (request.width, request.height))
        if is_off and _is_sparse(pipe):
            raise RequestError(
                f"{request.model} has sparse attention, so width and height must be multiples of "
                f"{_NABLA_MULTIPLE}; {request.width}x{request.height} is not."
            )
        return super().call_arguments(pipe, request)

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """With sparse attention on the one backend that has it, where the model needs it."""
        if _is_sparse(pipe):
            _use_flex(pipe)
        yield arguments

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """Channels before frames, without those of the first frame that text to video leaves out."""
        return latents[..., : pipe.transformer.config.in_visual_dim].permute(0, 4, 1, 2, 3)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of one tile of time after another, as the VAE of HunyuanVideo blends them."""
        return tiled_frames(pipe, chunks)

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """B F H W C; the steps have zeros behind the channels that the noise is drawn for."""
        channels = pipe.transformer.config.in_visual_dim
        _, _, *size = video_layout(pipe, arguments, channels).shape
        noise = LatentLayout((1, *size, channels), frame_axis=1)
        if not pipe.transformer.visual_cond:
            return noise
        # Given latents are taken as they are, without the zeros.
        steps = (1, *size, 2 * channels + 1)
        return LatentLayout(steps, frame_axis=1, noise=noise, takes_latents=False)


def _is_sparse(pipe: DiffusionPipeline) -> bool:
    return bool(pipe.transformer.config.attention_type == "nabla")


def _use_flex(pipe: DiffusionPipeline) -> None:
    denoiser: Any = pipe.transformer
    # Setting it for the model sets it for all models; the block gives those back what they had.
    with quiet(), attention_backend():
        denoiser.set_attention_backend("flex")
    is_compiled = any(part._compiled_call_impl is not None for part in denoiser.modules())
    if pipe._execution_device.type == "cuda" and not is_compiled:
        # Without compiling, flex attention holds every pair of tokens in memory.
        denoiser.compile_repeated_blocks(dynamic=True)


adapter = Kandinsky5Adapter()
