"""A long video as a stream of frames."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.longvideo.calls import WindowCalls, detached
from t2v.longvideo.checkpoint import Checkpoints
from t2v.longvideo.denoisers import refuse_mixing_caches
from t2v.longvideo.grid import Grid
from t2v.longvideo.identity import identity_of
from t2v.longvideo.matching import matched
from t2v.longvideo.meeting import WindowState
from t2v.longvideo.noise import ShotNoise
from t2v.longvideo.rendezvous import Live, Reached, Rendezvous
from t2v.plan.endless import endless_windows, num_windows, shots_of, shown_frames
from t2v.plan.latents import pixel_frames
from t2v.plan.request import Request
from t2v.plan.windows import LongPlan, Shot
from t2v.runtime.adapter import Adapter, Frame, OnStep
from t2v.runtime.explain import explained
from t2v.zoo.spec import LatentRule

_RING_CONTEXT = 8
"""Latent frames from the other end of a ring that are decoded first, for a causal VAE to settle."""


def frames(
    pipe: DiffusionPipeline,
    adapter: Adapter,
    request: Request,
    further_arguments: dict[str, Any],
    *,
    on_step: OnStep,
    work: Path | None = None,
    resume: bool = False,
    checkpoint_s: float = 10,
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
        checkpoint_s: Seconds between two checkpoints at least; they are further apart where that
            would take more than a twentieth of the time.

    Raises:
        RequestError: The model cannot make windows, or what is to be gone on with is another run.
        GenerationError: The model failed.
        DiskError: A checkpoint cannot be written or read.
    """
    long = request.long
    assert long is not None
    refuse_mixing_caches(pipe)
    checkpoints = None
    if work is not None:
        identity = identity_of(pipe, request, further_arguments)
        checkpoints = Checkpoints(work, identity, checkpoint_s, long.prompts)
    calls = WindowCalls(pipe, adapter, request, further_arguments, long)
    run = _Run(pipe, adapter, long, calls, on_step, checkpoints)
    try:
        yield from run.frames(resume=resume)
    finally:
        pipe.maybe_free_model_hooks()


@dataclass(slots=True)
class _Run:
    pipe: DiffusionPipeline
    adapter: Adapter
    long: LongPlan
    calls: WindowCalls
    on_step: OnStep
    checkpoints: Checkpoints | None
    num_steps: int = 0

    def frames(self, *, resume: bool) -> Iterator[Frame]:
        reached = None
        if self.checkpoints is not None and resume:
            reached = self.checkpoints.reached()
        elif self.checkpoints is not None:
            self.checkpoints.begin()
        self.num_steps = reached.num_steps if reached else 0
        with explained(self.pipe):
            self.calls.encode(self.long.windows)
        self._tell(0)
        for shot in shots_of(self.long):
            yield from self._shot_frames(shot, reached)

    def _tell(self, num_steps: int) -> None:
        self.num_steps += num_steps
        if self.checkpoints is not None:
            self.checkpoints.num_steps = self.num_steps
        self.on_step(self.num_steps, max(self.num_steps, self.long.num_evaluations or 0))

    def _shot_frames(self, shot: Shot, reached: Reached | None) -> Iterator[Frame]:
        pipe = detached(self.pipe)
        with closing(self._latents(shot, reached)) as chunks:
            if not self.long.loop:
                decoded = self.adapter.decode_stream(pipe, self._settled(shot, chunks))
                for count, frame in enumerate(decoded, start=1):
                    yield frame
                    if count >= shown_frames(self.long, shot):
                        break
                return
            rule = self.long.rule
            latents, num_before = _ring(torch.cat(list(chunks), dim=2), shot, rule)
            decoded = self.adapter.decode_stream(pipe, iter([latents]))
            first = pixel_frames(rule, num_before) if num_before else 0
            yield from islice(decoded, first, first + shot.num_frames)

    def _settled(self, shot: Shot, chunks: Iterator[torch.Tensor]) -> Iterator[torch.Tensor]:
        """The latents as they are decoded: continuations are kept near what they began with."""
        if self.long.method != "continue":
            return chunks
        return matched(chunks, shot.windows[0].length, self.long.stride)

    def _latents(self, shot: Shot, reached: Reached | None) -> Generator[torch.Tensor]:
        """The latents of one shot, B C f H W, in the order of time, as they become final."""
        if self.checkpoints is None or reached is None or shot.index > reached.shot:
            yield from self._rendezvous(shot).chunks()
            return
        if shot.index < reached.shot:
            yield from self.checkpoints.latents(shot.index, _num_windows(self.long, shot))
            return
        rendezvous = self._rendezvous(shot, reached)
        try:
            yield from self.checkpoints.latents(shot.index, reached.num_out)
        except BaseException:
            rendezvous.close()
            raise
        yield from rendezvous.chunks()

    def _rendezvous(self, shot: Shot, reached: Reached | None = None) -> Rendezvous:
        long, checkpoints = self.long, self.checkpoints
        loop_latents = shot.num_latents if long.loop else None
        noise = ShotNoise(shot.seed, long.noise, loop_latents)
        source = endless_windows(long, shot) if long.endless else iter(shot.windows)
        grid = Grid(source, loop_latents=loop_latents, stride=long.stride if long.endless else 0)

        def start(index: int, state: WindowState | None) -> Live:
            return self.calls.start(grid[index], noise, state)

        keeper = None if checkpoints is None else checkpoints.of_shot(shot.index)
        rendezvous = Rendezvous(grid, start, long.order, lambda: self._tell(1), keeper)
        if reached is not None and checkpoints is not None:
            first = min(reached.windows, default=reached.num_started)
            for index in range(first):
                noise.enter(*_extent(long, shot, index))
            finals = {index: checkpoints.latents_of(shot.index, index) for index in reached.finals}
            rendezvous.restore(reached, finals)
        return rendezvous


def _num_windows(long: LongPlan, shot: Shot) -> int:
    """How many windows a shot has that is over."""
    return num_windows(long, shown_frames(long, shot)) if long.endless else len(shot.windows)


def _extent(long: LongPlan, shot: Shot, index: int) -> tuple[int, int]:
    """Start and length of a window, also of an endless video."""
    if long.endless:
        return index * long.stride, long.window
    return shot.windows[index].start, shot.windows[index].length


def _ring(latents: torch.Tensor, shot: Shot, rule: LatentRule) -> tuple[torch.Tensor, int]:
    """The latents of a loop from its first frame on, with some of the other end on each side."""
    latents = latents.roll(shot.windows[0].start, dims=2)
    context = 0 if rule.factor == rule.first == 1 else min(_RING_CONTEXT, shot.num_latents)
    before, after = latents[:, :, latents.shape[2] - context :], latents[:, :, :context]
    return torch.cat([before, latents, after], dim=2), context
