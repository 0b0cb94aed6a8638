"""A long video as a stream of frames."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.longvideo.calls import WindowCalls, detached
from t2v.longvideo.denoisers import refuse_mixing_caches
from t2v.longvideo.grid import Grid
from t2v.longvideo.noise import ShotNoise
from t2v.longvideo.rendezvous import Live, Rendezvous
from t2v.plan.latents import pixel_frames
from t2v.plan.request import Request
from t2v.plan.windows import LongPlan, Shot, Window, endless_windows
from t2v.runtime.adapter import Adapter, Frame, OnStep
from t2v.runtime.explain import explained
from t2v.zoo.spec import LatentRule

_RING_CONTEXT = 8
"""Latent frames from the other end of a ring that are decoded first, for a causal VAE to settle."""


@dataclass(slots=True)
class _Counter:
    """Steps of all windows, for whoever listens."""

    on_step: OnStep
    of: int
    done: int = 0

    def step(self) -> None:
        self.done += 1
        self.on_step(self.done, max(self.done, self.of))


def frames(
    pipe: DiffusionPipeline,
    adapter: Adapter,
    request: Request,
    further_arguments: dict[str, Any],
    *,
    on_step: OnStep,
    work: Path | None = None,
    resume: bool = False,
) -> Iterator[Frame]:
    """The frames of a request that is longer than a clip, as they become final.

    Args:
        pipe: The loaded pipeline; it is as before when the frames end, or are closed.
        adapter: Of its family.
        request: With a plan in `long`, by windows.
        further_arguments: Of the pipeline's call.
        on_step: Called as `on_step(step, of)`, with steps of all windows counted together; `of` is
            what was done where nobody knows the end. What it raises ends the run.
        work: A folder for what is needed to go on after a crash; None to go without.
        resume: Whether to go on from there.
    """
    long = request.long
    assert long is not None
    refuse_mixing_caches(pipe)
    calls = WindowCalls(pipe, adapter, request, further_arguments, long.rule)
    with explained(pipe):
        calls.encode(long.windows)
    counter = _Counter(on_step, long.num_evaluations or 0)
    on_step(0, counter.of)
    try:
        for shot in long.shots:
            yield from _shot_frames(pipe, adapter, long, shot, calls, counter)
    finally:
        pipe.maybe_free_model_hooks()


def _shot_frames(
    pipe: DiffusionPipeline,
    adapter: Adapter,
    long: LongPlan,
    shot: Shot,
    calls: WindowCalls,
    counter: _Counter,
) -> Iterator[Frame]:
    chunks = shot_latents(long, shot, calls, counter.step)
    with closing(chunks):
        if not long.loop:
            decoded = adapter.decode_stream(detached(pipe), chunks)
            yield from islice(decoded, shot.num_frames)
            return
        latents, num_before = _ring(torch.cat(list(chunks), dim=2), shot, long.rule)
        decoded = adapter.decode_stream(detached(pipe), iter([latents]))
        first = pixel_frames(long.rule, num_before) if num_before else 0
        yield from islice(decoded, first, first + shot.num_frames)


def _ring(latents: torch.Tensor, shot: Shot, rule: LatentRule) -> tuple[torch.Tensor, int]:
    """The latents of a loop from its first frame on, with some of the other end on each side."""
    latents = latents.roll(shot.windows[0].start, dims=2)
    context = 0 if rule.factor == rule.first == 1 else min(_RING_CONTEXT, shot.num_latents)
    before, after = latents[:, :, latents.shape[2] - context :], latents[:, :, :context]
    return torch.cat([before, latents, after], dim=2), context


def shot_latents(
    long: LongPlan, shot: Shot, calls: WindowCalls, on_step: Callable[[], None]
) -> Any:
    """The latents of one shot, B C f H W, in the order of time, as they become final."""
    loop_latents = shot.num_latents if long.loop else None
    noise = ShotNoise(shot.seed, long.noise, loop_latents)
    source: Iterator[Window] = endless_windows(long) if long.endless else iter(shot.windows)
    grid = Grid(source, loop_latents=loop_latents, stride=long.stride if long.endless else 0)

    def start(index: int) -> Live:
        return calls.start(grid[index], noise)

    return Rendezvous(grid, start, long.order, on_step).chunks()
