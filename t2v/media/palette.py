"""A palette of 255 colors for a whole clip, and frames dithered to it in a stable pattern."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_SAMPLES = 64
SAMPLE_SIDE = 24
ROUNDS = 8
NUM_COLORS = 255
"""The last of 256 is transparent: libav then stores only the pixels that change."""
BITS = 6
"""Colors are looked up by this many bits a channel."""


def _bayer(size: int) -> NDArray[np.float32]:
    """Ordered thresholds from -0.5 to 0.5; they stay in place, so a still scene does not crawl."""
    pattern = np.zeros((1, 1))
    while len(pattern) < size:
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return ((pattern + 0.5) / pattern.size - 0.5).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors, a table from color to index, and how far dithering may push a pixel."""

    colors: NDArray[np.uint8]
    table: NDArray[np.uint8]
    strength: float

    def apply(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The index of a color for every pixel."""
        height, width = frame.shape[:2]
        tile = _bayer(8) * np.float32(self.strength)
        offsets = np.tile(tile, (height // 8 + 1, width // 8 + 1))[:height, :width, None]
        cells = np.clip(frame + offsets + 0.5, 0, 255).astype(np.uint8) >> (8 - BITS)
        red, green, blue = (cells[..., channel].astype(np.int32) for channel in range(3))
        indices: NDArray[np.uint8] = self.table[(red << 2 * BITS) | (green << BITS) | blue]
        return indices

    def argb(self) -> NDArray[np.uint32]:
        """All 256 entries as libav wants them."""
        entries = np.zeros(256, np.uint32)
        red, green, blue = self.colors.astype(np.uint32).T
        entries[: len(self.colors)] = 0xFF000000 | red << 16 | green << 8 | blue
        return entries


class PaletteSampler:
    """Keeps a bounded, evenly spread sample of a clip of unknown length."""

    def __init__(self) -> None:
        self._samples: list[NDArray[np.uint8]] = []
        self._every = 1
        self._num_frames = 0

    def look(self, frame: NDArray[np.uint8]) -> None:
        """Take note of the next frame."""
        if self._num_frames % self._every == 0:
            if len(self._samples) == MAX_SAMPLES:
                self._samples = self._samples[::2]
                self._every *= 2
            if self._num_frames % self._every == 0:
                step = max(1, min(frame.shape[:2]) // SAMPLE_SIDE)
                self._samples.append(frame[::step, ::step].reshape(-1, 3).copy())
        self._num_frames += 1

    def palette(self) -> Palette:
        """The colors that serve the sample best."""
        pixels = np.concatenate(self._samples)
        reduced = Image.fromarray(pixels[None]).quantize(NUM_COLORS, Image.Quantize.MEDIANCUT)
        listed = np.array(reduced.getpalette("RGB"), np.uint8).reshape(-1, 3)
        colors, error = _refined(listed[np.unique(np.asarray(reduced))], pixels)
        return Palette(colors, _table(colors), strength=min(3 * error, 32.0))


def _refined(
    colors: NDArray[np.uint8], pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], float]:
    """Move each color to the middle of the pixels it serves; also the mean error that is left."""
    for _ in range(ROUNDS):
        nearest = _nearest(pixels, colors)
        served = np.bincount(nearest, minlength=len(colors))
        sums = [np.bincount(nearest, channel, minlength=len(colors)) for channel in pixels.T]
        middles = np.rint(np.stack(sums, axis=1) / np.maximum(served, 1)[:, None])
        colors = np.where(served[:, None] > 0, middles, colors).astype(np.uint8)
    chosen = colors[_nearest(pixels, colors)].astype(np.float32)
    return colors, float(np.abs(chosen - pixels).mean())


def _nearest(pixels: NDArray[Any], colors: NDArray[np.uint8]) -> NDArray[np.intp]:
    known = colors.astype(np.float32)
    squares = (known**2).sum(axis=1)
    found = [
        (squares - 2 * block.astype(np.float32) @ known.T).argmin(axis=1)
        for block in np.array_split(pixels, len(pixels) // 8192 + 1)
    ]
    return np.concatenate(found)


def _table(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The nearest color of every cell of the color cube."""
    side = 1 << BITS
    width = 256 >> BITS
    levels = np.arange(side, dtype=np.float32) * width + (width - 1) / 2
    cells = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return _nearest(cells.reshape(-1, 3), colors).astype(np.uint8)
