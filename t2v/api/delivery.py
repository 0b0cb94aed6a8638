"""Frames on their way out: looked at, hashed, and written or kept."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from t2v.api.progress import Progress
from t2v.longvideo.report import Observer
from t2v.media.audio import Sound
from t2v.media.frames import FrameHash, to_uint8
from t2v.media.guard import Guard, GuardReport
from t2v.media.writer import Writer, open_writer
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame


class Sink(Protocol):
    """Where frames go."""

    wants_float: bool

    def write(self, frame: np.ndarray) -> None:
        """Take one frame, uint8, or float32 where that is wanted."""

    def open_audio(self, rate: int, channels: int) -> bool:
        """Make room for sound before the first frame; False where there is none."""

    def write_audio(self, samples: np.ndarray) -> None:
        """Take sound, samples x channels, float32."""

    def abort(self) -> None:
        """Forget everything taken."""


class Memory:
    """Keeps the frames: uint8, num_frames x height x width x 3."""

    wants_float = False

    def __init__(self) -> None:
        self._frames: list[np.ndarray] = []
        self._rate = 0
        self.sound: Sound | None = None

    def write(self, frame: np.ndarray) -> None:
        """Keep one frame."""
        self._frames.append(frame)

    def open_audio(self, rate: int, channels: int) -> bool:
        """There is always room."""
        self._rate = rate
        return True

    def write_audio(self, samples: np.ndarray) -> None:
        """Keep the sound."""
        self.sound = Sound(samples, self._rate)

    def abort(self) -> None:
        """Drop all."""
        self._frames.clear()

    def stacked(self) -> np.ndarray:
        """All frames as one array."""
        return np.stack(self._frames)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the frames."""

    num_frames: int
    frames_sha256: str
    guard: GuardReport
    audio: dict[str, Any] | None = None
    """What became of the sound, as it goes into the record; None for a silent film."""


def open_sink(request: Request, output: Path | None, *, overwrite: bool) -> Writer | Memory:
    """A writer for the output, or memory where none was named."""
    if output is None:
        return Memory()
    return open_writer(
        output,
        width=request.width,
        height=request.height,
        fps=request.fps,
        codec=request.codec,
        crf=request.crf,
        overwrite=overwrite,
    )


def deliver(
    frames: Iterable[Frame],
    sink: Sink,
    *,
    num_frames: int,
    strict_finite: bool,
    progress: Progress,
    sound: Sound | None = None,
    observer: Observer | None = None,
) -> Delivered:
    """Pass every frame through the guard and the digest into the sink, and the sound ahead of them.

    Args:
        frames: In order.
        sink: Where they go.
        num_frames: How many there will be; 0 if nobody knows.
        strict_finite: Whether values that are no numbers end it.
        progress: Who is told.
        sound: What is heard.
        observer: Measures the frames of a long video.

    Raises:
        NonFiniteFrame: A frame has NaN or infinite values, and `strict_finite` is set.
    """
    guard, digest = Guard(), FrameHash()
    audio = None if sound is None else _deliver_sound(sound, sink)
    delivered = 0
    for delivered, frame in enumerate(frames, start=1):
        guard.look(frame, strict_finite=strict_finite)
        rgb = to_uint8(frame)
        digest.update(rgb)
        if observer is not None:
            observer.look(rgb)
        began = time.perf_counter()
        sink.write(frame if sink.wants_float else rgb)
        progress.frame(delivered, num_frames, time.perf_counter() - began)
    return Delivered(delivered, digest.hexdigest(), guard.report(), audio)


def _deliver_sound(sound: Sound, sink: Sink) -> dict[str, Any]:
    is_kept = sink.open_audio(sound.rate, sound.channels)
    if is_kept:
        sink.write_audio(sound.samples)
    return {
        "sample_rate": sound.rate,
        "channels": sound.channels,
        "duration_s": round(sound.duration_s, 6),
        "sha256": hashlib.sha256(np.ascontiguousarray(sound.samples).data).hexdigest(),
        "in_output": is_kept,
    }


def guard_facts(report: GuardReport) -> dict[str, Any]:
    """The guard's findings as they go into the record."""
    return {"suspect": list(report.suspect), "statistics": report.statistics}
