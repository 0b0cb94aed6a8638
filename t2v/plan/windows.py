"""What a long video is made of: shots, their windows, and how much each window counts where.

Everything here counts latent frames of one shot unless it says pixel frames. The grid is balanced:
no more windows than a fixed stride takes, spread evenly. Where the prompt changes, the middle of an
overlap lies on the change. Weights are half-open ramps: the first frame of every later window counts
nothing, so that what a model makes of the opening of a clip is never seen inside a video.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from t2v.plan.live import LivePrompts
from t2v.zoo.spec import LatentRule

Method = Literal["windows", "continue", "cut"]
Order = Literal["lockstep", "wavefront"]


@dataclass(frozen=True, slots=True)
class Window:
    """One call of the pipeline, in latent frames of its shot."""

    index: int
    """Counted over the whole video."""
    shot: int
    start: int
    """Its first latent frame; latent 0 is the shot's first. Never less than that of the window
    before, a multiple of `LatentRule.patch`. On a loop, frames are taken modulo `num_latents`."""
    length: int
    """The same for all windows of a shot: the model's native latents, or all of a shorter shot."""
    weights: tuple[float, ...]
    """`length` of them. Over all windows of the shot they sum to 1 on every frame; the first of
    every later window is 0 (of every window on a loop). A window may count nothing on more frames
    at its ends: its prompt holds for less than its length."""
    prompt: str
    negative_prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """What is shown without a cut: latents and noise of its own, decoded by itself."""

    index: int
    first_frame: int
    """In pixel frames of the video."""
    num_frames: int
    """In pixel frames: what is shown. Its latents decode to as many or a few more; the rest is
    dropped. On a loop they are `factor * num_latents`: decoding begins with some latents from the
    end of the ring, whose frames are dropped."""
    num_latents: int
    seed: int
    windows: tuple[Window, ...]
    """Empty in an endless video, whose windows `t2v.plan.endless` makes."""


@dataclass(frozen=True, slots=True)
class LongPlan:
    """How a video is made that is no plain clip. Windows and counts are in latent frames."""

    method: Method
    """`windows`: denoised together and blended. `continue`: one after another, each from the tail
    of the last. `cut`: shots, each a plain clip. A model's own way is a plain call, without a plan."""
    reason: str
    """Why this method, in a few words."""
    order: Order
    noise: str
    """`independent`, `freenoise` or `mixed:A` with A from 0 to 1."""
    rule: LatentRule
    window: int
    """Latent frames of a window."""
    overlap: int
    """Latent frames that neighbors share at least, but where a prompt holds for less."""
    stride: int
    """`window - overlap`, a multiple of the patch: how far windows are apart at most."""
    shots: tuple[Shot, ...]
    loop: bool = False
    endless: bool = False
    """Whether `t2v.plan.endless` makes shots and windows, until `shots[0].num_frames` frames are made."""
    num_evaluations: int | None = None
    """Windows times steps; None where the steps are the pipeline's own or the end is open."""
    prompts: LivePrompts | None = field(default=None, compare=False, repr=False)
    """Where an endless video asks for the prompt of its next window, and for cuts."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of all shots, in order."""
        return tuple(window for shot in self.shots for window in shot.windows)

    @property
    def cost(self) -> float | None:
        """Latent frames computed for each one that is shown: 1 for a native clip."""
        computed = sum(window.length for window in self.windows)
        return computed / sum(shot.num_latents for shot in self.shots) if computed else None


@dataclass(frozen=True, slots=True)
class Join:
    """Where one window gives way to the next, in pixel frames of the video.

    `first` to `last` are the frames, inclusive, whose change from the frame before belongs to the
    join: the overlap of two windows, or a single frame where windows only touch.
    """

    first: int
    last: int
    cut: bool = False
    """Whether a new shot begins here, so that the jump is meant."""


def touching(starts: Iterable[int]) -> tuple[Join, ...]:
    """The joins of pieces that share no frame, from the first frame of each but the first."""
    return tuple(Join(start, start) for start in starts)


class Span(NamedTuple):
    """Where a window lies, and from where to where it counts."""

    start: int
    begin: int
    end: int
    segment: int
    """Which prompt, in the order of the shot's."""


