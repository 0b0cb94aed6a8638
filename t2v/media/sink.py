"""What every writer is: frames in one at a time, one whole output at the end, or nothing."""

from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from t2v.errors import GenerationError
from t2v.media.frames import Frame, check_frame
from t2v.media.metadata import sidecar_path, write_sidecar


class Writer(ABC):
    """Takes frames as they come and lets the file appear, whole, at `finish`.

    Use it in a `with` statement: without `finish`, what was written is deleted.

    Attributes:
        wants_float: Whether float frames keep more than 8 bits in this kind of file.
        notes: What was changed on the way, a line each, to be said once.
        num_frames: How many frames were written.
    """

    wants_float = False

    def __init__(
        self, path: Path, *, width: int, height: int, fps: Fraction, overwrite: bool
    ) -> None:
        self.path = path
        self.width = width
        self.height = height
        self.fps = fps
        self.notes: list[str] = []
        self.num_frames = 0
        self._overwrite = overwrite
        self._open = True

    def write(self, frame: Frame) -> None:
        """Add the next frame: height x width x 3, uint8 or floats 0..1."""
        self._require_open()
        check_frame(frame, self.width, self.height)
        self._write(frame)
        self.num_frames += 1

    def open_audio(self, rate: int, channels: int) -> bool:
        """Make room for sound before the first frame; False where this kind of file holds none.

        Args:
            rate: Samples a second.
            channels: 1, 2 or 6.
        """
        self.notes.append(f"{self.path.name} holds no sound; .mp4, .mov, .mkv and .webm do")
        return False

    def write_audio(self, samples: NDArray[np.float32]) -> None:
        """Add sound, samples x channels from -1 to 1; it may come before, between or after frames."""
        raise GenerationError(f"{self.path.name} was opened without sound.")

    def finish(self, metadata: dict[str, Any] | None = None) -> Path:
        """Complete the output with its metadata and let it appear; returns where it is."""
        self._require_open()
        if self.num_frames == 0:
            raise GenerationError(f"No frame was written to {self.path.name}.")
        place = self._finish(metadata)
        self._open = False
        if place != self.path:
            self.notes.append(f"{self.path.name} appeared meanwhile; this one is {place.name}")
        if metadata is not None:
            self._write_sidecar(place, metadata)
        return place

    def _write_sidecar(self, place: Path, metadata: dict[str, Any]) -> None:
        sidecar = write_sidecar(place, metadata, overwrite=self._overwrite)
        if sidecar != sidecar_path(place):
            self.notes.append(
                f"{sidecar_path(place).name} holds something else; metadata is in {sidecar.name}"
            )

    def abort(self) -> None:
        """Delete what was written. Nothing happens after `finish`."""
        if self._open:
            self._open = False
            self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def _require_open(self) -> None:
        if not self._open:
            raise GenerationError(f"{self.path.name} is finished; no more can be written to it.")

    @abstractmethod
    def _write(self, frame: Frame) -> None: ...

    @abstractmethod
    def _finish(self, metadata: dict[str, Any] | None) -> Path: ...

    @abstractmethod
    def _discard(self) -> None: ...
