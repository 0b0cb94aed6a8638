"""A few numbers of one frame, from a smaller copy of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""The smaller copy's shorter side is this to twice this many pixels."""
CROP = 256
"""Sharpness is measured in the middle of the frame at full size, in a square of this side."""
LEVELS = 6
"""Steps a channel that colors are counted in."""
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of BT.709."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame as the report sees it; all in 8-bit units."""

    small: NDArray[np.float32]
    """The smaller copy, height x width x 3."""
    colors: NDArray[np.float32]
    """The share of its pixels that has each of LEVELS ** 3 colors."""
    luma: float
    saturation: float
    """Largest less smallest channel, averaged."""
    contrast: float
    """Standard deviation of luma."""
    sharpness: float
    """Variance of the Laplacian of luma at full size."""

    def change_from(self, before: "Picture") -> float:
        """The mean difference of a value of the smaller copies."""
        return float(np.abs(self.small - before.small).mean())


def look(frame: NDArray[np.uint8]) -> Picture:
    """Measure a frame, height x width x 3, uint8."""
    small = shrunk(frame)
    luma = small @ LUMA
    return Picture(
        small,
        _colors(small),
        float(luma.mean()),
        float((_extreme(np.maximum, small) - _extreme(np.minimum, small)).mean()),
        float(luma.std()),
        _sharpness(frame),
    )


def shrunk(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of squares of pixels; what does not fill a square at the right and bottom is left out."""
    height, width = frame.shape[:2]
    # Rows and columns are added in 16 bits: 257 of a kind at most.
    step = min(max(min(height, width) // SIDE, 1), 257)
    rows, columns = height // step, width // step
    lines = frame[: rows * step : step, : columns * step].astype(np.uint16)
    for row in range(1, step):
        lines += frame[row : rows * step : step, : columns * step]
    squares = lines[:, ::step].astype(np.float32)
    for column in range(1, step):
        squares += lines[:, column::step]
    squares /= np.float32(step * step)
    return squares


def _extreme(choose: np.ufunc, small: NDArray[np.float32]) -> NDArray[np.float32]:
    # Ten times as fast as max(axis=2): numpy is slow along an axis of three.
    result: NDArray[np.float32] = choose(choose(small[..., 0], small[..., 1]), small[..., 2])
    return result


def _colors(small: NDArray[np.float32]) -> NDArray[np.float32]:
    levels = (small * np.float32(LEVELS / 256)).astype(np.intp)
    codes = (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]
    counts = np.bincount(codes.ravel(), minlength=LEVELS**3).astype(np.float32)
    return counts / np.float32(codes.size)


def _sharpness(frame: NDArray[np.uint8]) -> float:
    top, left = (max(side - CROP, 0) // 2 for side in frame.shape[:2])
    luma = frame[top : top + CROP, left : left + CROP].astype(np.float32) @ LUMA
    if min(luma.shape) < 3:
        return 0.0
    inner = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float((around - 4 * inner).var())
