"""Read what Pillow reads and libav does not: animated WebP and folders of PNG."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from t2v.errors import DiskError


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file is, without decoding it."""

    container: str
    codec: str
    pix_fmt: str
    width: int
    height: int
    fps: Fraction
    num_frames: int
    duration_s: float
    color_range: str
    color_space: str
    color_primaries: str
    color_transfer: str
    has_fast_start: bool
    """Whether the index comes before the frames, so that playing starts while it loads."""
    audio_codec: str | None
    audio_rate: int | None
    audio_duration_s: float | None


def has_fast_start(path: Path) -> bool:
    """Whether an MP4 or MOV has its index in front; True for files that need none."""
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            if not kind.isalnum():
                return True
            size = int.from_bytes(head[8:16], "big") if size == 1 else size
            file.seek(size - len(head), io.SEEK_CUR)
    return True


class ImageSequence:
    """The pictures of one animated file, or of many files in order."""

    def __init__(self, files: list[Path], path: Path) -> None:
        self._files = files
        self._path = path

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The pictures as 8-bit RGB."""
        for file in self._files:
            try:
                for frame in iio.imiter(file, plugin="pillow", mode="RGB"):
                    yield np.asarray(frame, np.uint8)
            except (OSError, SyntaxError, ValueError) as error:
                raise DiskError(f"{file} cannot be read as a picture: {error}") from error

    def probe(self) -> Probe:
        """What the pictures are; a folder of PNG has no rate."""
        num_frames, duration_ms, size, kind = 0, 0, (0, 0), ""
        for image in self._images():
            size, kind = image.size, (image.format or "").lower()
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                image.load()
                num_frames += 1
                duration_ms += image.info.get("duration", 0)
        if not num_frames:
            raise DiskError(f"{self._path} has no pictures.")
        fps = Fraction(1000 * num_frames, duration_ms) if duration_ms else Fraction(0)
        return Probe(
            container=kind,
            codec=kind,
            pix_fmt="rgb24",
            width=size[0],
            height=size[1],
            fps=fps.limit_denominator(1001),
            num_frames=num_frames,
            duration_s=duration_ms / 1000,
            color_range="pc",
            color_space="unknown",
            color_primaries="unknown",
            color_transfer="unknown",
            has_fast_start=True,
            audio_codec=None,
            audio_rate=None,
            audio_duration_s=None,
        )

    def _images(self) -> "Iterator[Image.Image]":
        for file in self._files:
            try:
                with contextlib.closing(Image.open(file, formats=("WEBP", "PNG"))) as image:
                    yield image
            except (OSError, SyntaxError, ValueError) as error:
                raise DiskError(f"{file} cannot be read as a picture: {error}") from error
