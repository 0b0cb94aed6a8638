"""Helios Mid and Distilled: each chunk grows from a quarter over half to full size."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.families.helios import HeliosAdapter, num_chunks
from t2v.plan.request import Request

_STEPS = "pyramid_num_inference_steps_list"


class HeliosPyramidAdapter(HeliosAdapter):
    """Text to video of any length with the pyramids of Helios.

    `num_inference_steps` counts those of one chunk; they are shared out over the stages.
    """

    family = "helios_pyramid"
    takes_lists = False
    pipelines = ("HeliosPyramidPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`, with the steps of each stage.

        Raises:
            RequestError: A stage would have no step, or a size that cannot be halved.
        """
        stages = pipe.scheduler.config.stages
        _check_size(pipe, request, stages)
        arguments = super().call_arguments(pipe, request)
        steps = request.num_inference_steps
        if steps is None:
            return arguments
        if steps < stages:
            raise RequestError(
                f"{request.model} takes at least {stages} steps, one for each size of its pyramid; "
                f"{steps} were asked for."
            )
        return arguments | {_STEPS: [(steps + stages - 1 - i) // stages for i in range(stages)]}

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """The arguments, where the machine can draw the noise between sizes at all."""
        _check_noise(pipe)
        with super().prepared(pipe, arguments) as call:
            yield call

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int | None:
        """Steps of all chunks; a distilled model can take the first chunk's twice."""
        if _STEPS not in arguments:
            return None
        of_chunk: int = sum(arguments[_STEPS])
        is_amplified = pipe.config.is_distilled and arguments.get("is_amplify_first_chunk")
        return (num_chunks(pipe, arguments) + bool(is_amplified)) * of_chunk


def _check_size(pipe: DiffusionPipeline, request: Request, stages: int) -> None:
    """Refuse a size that comes back from the smallest stage as another one, or fails there."""
    multiple = pipe.vae_scale_factor_spatial * 2 ** (stages - 1) * 2
    if request.width % multiple or request.height % multiple:
        raise RequestError(
            f"{request.model} halves its pictures {stages - 1} times, so that both sides are "
            f"multiples of {multiple}; {request.width}x{request.height} is not."
        )
    scale = request.guidance_scale
    is_guided = not pipe.config.is_distilled and (scale is None or scale > 1)
    # Of one patch the denoiser gives back a view that the pipeline's guidance cannot flatten.
    if is_guided and request.width == request.height == multiple:
        raise RequestError(
            f"{request.model} cannot guide frames of {request.width}x{request.height}: they begin "
            "as one patch. Ask for a larger --size, or --guidance 1."
        )


def _check_noise(pipe: DiffusionPipeline) -> None:
    """Refuse a CPU whose Cholesky factorization finds the covariance of that noise singular.

    It is, but for roundings, at the `gamma` of 1/3 that the released models have.
    """
    if pipe._execution_device.type != "cpu":
        return
    _, height, width = pipe.transformer.config.patch_size
    gamma, block = pipe.scheduler.config.gamma, height * width
    covariance = torch.eye(block) * (1 + gamma) - torch.ones(block, block) * gamma
    if torch.linalg.cholesky_ex(covariance + torch.eye(block) * 1e-8).info:
        raise RequestError(
            f"{type(pipe).__name__} does not run on a CPU: it cannot factor the covariance of its "
            "noise there. Use a GPU, or a model of another family: t2v models list."
        )


adapter = HeliosPyramidAdapter()
