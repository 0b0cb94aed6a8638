"""Denoising windows together: each a call of the pipeline, blended after every step.

A step of a window depends on nothing but the step before of the windows that overlap with it. So it
does not matter which of those that can go on goes on next: the latents are the same to the bit.
`lockstep` takes them in turn. `wavefront` always takes the first one, so that latents become final
from the front on, and no more windows are under way than there are steps.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

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
    """Whether its last step is posted."""
    is_done: bool = False
    """Whether its call is over."""
    posts: dict[int, torch.Tensor] = field(default_factory=dict)
    """Step, counted from 1 -> its latents, while somebody needs them."""


StartCall: TypeAlias = Callable[[int, WindowState | None], Live]
"""From the place of a window in its shot to its call, not running yet; with a state, one that goes
there without computing anything."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A window of an earlier run: under way, or done while others still needed its last steps."""

    num_posted: int
    is_last: bool
    posts: dict[int, torch.Tensor]
    state: WindowState | None
    """None where the window was done."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Where an earlier run was."""

    num_steps: int
    """Steps of all windows together."""
    shot: int
    num_out: int
    """Windows of the shot whose latents are final."""
    num_started: int
    finals: tuple[int, ...]
    """Windows whose latents are final too, but not those of all earlier ones."""
    windows: dict[int, Kept]


class Keeper(Protocol):
    """Whoever keeps what is needed to go on after a crash."""

    def put_latents(self, index: int, latents: torch.Tensor) -> None:
        """Take what a window hands on, before anybody else sees it."""

    def look(self, rendezvous: "Rendezvous", *, is_end: bool) -> None:
        """All windows wait, after a step; at the end, nothing follows."""


class Rendezvous:
    """The windows of one shot, denoised together."""

    def __init__(
        self,
        grid: Grid,
        start: StartCall,
        order: Order,
        on_step: Callable[[], None],
        keeper: Keeper | None = None,
    ) -> None:
        """Nothing runs before `chunks` is asked for.

        Args:
            grid: Which windows there are.
            start: Makes the call of a window.
            order: Which window goes on next.
            on_step: Called after each step of a window. What it raises ends all windows.
            keeper: Looks on where there is one.
        """
        self._grid, self._start, self._order, self._on_step = grid, start, order, on_step
        self._keeper = keeper
        self.live: dict[int, Live] = {}
        """Windows that are under way or whose last steps are still needed."""
        self.num_started = 0
        self.num_out = 0
        """Windows whose latents have left."""
        self.finals: dict[int, torch.Tensor] = {}
        """Window -> its latents, which wait for those of earlier ones."""

    def restore(self, reached: Reached, finals: dict[int, torch.Tensor]) -> None:
        """Go to where an earlier run was; only before anything runs."""
        self.num_out, self.num_started, self.finals = reached.num_out, reached.num_started, finals
        try:
            for index, kept in sorted(reached.windows.items()):
                self._grid.has(index)
                self._restore(index, kept)
        except BaseException:
            self.close()
            raise

    def _restore(self, index: int, kept: Kept) -> None:
        live = self._start(index, kept.state)
        live.posts, live.is_last = dict(kept.posts), kept.is_last
        live.num_posted = live.num_blended = kept.num_posted
        live.is_done = kept.state is None
        self.live[index] = live
        if not live.is_done:
            live.call.send()
            live.num_blended -= 1

    def chunks(self) -> Iterator[torch.Tensor]:
        """Latents, B C f H W, in the order of time, as they become final."""
        try:
            while (index := self._choose()) is not None:
                self._advance(index)
                chunks = self._leaving()
                if self._keeper is not None:
                    self._keeper.look(self, is_end=False)
                yield from chunks
        except BaseException:
            if self._keeper is not None and not self._is_torn:
                self._keeper.look(self, is_end=True)
            raise
        finally:
            self.close()

    def _leaving(self) -> list[torch.Tensor]:
        """What is final and next in time."""
        chunks = []
        while self.num_out in self.finals:
            chunks.append(self.finals.pop(self.num_out))
            self.num_out += 1
        return [chunk for chunk in chunks if chunk.shape[2]]

    @property
    def _is_torn(self) -> bool:
        """Whether a window was left in the middle of a step."""
        return any(
            live.num_blended == live.num_posted and not live.is_done for live in self.live.values()
        )

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
        if not all(live.is_done for live in self.live.values()):
            raise GenerationError("The windows of the plan wait for each other; this is a bug.")
        return None

    def _is_ready(self, index: int) -> bool:
        live = self.live[index]
        step = live.num_posted
        if live.is_done:
            return False
        givers = self._grid.last_givers(index) if live.is_last else self._grid.givers(index)
        return all(self._has_posted(giver, step) for giver in givers)

    def _has_posted(self, index: int, step: int) -> bool:
        return index in self.live and self.live[index].num_posted >= step

    def _advance(self, index: int) -> None:
        blended = None
        if index == self.num_started:
            self.live[index] = self._start(index, None)
            self.num_started += 1
        else:
            blended = self._blended(index)
            self.live[index].num_blended += 1
        live = self.live[index]
        shown = live.call.send(blended)
        if isinstance(shown, Finished):
            self._finish(index, shown.result[:, :, : self._grid.owned(index)])
        else:
            live.num_posted += 1
            live.is_last = shown.is_last
            live.posts[live.num_posted] = shown.latents
            self._on_step()
        self._drop_posts(index)

    def _finish(self, index: int, latents: torch.Tensor) -> None:
        # The rest of the window is not kept for the sake of a view on it.
        latents = latents.clone()
        # If this is interrupted, the window is in the middle of a step, and no checkpoint is made.
        if self._keeper is not None:
            self._keeper.put_latents(index, latents)
        self.finals[index] = latents
        self.live[index].is_last = self.live[index].is_done = True

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
            if not live.posts and live.is_done:
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
