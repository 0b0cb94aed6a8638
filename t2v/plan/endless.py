"""The shots and windows of a video without an end, which are known no earlier than they begin.

Windows are `stride` apart. A cut of the story ends a shot: the window it falls into is then the last
one, and counts for all that would have come after it. Bare numbers are latent frames of one shot.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import count

from t2v.plan.latents import latent_frames, pixel_frames
from t2v.plan.live import LivePrompts
from t2v.plan.windows import LongPlan, Shot, Span, Window, lead, weights

_NOTHING = 1e-9
"""What differences of weights are off by at most."""


def shots_of(long: LongPlan) -> Iterator[Shot]:
    """The shots of any plan, in order; those of a video without an end as they become known."""
    return endless_shots(long) if long.endless else iter(long.shots)


def endless_shots(long: LongPlan) -> Iterator[Shot]:
    """The shots. Whether there is another one is found out when the one before is made.

    Their `num_frames` is the most there can be; `shown_frames` knows of cuts.
    """
    most = long.shots[0].num_frames
    for index in count():
        openings = prompts_of(long).openings
        if index == len(openings) or openings[index].first_frame >= most:
            return
        begin, seed = openings[index]
        yield replace(
            long.shots[0], index=index, first_frame=begin, num_frames=most - begin, seed=seed
        )


def shown_frames(long: LongPlan, shot: Shot) -> int:
    """Pixel frames of a shot that are shown, as far as that is known by now."""
    end = prompts_of(long).known_end(shot.index) if long.endless else None
    return shot.num_frames if end is None else min(shot.num_frames, end)


def endless_windows(long: LongPlan, shot: Shot) -> Iterator[Window]:
    """The windows of a shot, one after another, as they are about to start.

    The prompt of each is asked for when it is taken from here, so that prompts that appear meanwhile
    count from the next window on; so is whether a cut makes it the last.
    """
    prompts = prompts_of(long)
    lengths = map(prompts.known_end, range(shot.index))
    first_index = sum(num_windows(long, length) for length in lengths if length is not None)
    for index in count():
        prompt, negative_prompt = prompts(shot.index, _middle(index * long.stride, long))
        is_last = prompts.end(shot.index, *_bounds(long, index)) is not None
        window = _window(long, shot, index, is_last=is_last)
        yield replace(
            window, index=first_index + index, prompt=prompt, negative_prompt=negative_prompt
        )
        if is_last:
            return


def windows_ahead(long: LongPlan, shot: Shot) -> Iterator[Window]:
    """The same windows, without prompts, which are not asked for: as many as there can be by now."""
    for index in count():
        end = prompts_of(long).known_end(shot.index)
        last = None if end is None else num_windows(long, end) - 1
        if last is not None and index > last:
            return
        yield _window(long, shot, index, is_last=index == last)


def num_windows(long: LongPlan, num_frames: int) -> int:
    """How many windows a shot has that a cut ends after so many pixel frames."""
    rest = latent_frames(long.rule, num_frames) - _reach(long)
    return 1 + max(0, -(-rest // long.stride))


def prompts_of(long: LongPlan) -> LivePrompts:
    """What an endless video asks for its prompts."""
    assert long.prompts is not None
    return long.prompts


def _reach(long: LongPlan) -> int:
    """Frames from a window's start that need no later one, which counts nothing on its own first."""
    return min(long.window, long.stride + 1)


def _bounds(long: LongPlan, index: int) -> tuple[int, int]:
    """The fewest and the most pixel frames of a shot whose last window has that place in it.

    The fewest of the first are given as 0: see `LivePrompts.end`.
    """
    before, most = (k * long.stride + _reach(long) for k in (index - 1, index))
    least = pixel_frames(long.rule, before) + 1 if index else 0
    return least, pixel_frames(long.rule, most)


def _middle(start: int, long: LongPlan) -> int:
    """The frame at which a window takes over, plus half of a stride."""
    return start + lead(long.window - long.stride) + (long.stride - 1) // 2 if start else 0


def _window(long: LongPlan, shot: Shot, index: int, *, is_last: bool) -> Window:
    """The window at that place in its shot, without a prompt."""
    values = _last_weights if is_last else _weights
    own = values(long.window, long.stride, index)
    return Window(index, shot.index, index * long.stride, long.window, own, "")


def _weights(length: int, stride: int, index: int) -> tuple[float, ...]:
    """What a window counts among all that can reach into it, with others to follow."""
    # From here on every window has as many neighbors as any later one.
    return _shape(length, stride, min(index, -(-length // stride)))


@cache
def _shape(length: int, stride: int, index: int) -> tuple[float, ...]:
    reach = -(-length // stride)
    starts = [k * stride for k in range(index + 2 * reach + 1)]
    placed = [Span(start, start, start + length, 0) for start in starts]
    return weights(placed, placed[-1].end, length)[index]


def _last_weights(length: int, stride: int, index: int) -> tuple[float, ...]:
    """What a window counts that is the last: all that earlier ones leave."""
    left = [1.0] * length
    for earlier in range(max(0, index - length // stride), index):
        shift = (index - earlier) * stride
        for offset, weight in enumerate(_weights(length, stride, earlier)[shift:]):
            left[offset] -= weight
    return tuple(weight if weight > _NOTHING else 0.0 for weight in left)