def spans(
    num_latents: int,
    length: int,
    overlap: int,
    *,
    patch: int = 1,
    switches: Sequence[int] = (),
    loop: bool = False,
) -> list[Span]:
    """Place the windows of one shot.

    Args:
        num_latents: Of the shot; at least `length`, and more by a multiple of `patch`.
        length: Of a window.
        overlap: That neighbors share at least; less than `length`.
        patch: Starts are its multiples.
        switches: Where a new prompt begins, ascending, strictly inside the shot.
        loop: Whether the end goes on with the beginning; begins may then be negative.
    """
    bounds = [0, *switches, num_latents]
    ramps = [_ramp(bounds, index, overlap, loop=loop) for index in range(len(bounds))]
    lowest, highest = (-length, num_latents) if loop else (0, num_latents - length)
    stride = max(patch, (length - overlap) // patch * patch)
    placed = []
    for segment in range(len(bounds) - 1):
        begin = bounds[segment] - lead(ramps[segment])
        end = bounds[segment + 1] + ramps[segment + 1] - lead(ramps[segment + 1])
        low, high = max(lowest, end - length), min(begin, highest)
        starts = _single(low, high, patch) or _grid(begin, end - length, stride, patch)
        placed += [
            Span(start, max(begin, start), min(end, start + length), segment) for start in starts
        ]
    return placed


def weights(
    placed: Sequence[Span], num_latents: int, length: int, *, loop: bool = False
) -> list[tuple[float, ...]]:
    """How much each window counts on each of its frames; 1 in all on every frame of the shot."""
    raw = [_raw(placed, index, num_latents, length, loop=loop) for index in range(len(placed))]
    totals = [0.0] * num_latents
    for span, values in zip(placed, raw, strict=True):
        for offset, value in enumerate(values):
            totals[(span.start + offset) % num_latents] += value
    return [
        tuple(
            value / totals[(span.start + offset) % num_latents]
            for offset, value in enumerate(values)
        )
        for span, values in zip(placed, raw, strict=True)
    ]


def lead(overlap: int) -> int:
    """How far an overlap begins before its middle, so that the new window leads from there on."""
    return overlap // 2 + 1 if overlap else 0


def _ramp(bounds: Sequence[int], index: int, overlap: int, *, loop: bool) -> int:
    """The overlap at a bound: no longer than the prompts on both sides hold."""
    last = len(bounds) - 1
    if index in (0, last):
        if not loop:
            return 0
        return min(overlap, bounds[1] - bounds[0], bounds[last] - bounds[last - 1])
    return min(overlap, bounds[index] - bounds[index - 1], bounds[index + 1] - bounds[index])


def _single(low: int, high: int, patch: int) -> list[int]:
    """The start of one window that covers everything: in the middle of where it can be."""
    start = (low + high) // 2 // patch * patch
    start += patch if start < low else 0
    return [start] if low <= start <= high else []


def _grid(begin: int, last: int, stride: int, patch: int) -> list[int]:
    """Starts from at most `begin` to at least `last`, evenly, at most `stride` apart."""
    first, final = begin // patch, -(-last // patch)
    steps = -(-(final - first) * patch // stride)
    return [
        patch * (first + (2 * k * (final - first) + steps) // (2 * steps)) for k in range(steps + 1)
    ]


def _raw(
    placed: Sequence[Span], index: int, num_latents: int, length: int, *, loop: bool
) -> list[float]:
    """Rising over what is shared with the window before, falling over that with the next."""
    span = placed[index]
    before, after = _neighbors(placed, index, num_latents, loop=loop)
    values = [0.0] * length
    for frame in range(span.begin, span.end):
        value = 1.0
        if frame < before:
            value *= (frame - span.begin) / (before - span.begin)
        if frame >= after:
            value *= 1 - (frame - after) / (span.end - after)
        values[frame - span.start] = value
    return values


def _neighbors(
    placed: Sequence[Span], index: int, num_latents: int, *, loop: bool
) -> tuple[int, int]:
    """Where the window before ends and where the next one begins."""
    before, after = placed[index - 1].end, placed[(index + 1) % len(placed)].begin
    if index == 0:
        before = before - num_latents if loop else placed[0].begin
    if index == len(placed) - 1:
        after = after + num_latents if loop else placed[-1].end
    return before, after
