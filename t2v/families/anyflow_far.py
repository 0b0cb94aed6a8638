"""AnyFlow FAR: the flow map chunk by chunk, each attending to those before it through a cache."""

from itertools import accumulate
from typing import Any

from diffusers import DiffusionPipeline

from t2v.families.wan import WanAdapter
from t2v.plan.latents import first_pixel
from t2v.plan.request import Request
from t2v.plan.windows import Join, touching
from t2v.runtime.pipeline import SelfContinuingAdapter
from t2v.zoo.spec import LatentRule


class AnyFlowFARAdapter(SelfContinuingAdapter, WanAdapter):
    """Text to video of any length with the causal checkpoints of AnyFlow."""

    family = "anyflow_far"
    pipelines = ("AnyFlowFARPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`, with the chunks of a clip that has not the trained length."""
        arguments = super().call_arguments(pipe, request)
        trained = list(pipe.transformer.config.chunk_partition)
        chunks = _partition(pipe, request.num_frames)
        return arguments if chunks == trained else arguments | {"chunk_partition": chunks}

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int | None:
        """Steps of all chunks."""
        steps: int | None = arguments.get("num_inference_steps")
        return None if steps is None else len(_chunks(pipe, arguments)) * steps

    def joins(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> tuple[Join, ...]:
        """Where the chunks touch."""
        rule = LatentRule(factor=pipe.vae_scale_factor_temporal)
        ends = accumulate(_chunks(pipe, arguments))
        return touching([first_pixel(rule, end) for end in ends][:-1])


def _chunks(pipe: DiffusionPipeline, arguments: dict[str, Any]) -> list[int]:
    """Latent frames of each chunk of a call."""
    trained: list[int] = pipe.transformer.config.chunk_partition
    return arguments.get("chunk_partition") or trained


def _partition(pipe: DiffusionPipeline, num_frames: int) -> list[int]:
    """Latent frames of each chunk: the first and the later ones as long as they were in training."""
    first, later, *_ = pipe.transformer.config.chunk_partition
    left = (num_frames - 1) // pipe.vae_scale_factor_temporal + 1 - first
    whole, rest = divmod(left, later)
    return [first, *[later] * whole, *([rest] if rest else [])]


adapter = AnyFlowFARAdapter()
