"""Text2Video-Zero: an image model whose frames look at the first one. Returns pictures."""

from typing import Any

import torch
from diffusers import DiffusionPipeline, TextToVideoZeroSDXLPipeline

from t2v.errors import RequestError
from t2v.families.generic import GenericAdapter
from t2v.plan.request import Request
from t2v.runtime.adapter import Latents, OnStep
from t2v.runtime.call import parameters


class Text2VideoZeroAdapter(GenericAdapter):
    """Text to video with Stable Diffusion 1.5 or XL as it is.

    Called whole, so that the safety checker of Stable Diffusion and the watermark of XL see the
    pictures before anybody else does.
    """

    family = "text2video_zero"
    takes_lists = False
    pipelines = ("TextToVideoZeroPipeline", "TextToVideoZeroSDXLPipeline")

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`; attention across frames counts on two halves of guidance."""
        if request.guidance_scale is not None and request.guidance_scale <= 1:
            raise RequestError(
                f"{request.model} cannot run without guidance. "
                "Ask for a --guidance-scale above 1, such as 7.5."
            )
        if request.num_frames < 2:
            raise RequestError(f"{request.model} makes 2 frames or more, not {request.num_frames}.")
        _check_dtype(pipe, request)
        return super().call_arguments(pipe, request)

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """The finished pictures, once it is clear that the first frame has steps of its own."""
        steps, _, t1 = _steps(pipe, arguments)
        if steps <= t1:
            raise RequestError(
                f"{type(pipe).__name__} needs more than {t1} steps, and {steps} were asked for. "
                f"Ask for --steps {t1 + 1} or more."
            )
        return super().denoise(pipe, arguments, on_step)

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int:
        """Those of the first frame, and once more those that are repeated with all of them."""
        steps, t0, t1 = _steps(pipe, arguments)
        return steps + t1 - t0


def _check_dtype(pipe: DiffusionPipeline, request: Request) -> None:
    # The pipeline of XL then lifts half of the VAE to float32, and fails between the halves.
    is_xl = isinstance(pipe, TextToVideoZeroSDXLPipeline)
    if is_xl and pipe.vae.dtype == torch.float16 and pipe.vae.config.force_upcast:
        raise RequestError(
            f"{request.model} cannot decode in float16: its VAE overflows there. "
            "Ask for --dtype bfloat16 or float32."
        )


def _steps(pipe: DiffusionPipeline, arguments: dict[str, Any]) -> tuple[int, int, int]:
    """How many, and counted from the end, where motion is added and where frames part."""
    names = "num_inference_steps", "t0", "t1"
    steps, t0, t1 = (arguments.get(name, parameters(pipe)[name].default) for name in names)
    return steps, t0, t1


adapter = Text2VideoZeroAdapter()
