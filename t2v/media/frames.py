"""One frame: from a model's floats to the integers of a file, and the hash of a whole clip."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2v.errors import GenerationError

Frame = NDArray[Any]
"""Height x width x 3, RGB: uint8, or floats from 0 to 1."""


def to_uint8(frame: Frame) -> NDArray[np.uint8]:
    """The frame in 8 bits, rounded to nearest; what is out of range is clipped, NaN becomes 0."""
    if frame.dtype == np.uint8:
        return np.ascontiguousarray(frame)
    return _quantized(frame, 255).astype(np.uint8)


def to_uint16(frame: Frame) -> NDArray[np.uint16]:
    """The frame in 16 bits; a uint8 frame is stretched so that white stays white."""
    if frame.dtype == np.uint8:
        return np.ascontiguousarray(frame).astype(np.uint16) * 257
    return _quantized(frame, 65535).astype(np.uint16)


def _quantized(frame: Frame, white: int) -> NDArray[np.float32]:
    levels = np.multiply(frame, np.float32(white), dtype=np.float32)
    np.clip(levels, 0, white, out=levels)
    np.rint(levels, out=levels)
    # NaN passes through clip and rint, and its cast to an integer is undefined.
    return np.nan_to_num(levels, copy=False, nan=0.0) if np.isnan(levels.sum()) else levels


def check_frame(frame: Frame, width: int, height: int) -> None:
    """Refuse what is no `height` x `width` RGB frame of uint8 or floats."""
    if frame.shape != (height, width, 3):
        raise GenerationError(
            f"A frame has the shape {frame.shape}; the file was opened for ({height}, {width}, 3)."
        )
    if frame.dtype != np.uint8 and not np.issubdtype(frame.dtype, np.floating):
        raise GenerationError(f"A frame is of {frame.dtype}; frames are uint8 or floats 0..1.")


class FrameHash:
    """SHA-256 of the raw 8-bit RGB frames in order: what stays the same whatever the encoder does."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def update(self, frame: Frame) -> None:
        """Add the next frame."""
        self._sha256.update(to_uint8(frame).data)

    def hexdigest(self) -> str:
        """The hash of all frames so far."""
        return self._sha256.hexdigest()
