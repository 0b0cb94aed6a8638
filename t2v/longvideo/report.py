"""What a long video looks like at its joins and from end to end, measured on its frames alone.

An `Observer` sees every frame once, in order, and keeps little of it: its memory does not grow with
the video. `python bench/long_quality.py` uses the same figures.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2v.longvideo.picture import Picture, look
from t2v.longvideo.statistics import Blocks, Distribution, Rhythm
from t2v.longvideo.switching import Switch, find_switch
from t2v.media.frames import Frame, to_uint8
from t2v.plan.windows import Join

END = 0.15
"""The part of the video at either end that drift is measured between (as FramePack's authors do)."""
MOST_LISTED = 64
"""Joins and switches that are listed one by one; the record has to fit into a file's metadata."""


@dataclass(frozen=True, slots=True)
class _Seam:
    frame: int
    mean: float
    peak: float


class Observer:
    """Measures a long video as it passes.

    Args:
        joins: Where windows meet, in order; each is read when the frames before it have come, so an
            endless video may give an endless iterator that finds out on the way.
        switches: First frames of new prompts within a shot, in order.
        reach: How many frames on either side of a switch the picture may change.
        loop: Whether the last frame goes on with the first.
    """

    def __init__(
        self,
        joins: Iterable[Join] = (),
        switches: Iterable[int] = (),
        *,
        reach: int = 16,
        loop: bool = False,
    ) -> None:
        self._joins, self._switches = iter(joins), iter(switches)
        self._reach = reach
        self._num_frames = 0
        self._join: Join | None = None
        self._switch: int | None = next(self._switches, None)
        self._inside: list[float] = []
        self._loop = loop
        self._opening: Picture | None = None
        self._previous: Picture | None = None
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=2 * reach + 1)
        self._blocks = Blocks(len(_MEASURES))
        self._elsewhere, self._at_joins = Distribution(), Distribution()
        self._seams: list[_Seam] = []
        self._worst: _Seam | None = None
        self._cuts: list[int] = []
        self._found: list[Switch] = []
        self._rhythm = Rhythm()

    def look(self, frame: Frame) -> None:
        """Take note of the next frame: height x width x 3, uint8 or floats 0..1."""
        if self._num_frames == 0:
            self._join = next(self._joins, None)
        picture = look(to_uint8(frame))
        change = 0.0 if self._previous is None else picture.change_from(self._previous)
        is_cut = self._place(change)
        is_pair = self._previous is not None and not is_cut
        self._blocks.add(
            (picture.luma, picture.saturation, picture.contrast, picture.sharpness),
            change if is_pair else None,
        )
        self._rhythm.add(picture.luma, change if is_pair else None)
        self._recent.append(picture.colors)
        self._opening = self._opening or picture
        self._previous = picture
        self._num_frames += 1
        self._settle_switches(self._num_frames - 1 - self._reach)

    def _place(self, change: float) -> bool:
        """Count the change into this frame as a join's or as one of the rest; whether it is a cut."""
        frame = self._num_frames
        if (join := self._join) is None or frame < join.first:
            if frame:
                self._elsewhere.add(change)
            return False
        if frame == join.first:
            self._rhythm.beat(frame)
        if not join.cut:
            self._inside.append(change)
        if frame >= join.last:
            self._close(join)
        return join.cut

    def _close(self, join: Join) -> None:
        """End the join; overlaps that overlap count for the earlier one."""
        if join.cut:
            self._cuts = [*self._cuts, join.first][:MOST_LISTED]
        elif self._inside:
            seam = _Seam(join.first, float(np.mean(self._inside)), max(self._inside))
            self._at_joins.add(seam.mean)
            if len(self._seams) < MOST_LISTED:
                self._seams.append(seam)
            if self._worst is None or seam.mean > self._worst.mean:
                self._worst = seam
        self._inside = []
        self._join = next(self._following(join.last), None)

    def _following(self, last: int) -> Iterator[Join]:
        for join in self._joins:
            if join.last > last:
                yield Join(max(join.first, last + 1), join.last, join.cut)

    def _settle_switches(self, frame: int) -> None:
        """Look for the picture's own switch as soon as all frames that may show it are there."""
        while self._switch is not None and self._switch <= frame:
            if len(self._found) < MOST_LISTED:
                start = self._num_frames - len(self._recent)
                self._found.append(find_switch(self._switch, start, np.stack(self._recent)))
            self._switch = next(self._switches, None)

    def report(self) -> dict[str, Any]:
        """The figures so far, for the record; JSON-ready."""
        if self._inside and self._join is not None:
            self._close(self._join)
        if self._num_frames:
            self._settle_switches(self._num_frames - 1)
        first, last = self._blocks.ends(END)
        mean = self._blocks.mean()
        return {
            "seams": self._seam_facts(),
            "drift_percent": {
                name: round(100 / 255 * (end - beginning), 3)
                for name, beginning, end in zip(_MEASURES[:3], first, last, strict=False)
            },
            "dynamic_degree": round(self._blocks.mean_change(), 4),
            "sharpness": {
                "mean": round(mean[3], 2),
                "first": round(first[3], 2),
                "last": round(last[3], 2),
            },
            "flicker": self._rhythm.facts(),
            "cuts": self._cuts,
            "switches": [switch.facts() for switch in self._found],
        }

    def _seam_facts(self) -> dict[str, Any]:
        usual = self._elsewhere.median() or self._at_joins.median()
        opening, closing = self._opening, self._previous
        around = (
            {"loop": _ratio(opening.change_from(closing), usual)}
            if (self._loop and opening and closing)
            else {}
        )
        return {
            "joins": self._at_joins.count,
            "usual_change": round(usual, 4),
            "ratio": _ratio(self._at_joins.mean(), usual),
            "worst": self._worst and _ratio(self._worst.mean, usual),
            "worst_frame": self._worst and self._worst.frame,
            "each": [
                {
                    "frame": seam.frame,
                    "ratio": _ratio(seam.mean, usual),
                    "peak": _ratio(seam.peak, usual),
                }
                for seam in self._seams
            ],
            **around,
        }


_MEASURES = ("luma", "saturation", "contrast", "sharpness")


def _ratio(change: float, usual: float) -> float | None:
    """How many times the usual change; None where nothing moves at all elsewhere."""
    return round(change / usual, 3) if usual > 0 else None
