"""Calling a pipeline whose exact signature is only known once it is loaded."""

import functools
import inspect
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.plan.request import Request

_SPELLINGS = {
    "num_frames": ("num_frames", "video_length", "frames"),
    "fps": ("frame_rate", "fps"),
}
"""Our name -> what pipelines call it."""

_OPTIONAL = (
    "negative_prompt",
    "num_inference_steps",
    "guidance_scale",
    "guidance_scale_2",
    "max_sequence_length",
)


@functools.cache
def _signature(pipeline_class: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(pipeline_class.__call__).parameters


def parameters(pipe: DiffusionPipeline) -> Mapping[str, inspect.Parameter]:
    """The parameters of `pipe(...)` by name."""
    kind: Any = type(pipe)
    return _signature(kind)


def spelling(pipe: DiffusionPipeline, name: str) -> str | None:
    """What this pipeline calls `num_frames` or `fps`; None where it does not take it."""
    accepted = parameters(pipe)
    return next((s for s in _SPELLINGS.get(name, (name,)) if s in accepted), None)


def call_arguments(pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
    """The request in this pipeline's own words; what nobody decided stays the pipeline's default."""
    name = type(pipe).__name__
    num_frames, fps = spelling(pipe, "num_frames"), spelling(pipe, "fps")
    if num_frames is None:
        raise RequestError(
            f"{name} does not take a number of frames, so it is no text-to-video pipeline."
        )
    arguments: dict[str, Any] = {
        "prompt": request.prompt,
        "height": request.height,
        "width": request.width,
        num_frames: request.num_frames,
    }
    if fps is not None:
        arguments[fps] = _plain(request.fps)
    accepted = parameters(pipe)
    for option in _OPTIONAL:
        value = getattr(request, option)
        if value is not None and option in accepted:
            arguments[option] = value
    missing = [
        p.name
        for p in accepted.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"
    ]
    if unknown := [p for p in missing if p not in arguments]:
        raise RequestError(
            f"{name} also needs {', '.join(unknown)}, and t2v has a prompt alone. "
            "Choose a text-to-video model: t2v models list."
        )
    return arguments


def temporal_factor(pipe: DiffusionPipeline) -> int:
    """Pixel frames of a latent frame, as the pipeline has it; 1 with an image VAE."""
    names = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
    return next((int(getattr(pipe, name)) for name in names if hasattr(pipe, name)), 1)


def _plain(fps: Fraction) -> int | float:
    return fps.numerator if fps.denominator == 1 else float(fps)
