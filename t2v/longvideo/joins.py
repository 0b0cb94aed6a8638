"""Where the windows of a plan meet, and where its prompts change, in pixel frames of the video."""

from collections.abc import Iterable, Iterator, Sequence
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
        for number, (before, after) in enumerate(pairwise(shot.windows), start=1)
        if (before.prompt, before.negative_prompt) != (after.prompt, after.negative_prompt)
        and (frame := _pixel(long, shot, _crossing(shot.windows, number))) is not None
    ]


def _windows(long: LongPlan, shot: Shot) -> Iterable[Window]:
    if not long.endless:
        return shot.windows
    windows = windows_ahead(long, shot)
    return takewhile(lambda window: _offset(long, window.start) < shot.num_frames, windows)


def _counting(window: Window) -> list[int]:
    return [offset for offset, weight in enumerate(window.weights) if weight > 0]


def _crossing(windows: Sequence[Window], number: int) -> int:
    """The first latent frame on which the windows from a number on count more than those before."""
    first = windows[number]
    last = first.start + first.length - 1
    totals = dict.fromkeys(range(first.start, last + 1), 0.0)
    later = (windows[index] for index in range(number, len(windows)))
    for window in takewhile(lambda window: window.start <= last, later):
        for offset, weight in enumerate(window.weights[: last + 1 - window.start]):
            totals[window.start + offset] += weight
    return next((latent for latent, total in totals.items() if total > 0.5), last)


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
