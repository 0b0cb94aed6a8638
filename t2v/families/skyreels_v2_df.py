"""SkyReels-V2 diffusion forcing: every latent frame has its own noise level, so clips go on."""

import math
from collections.abc import Generator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.torch_utils import get_module_execution_device

from t2v.errors import RequestError
from t2v.families.wan import WanAdapter
from t2v.plan.latents import first_pixel, latent_frames
from t2v.plan.windows import Join, touching
from t2v.runtime.pipeline import SelfContinuingAdapter
from t2v.zoo.spec import LatentRule


class SkyReelsV2DFAdapter(SelfContinuingAdapter, WanAdapter):
    """Text to video of any length with the diffusion forcing checkpoints of SkyReels-V2.

    A request above `base_num_frames` is one call all the same: segments of that length, each
    beginning with the last `overlap_history` frames of the one before, slightly noised by
    `addnoise_condition`. The three are in an entry's `defaults.call`.
    """

    family = "skyreels_v2_df"
    takes_lists = False
    pipelines = ("SkyReelsV2DiffusionForcingPipeline",)

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """The arguments, once they fit; the noise on the history follows from the seed."""
        block = arguments.get("causal_block_size") or pipe.transformer.config.num_frame_per_block
        _check_blocks(pipe, arguments, block)
        own = pipe.transformer.config.num_frame_per_block
        # The pipeline draws that noise without its generator, and leaves the block size behind.
        device = get_module_execution_device(pipe.transformer)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            if "generator" in arguments:
                torch.manual_seed(arguments["generator"].initial_seed())
            try:
                yield arguments
            finally:
                pipe.transformer._set_ar_attention(own)

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int | None:
        """Steps of all segments; None for a clip of one, or where blocks lag behind each other."""
        steps: int | None = arguments.get("num_inference_steps")
        segments = _segments(pipe, arguments)
        return None if steps is None or arguments.get("ar_step") else len(segments) * steps

    def joins(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> tuple[Join, ...]:
        """Where the repeated frames of each segment end."""
        rule = LatentRule(factor=pipe.vae_scale_factor_temporal)
        segments = _segments(pipe, arguments)
        overlap = latent_frames(rule, arguments["overlap_history"]) if segments[1:] else 0
        ends = accumulate(segments, lambda end, length: end + length - overlap)
        return touching([first_pixel(rule, end) for end in ends][:-1])


def _segments(pipe: DiffusionPipeline, arguments: dict[str, Any]) -> list[int]:
    """Latent frames of each segment of the clip, the repeated ones included."""
    ratio = pipe.vae_scale_factor_temporal
    total = (arguments["num_frames"] - 1) // ratio + 1
    base, overlap = arguments.get("base_num_frames"), arguments.get("overlap_history")
    if not base or not overlap or arguments["num_frames"] <= base:
        return [total]
    base, overlap = (base - 1) // ratio + 1, (overlap - 1) // ratio + 1
    count = 1 + math.ceil((total - base) / (base - overlap))
    last = total - (count - 1) * (base - overlap)
    return [*[base] * (count - 1), last]


def _check_blocks(pipe: DiffusionPipeline, arguments: dict[str, Any], block: int) -> None:
    """Refuse a clip whose last frames would stay noise (diffusers issue 13609)."""
    if any(length % block for length in _segments(pipe, arguments)):
        ratio = pipe.vae_scale_factor_temporal
        below = max(((arguments["num_frames"] - 1) // ratio + 1) // block, 1) * block
        counts = [(latents - 1) * ratio + 1 for latents in (below, below + block)]
        raise RequestError(
            f"{arguments['num_frames']} frames are no whole number of blocks of {block} latents, "
            f"and the rest would stay noise. Ask for --num-frames {counts[0]} or {counts[1]}, "
            "or leave causal_block_size out."
        )


adapter = SkyReelsV2DFAdapter()
