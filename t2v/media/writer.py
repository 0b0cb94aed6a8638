"""Open the right writer for a name: `clip.mp4`, `clip.gif`, `frames/`, ..."""

from fractions import Fraction
from pathlib import Path

from t2v.errors import RequestError
from t2v.media.animation import AnimationWriter
from t2v.media.codecs import check_encoding, choose, is_sequence
from t2v.media.sink import Writer
from t2v.media.stills import PngWriter
from t2v.media.video import VideoWriter

__all__ = ["Writer", "open_writer"]


def open_writer(
    path: Path | str,
    *,
    width: int,
    height: int,
    fps: Fraction,
    codec: str = "auto",
    crf: int | None = None,
    overwrite: bool = False,
) -> Writer:
    """Open an output for frames of one size.

    Args:
        path: A file whose suffix picks the container, or a folder for a PNG sequence: a name
            without suffix, or one that ends with a slash.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        fps: Frames a second, exact.
        codec: A name of `t2v.media.codecs.CODECS`; `auto` takes the container's first.
        crf: Quality, lower is better; None takes the codec's default.
        overwrite: Whether an existing output may be replaced.
    """
    if width < 1 or height < 1 or fps <= 0:
        raise RequestError(f"{width}x{height} at {fps} frames a second is no video.")
    check_encoding(path, codec, crf)
    size = {"width": width, "height": height}
    if is_sequence(path, codec):
        return PngWriter(Path(path), **size, fps=fps, overwrite=overwrite)
    path = Path(path)
    kind, container = choose(path, codec)
    if kind.name in ("gif", "webp"):
        return AnimationWriter(path, kind, **size, fps=fps, crf=crf, overwrite=overwrite)
    return VideoWriter(path, kind, container, **size, fps=fps, crf=crf, overwrite=overwrite)
