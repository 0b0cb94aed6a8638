"""Latents of sound to samples."""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.torch_utils import get_module_execution_device

from t2v.media.audio import Sound
from t2v.runtime.explain import explained


def to_part(part: Any, latents: torch.Tensor) -> torch.Tensor:
    """The latents where a part of the pipeline computes and in its number format."""
    return latents.to(get_module_execution_device(part), dtype=part.dtype)


def decoded_sound(
    pipe: DiffusionPipeline, decode: Callable[[], torch.Tensor], *, rate: int
) -> Sound:
    """The sound that `decode` makes: channels x samples from -1 to 1, `rate` of them a second."""
    with torch.no_grad(), explained(pipe):
        waveform = decode().T.float().cpu().contiguous()
    pipe.maybe_free_model_hooks()
    return Sound(waveform.numpy(), rate)
