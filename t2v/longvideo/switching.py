"""Where a picture turned into another, told by its colors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_CHANGE = 0.02
"""Colors of fewer pixels than this part of the picture change with any motion."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A change that was asked for, and where it was seen."""

    asked: int
    """The first frame of the new prompt."""
    seen: int | None
    """The first frame that looks more like what follows than like what came before; None where the
    colors hardly change."""
    change: float
    """The part of the picture whose colors are others afterwards, 0 to 1."""

    def facts(self) -> dict[str, Any]:
        """For the record."""
        return {"asked": self.asked, "seen": self.seen, "change": round(self.change, 3)}


def find_switch(asked: int, start: int, colors: NDArray[np.float32]) -> Switch:
    """The one step between two constants that comes nearest to how the colors went.

    Args:
        asked: The first frame of the new prompt.
        start: The frame that the first row of `colors` is of.
        colors: Shares of colors, frames x colors.
    """
    num_frames = len(colors)
    if num_frames < 2:
        return Switch(asked, None, 0.0)
    total = np.cumsum(colors, axis=0, dtype=np.float64)
    before = np.arange(1, num_frames)
    after = num_frames - before
    means = total[:-1] / before[:, None], (total[-1] - total[:-1]) / after[:, None]
    # What a step at each place explains of the variance.
    gains = before * after * np.square(means[1] - means[0]).sum(axis=1)
    best = int(gains.argmax())
    change = float(np.abs(means[1][best] - means[0][best]).sum() / 2)
    seen = start + best + 1 if change >= LEAST_CHANGE else None
    return Switch(asked, seen, change)
