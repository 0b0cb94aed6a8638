"""Where the windows of a plan meet, and where its prompts change, in pixel frames of the video."""

from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile

from t2v.plan.endless import shots_of, shown_frames, windows_ahead
from t2v.plan.latents import first_pixel
from t2v.plan.windows import Join, LongPlan, Shot, Window


def joins(long: LongPlan) -> Iterator[Join]:
    """The joins of a video in order: of windows within a shot, and the cuts between shots.

    A join is as long as two windows count at once. An endless video has endless joins; what cuts
    there are is looked up when the next join is asked for, which is when the frames before it are
    made.
    """
    for shot in shots_of(long):
        if shot.index:
            yield Join(shot.first_frame, shot.first_frame, cut=True)
        for before, after in pairwise(_windows(long, shot)):
            begin = after.start + _counting(after)[0]
            end = before.start + _counting(before)[-1] + 1
            if join := _visible(long, shot, begin, max(begin, end)):
                yield join


def switches(long: LongPlan) -> list[int]:
    """The first frames of new prompts within shots; none of an endless video, which is not told."""
    return [
        frame
        for shot in long.shots
        for before, after in pairwise(shot.windows)
        if (before.prompt, before.negative_prompt) != (after.prompt, after.negative_prompt)
        and (frame := _pixel(long, shot, _crossing(before, after))) is not None
    ]


def _windows(long: LongPlan, shot: Shot) -> Iterable[Window]:
    if not long.endless:
        return shot.windows
    windows = windows_ahead(long, shot)
    return takewhile(lambda window: _offset(long, window.start) < shot.num_frames, windows)


def _counting(window: Window) -> list[int]:
    return [offset for offset, weight in enumerate(window.weights) if weight > 0]


def _crossing(before: Window, after: Window) -> int:
    """The first latent frame on which the later window counts more."""
    earlier = {before.start + offset: weight for offset, weight in enumerate(before.weights)}
    return next(
        after.start + offset
        for offset in _counting(after)
        if after.weights[offset] > earlier.get(after.start + offset, 0)
    )


def _visible(long: LongPlan, shot: Shot, begin: int, end: int) -> Join | None:
    first = _pixel(long, shot, begin)
    if first is None:
        return None
    shown_last = shot.first_frame + shown_frames(long, shot) - 1
    return Join(first, min(shot.first_frame + _offset(long, end), shown_last))


def _pixel(long: LongPlan, shot: Shot, latent: int) -> int | None:
    """The video's frame that a latent frame of the shot begins with; None outside what is shown."""
    offset = _offset(long, latent)
    return shot.first_frame + offset if 0 < offset < shown_frames(long, shot) else None


def _offset(long: LongPlan, latent: int) -> int:
    # On a ring every latent frame has as many pixel frames as the next.
    return long.rule.factor * latent if long.loop else first_pixel(long.rule, max(latent, 0))
