"""A finished video: where it is, what it shows, and how it was made."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.errors import SuspectError

if TYPE_CHECKING:
    import numpy as np

    from t2v.media.audio import Sound
    from t2v.media.writer import Writer


@dataclass(frozen=True, slots=True)
class Video:
    """The result of one request.

    `frames` holds uint8 RGB pictures, num_frames x height x width x 3, where no file was written;
    with a file it is None, so that a long video never has to fit in memory.
    """

    record: dict[str, Any] = field(repr=False)
    """Everything about the run, as in the file's metadata and `t2v generate --json`."""
    output: Path | None = None
    frames: "np.ndarray | None" = field(default=None, repr=False)
    sound: "Sound | None" = field(default=None, repr=False)
    """What is heard with the frames, where no file was written and the model makes sound."""

    @property
    def status(self) -> str:
        """`ok`, or `suspect` where the frames look broken."""
        return str(self.record["status"])

    @property
    def fps(self) -> Fraction:
        """Frames a second, exact."""
        return Fraction(self.record["fps"])

    def save(self, path: str | Path, *, overwrite: bool = False) -> "Video":
        """Write the frames held in memory to a file and return the video with its output.

        Raises:
            OutputExistsError: The file is there already and `overwrite` is not set.
            DiskError: The file cannot be written.
        """
        from t2v.media.writer import open_writer

        if self.frames is None:
            raise ValueError(f"the frames are in {self.output} already")
        _, height, width, _ = self.frames.shape
        request = self.record["request"]
        with open_writer(
            path,
            width=width,
            height=height,
            fps=self.fps,
            codec=request["codec"]["value"],
            crf=request["crf"]["value"],
            overwrite=overwrite,
        ) as writer:
            if self.sound and writer.open_audio(self.sound.rate, self.sound.channels):
                writer.write_audio(self.sound.samples)
            for frame in self.frames:
                writer.write(frame)
            output = _finish(writer, self.record)
        return Video(record=self.record, output=output)


def refuse_suspect(videos: Iterable[Video]) -> None:
    """Raise if any of the videos looks broken.

    Raises:
        SuspectError: Names the files and what is wrong with them.
    """
    broken = [video for video in videos if video.status == "suspect"]
    if broken:
        lines = [
            f"{v.output or 'a video'}: {', '.join(v.record['guard']['suspect'])}" for v in broken
        ]
        raise SuspectError("Written, but the frames look broken. " + "; ".join(lines))


def _finish(writer: "Writer", record: dict[str, Any]) -> Path:
    wants_metadata = record["request"]["metadata"]["value"]
    return writer.finish(record if wants_metadata else None)
