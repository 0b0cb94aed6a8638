"""Denoising windows together: each a call of the pipeline, blended after every step.

A step of a window depends on nothing but the step before of the windows that overlap with it. So it
does not matter which of those that can go on goes on next: the latents are the same to the bit.
`lockstep` takes them in turn. `wavefront` always takes the first one, so that latents become final
from the front on, and no more windows are under way than there are steps.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import torch

from t2v.errors import GenerationError
from t2v.longvideo.baton import Call, Finished
from t2v.longvideo.grid import Grid
from t2v.longvideo.meeting import WindowState
from t2v.plan.windows import Order
from t2v.runtime.layout import LatentLayout


@dataclass(slots=True)
class Live:
    """A window under way."""

    call: Call[torch.Tensor]
    """Shows a `Post` after every step, takes the blended latents, returns B C F H W."""
    layout: LatentLayout
    state: Callable[[], WindowState]
    """Where the call is, while it waits."""
    num_posted: int = 0
    num_blended: int = 0
    is_last: bool = False
    posts: dict[int, torch.Tensor] = field(default_factory=dict)
    """Step, counted from 1 -> its latents, while somebody needs them."""


StartCall: TypeAlias = Callable[[int], Live]
"""From the place of a window in its shot to its call, not running yet."""


class Rendezvous:
    """The windows of one shot, denoised together."""

    def __init__(
        self, grid: Grid, start: StartCall, order: Order, on_step: Callable[[], None]
    ) -> None:
        """Nothing runs before `chunks` is asked for.

        Args:
            grid: Which windows there are.
            start: Makes the call of a window.
            order: Which window goes on next.
            on_step: Called after each step of a window. What it raises ends all windows.
        """
        self._grid, self._start, self._order, self._on_step = grid, start, order, on_step
        self.live: dict[int, Live] = {}
        """Windows that are under way or whose last steps are still needed."""
        self.num_started = 0
        self._done: dict[int, torch.Tensor] = {}
        self._num_out = 0

    def chunks(self) -> Iterator[torch.Tensor]:
        """Latents, B C f H W, in the order of time, as they become final."""
        try:
            while True:
                while self._num_out in self._done:
                    chunk = self._done.pop(self._num_out)
                    self._num_out += 1
                    if chunk.shape[2]:
                        yield chunk
                index = self._choose()
                if index is None:
                    return
                self._advance(index)
        finally:
            self.close()

    def close(self) -> None:
        """End all calls where they are."""
        for live in self.live.values():
            live.call.close()
        self.live.clear()

    def _choose(self) -> int | None:
        """The window to go on with; None when all are done."""
        ready = [index for index in sorted(self.live) if self._is_ready(index)]
        if self._order == "lockstep":
            if self._grid.has(self.num_started):
                return self.num_started
            ready.sort(key=lambda index: self.live[index].num_posted)
        if ready:
            return ready[0]
        if self._grid.has(self.num_started):
            return self.num_started
        if any(live.num_blended < live.num_posted for live in self.live.values()):
            raise GenerationError("The windows of the plan wait for each other; this is a bug.")
        return None

    def _is_ready(self, index: int) -> bool:
        live = self.live[index]
        step = live.num_posted
        if live.num_blended == step:
            return False
        givers = self._grid.last_givers(index) if live.is_last else self._grid.givers(index)
        return all(self._has_posted(giver, step) for giver in givers)

    def _has_posted(self, index: int, step: int) -> bool:
        return index in self.live and self.live[index].num_posted >= step

    def _advance(self, index: int) -> None:
        blended = None
        if index == self.num_started:
            self.live[index] = self._start(index)
            self.num_started += 1
        else:
            blended = self._blended(index)
            self.live[index].num_blended += 1
        live = self.live[index]
        shown = live.call.send(blended)
        if isinstance(shown, Finished):
            self._done[index] = shown.result[:, :, : self._grid.owned(index)]
            live.is_last = True
        else:
            live.num_posted += 1
            live.is_last = shown.is_last
            live.posts[live.num_posted] = shown.latents
            self._on_step()
        self._drop_posts(index)

    def _blended(self, index: int) -> torch.Tensor:
        """The weighted sum over all windows on every frame, the same in each of them."""
        live = self.live[index]
        own, step = live.posts[live.num_posted], live.num_posted
        givers = self._grid.last_givers(index) if live.is_last else self._grid.givers(index)
        if givers == [index]:
            return own
        num_latents = self._grid.owned(index) if live.is_last else live.layout.num_latents
        blended = own.float().clone()
        if num_latents:
            live.layout.frames(blended, 0, num_latents).zero_()
        for giver in givers:
            weights = self._grid[giver].weights
            for overlap in self._grid.overlaps(index, giver):
                length = min(overlap.length, num_latents - overlap.own)
                if length <= 0:
                    continue
                target = live.layout.frames(blended, overlap.own, length)
                latents = self.live[giver].posts[step]
                given = live.layout.frames(latents, overlap.other, length).float()
                factors = weights[overlap.other : overlap.other + length]
                target += given * _rows(factors, live.layout, given)
        return blended.to(own.dtype)

    def _drop_posts(self, index: int) -> None:
        """Forget what everybody has blended who needs it, and windows that are done with."""
        for giver in [other for other in self._grid.givers(index) if other in self.live]:
            live = self.live[giver]
            for step in [step for step in live.posts if step <= live.num_blended]:
                if all(self._has_blended(taker, step) for taker in self._grid.takers(giver)):
                    del live.posts[step]
            if not live.posts and live.num_blended == live.num_posted and live.is_last:
                del self.live[giver]
        if self.live:
            self._grid.forget_before(min(self.live) - 1)

    def _has_blended(self, index: int, step: int) -> bool:
        if index in self.live:
            return self.live[index].num_blended >= step
        return index < self.num_started


def _rows(factors: tuple[float, ...], layout: LatentLayout, like: torch.Tensor) -> torch.Tensor:
    """Weights by frame, in float32, to be multiplied with frames that lie as the layout says."""
    values = torch.tensor(factors, dtype=torch.float32, device=like.device)
    shape = [1] * like.ndim
    shape[layout.frame_axis] = -1
    return values.repeat_interleave(layout.rows_per_frame).reshape(shape)
