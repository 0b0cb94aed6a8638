"""Looks at every frame on its way to the file: is this a video, or a run that went wrong?

Diffusion pipelines do not check what they decode; a NaN becomes a black frame without a word.
The checks look at one pixel in sixteen, except that NaN is looked for everywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2v.errors import GenerationError
from t2v.media.frames import Frame

STRIDE = 4
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)

BLACK_MEAN, BLACK_DEVIATION = 2.0, 1.0
FLAT_DEVIATION = 1.0
SHARE_OF_BAD_FRAMES = 0.9
SHARE_OF_IDENTICAL_FRAMES = 0.95
"""A model asked for a still scene still decodes small differences; equal bits mean that it hangs."""
SHARE_OF_CLIPPED_VALUES = 0.9
CLIPPED_ROUGHNESS = 25.0
"""Drawings with pure colors are clipped too, but have few edges; an overflow is noise."""


class NonFiniteFrame(GenerationError):  # noqa: N818 - it names the frame, and is caught to decode again
    """A decoded frame has NaN or infinite values."""


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What the guard saw of a whole clip."""

    suspect: tuple[str, ...]
    """Why the clip looks broken, each reason a short phrase; empty for a good one."""
    statistics: dict[str, Any]
    """Numbers for the record, in 8-bit units; JSON-ready."""


class Guard:
    """Counts broken frames and keeps running statistics; memory does not grow with the clip."""

    def __init__(self) -> None:
        self._num_frames = 0
        self._counts = dict.fromkeys(("nonfinite", "black", "flat", "identical", "saturated"), 0)
        self._sums = dict.fromkeys(("luma", "deviation", "saturation", "clipped", "motion"), 0.0)
        self._luma_range = (255.0, 0.0)
        self._motion_max = 0.0
        self._previous: NDArray[np.float32] | None = None

    def look(self, frame: Frame, *, strict_finite: bool = False) -> None:
        """Take note of the next frame, uint8 or floats 0..1.

        Args:
            frame: Height x width x 3.
            strict_finite: Raise NonFiniteFrame at the first NaN or infinity instead of counting it.
        """
        if not is_finite(frame):
            if strict_finite:
                raise NonFiniteFrame(
                    f"Frame {self._num_frames} has NaN or infinite values. "
                    "The decoder overflowed: try --dtype float32."
                )
            self._counts["nonfinite"] += 1
        pixels = _sample(frame)
        self._look_at(pixels)
        self._compare(pixels)
        self._previous = pixels
        self._num_frames += 1

    def _look_at(self, pixels: NDArray[np.float32]) -> None:
        luma = pixels @ LUMA
        mean, deviation = float(luma.mean()), float(luma.std())
        spread = float(pixels.reshape(-1, 3).std(axis=0).max())
        clipped = float(np.mean((pixels < 0.5) | (pixels > 254.5)))
        black = mean < BLACK_MEAN and spread < BLACK_DEVIATION
        self._counts["black"] += black
        self._counts["flat"] += spread < FLAT_DEVIATION and not black
        self._counts["saturated"] += (
            clipped > SHARE_OF_CLIPPED_VALUES and _roughness(luma) > CLIPPED_ROUGHNESS
        )
        self._sums["luma"] += mean
        self._sums["deviation"] += deviation
        self._sums["saturation"] += float(np.mean(pixels.max(axis=2) - pixels.min(axis=2)))
        self._sums["clipped"] += clipped
        self._luma_range = (min(self._luma_range[0], mean), max(self._luma_range[1], mean))

    def _compare(self, pixels: NDArray[np.float32]) -> None:
        if self._previous is None or self._previous.shape != pixels.shape:
            return
        motion = float(np.mean(np.abs(pixels - self._previous)))
        self._counts["identical"] += motion == 0
        self._sums["motion"] += motion
        self._motion_max = max(self._motion_max, motion)

    def report(self) -> GuardReport:
        """The verdict on the frames so far."""
        return GuardReport(tuple(self._reasons()), self._statistics())

    def _reasons(self) -> list[str]:
        num_frames, counts = self._num_frames, self._counts
        if num_frames == 0:
            return ["no frames"]
        reasons = []
        if counts["nonfinite"]:
            reasons.append(
                f"NaN or infinite values in {counts['nonfinite']} of {num_frames} frames"
            )
        enough = SHARE_OF_BAD_FRAMES * num_frames
        if counts["black"] > enough:
            reasons.append("all black")
        elif counts["black"] + counts["flat"] > enough:
            reasons.append("flat: every frame is one color")
        elif num_frames > 2 and counts["identical"] > SHARE_OF_IDENTICAL_FRAMES * (num_frames - 1):
            reasons.append("frozen: the frames are the same to the last bit")
        if counts["saturated"] > enough:
            reasons.append("saturated: nearly every value is at its limit")
        return reasons

    def _statistics(self) -> dict[str, Any]:
        num_frames = max(self._num_frames, 1)
        num_pairs = max(self._num_frames - 1, 1)
        return {
            "mean_luma": round(self._sums["luma"] / num_frames, 3),
            "min_luma": round(self._luma_range[0], 3) if self._num_frames else 0.0,
            "max_luma": round(self._luma_range[1], 3),
            "contrast": round(self._sums["deviation"] / num_frames, 3),
            "saturation": round(self._sums["saturation"] / num_frames, 3),
            "motion": round(self._sums["motion"] / num_pairs, 4),
            "max_motion": round(self._motion_max, 4),
            "clipped": round(self._sums["clipped"] / num_frames, 4),
            **{f"{name}_frames": count for name, count in self._counts.items()},
        }


def is_finite(frame: Frame) -> bool:
    """Whether no value is NaN or infinite."""
    return frame.dtype == np.uint8 or bool(np.isfinite(frame).all())


def _sample(frame: Frame) -> NDArray[np.float32]:
    """One pixel in sixteen (all of a small frame), in 8-bit units."""
    step = STRIDE if min(frame.shape[:2]) >= 16 * STRIDE else 1
    pixels = frame[::step, ::step].astype(np.float32)
    if frame.dtype != np.uint8:
        np.clip(pixels, 0, 1, out=pixels)
        pixels *= np.float32(255)
        if np.isnan(pixels.sum()):
            np.nan_to_num(pixels, copy=False, nan=0.0)
    return pixels


def _roughness(luma: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(luma, axis=1)).mean()) if luma.shape[1] > 1 else 0.0
