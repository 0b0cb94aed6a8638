"""LTX-Video 0.9.8 in its own way to long clips: windows that each begin with the tail of the last."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler
from diffusers.schedulers import LTXEulerAncestralRFScheduler
from diffusers.utils.torch_utils import randn_tensor

from t2v.families.ltx import LTXAdapter
from t2v.plan.latents import first_pixel
from t2v.plan.request import Request
from t2v.plan.windows import Join
from t2v.runtime.adapter import Frame, Latents
from t2v.runtime.pipeline import SelfContinuingAdapter
from t2v.zoo.spec import LatentRule

_WINDOW, _OVERLAP = 80, 24
"""Pixel frames: the pipeline's own defaults."""


class LTXLongAdapter(SelfContinuingAdapter, LTXAdapter):
    """Text to video of any length with the distilled LTX-Video 0.9.8.

    One call makes windows of 80 frames one after another. Each sees the last 24 frames of the one
    before at half strength, and is drawn by a quarter towards the statistics of the first.
    """

    family = "ltx_long"
    takes_lists = False
    pipelines = ("LTXI2VLongMultiPromptPipeline",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)`: one prompt for all windows, and the last step with the others.

        The pipeline splits a plain prompt at every bar, prefers its own seed to a generator, and
        leaves out the last of its timesteps, which is 0 only where it is given sigmas: asked for a
        number of steps, it would leave noise in the picture.
        """
        arguments = super().call_arguments(pipe, request)
        flow = FlowMatchEulerDiscreteScheduler.from_config(pipe.scheduler.config)
        flow.set_timesteps(arguments.get("num_inference_steps", 8))
        return arguments | {
            "prompt_segments": [{"start_window": 0, "end_window": 0, "text": request.prompt}],
            "seed": None,
            "sigmas": flow.sigmas.tolist(),
            # It shows a callback the latents of the whole video, and takes them back for a window's.
            "callback_on_step_end_tensor_inputs": [],
            # In one piece: its blending of tiles is another thing than that of the VAE itself.
            "decode_horizontal_tiles": 1,
            "decode_vertical_tiles": 1,
        }

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """The call on the scheduler that the pipeline is made for; repositories have another.

        The 0 at the end is added to sigmas of an entry, which are as many as there are steps.
        """
        own = pipe.scheduler
        if not isinstance(own, LTXEulerAncestralRFScheduler):
            pipe.scheduler = LTXEulerAncestralRFScheduler.from_config(own.config)
        try:
            yield arguments | {"sigmas": _to_zero(arguments["sigmas"])}
        finally:
            pipe.scheduler = own

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int | None:
        """Steps of all windows."""
        return len(_windows(pipe, arguments)) * (len(_to_zero(arguments["sigmas"])) - 1)

    def joins(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> tuple[Join, ...]:
        """Where windows are blended: on the latents that both have."""
        rule = LatentRule(factor=pipe.vae_temporal_compression_ratio)
        return tuple(
            Join(first_pixel(rule, after.start), first_pixel(rule, before.stop))
            for before, after in pairwise(_windows(pipe, arguments))
        )

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """In the VAE's range, with the last latent twice and the noise that the decoder expects."""
        vae = pipe.vae
        latents = pipe._denormalize_latents(
            latents.float(), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(vae.dtype)
        latents = torch.cat([latents, latents[:, :, -1:]], dim=2)
        if not vae.config.timestep_conditioning:
            return latents
        scale = torch.tensor([arguments["decode_noise_scale"]]).to(latents)
        noise = randn_tensor(
            latents.shape,
            generator=arguments.get("generator"),
            device=latents.device,
            dtype=latents.dtype,
        )
        return (1 - scale) * latents + scale * noise

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of all latents; those of the repeated last one are dropped."""
        held: deque[Frame] = deque()
        for frame in super().decode(pipe, latents):
            held.append(frame)
            if len(held) > pipe.vae_temporal_compression_ratio:
                yield held.popleft()


def _windows(pipe: DiffusionPipeline, arguments: dict[str, Any]) -> list[range]:
    """The latent frames of each window of a call."""
    ratio = pipe.vae_temporal_compression_ratio
    num_latents = (arguments["num_frames"] - 1) // ratio + 1
    window = arguments.get("temporal_tile_size", _WINDOW) // ratio
    stride = window - arguments.get("temporal_overlap", _OVERLAP) // ratio
    count = 1 + max(0, -(-(num_latents - window) // stride))
    starts = range(0, count * stride, stride)
    return [range(start, min(start + window, num_latents)) for start in starts]


def _to_zero(sigmas: list[float]) -> list[float]:
    return sigmas if sigmas[-1] == 0 else [*sigmas, 0.0]


adapter = LTXLongAdapter()
