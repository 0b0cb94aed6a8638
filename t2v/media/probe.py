"""Look into a finished file, read its frames back, and find out which encoders work here."""

import contextlib
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from t2v.errors import DiskError
from t2v.media.codecs import CODECS
from t2v.media.embedded import FORMATS
from t2v.media.images import ImageSequence, Probe, has_fast_start
from t2v.media.recording import ACCURATE, BT709, FULL, quiet
from t2v.media.scheduling import as_before


@contextlib.contextmanager
def opened(path: Path) -> Generator["av.container.InputContainer", None, None]:
    """Open a video for reading; what is none is a DiskError."""
    quiet()
    try:
        file = path.open("rb")
    except OSError as error:
        raise DiskError(f"Cannot read {path}: {error.strerror}.") from error
    with file:
        try:
            container = av.open(
                file, "r", options={"format_whitelist": FORMATS}, metadata_errors="replace"
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DiskError(f"{path} is no video that can be read, or it is damaged.") from error
        with container:
            yield container


def probe(path: Path) -> Probe:
    """What the file at `path` is."""
    if (images := _images(path)) is not None:
        return images.probe()
    with opened(path) as container:
        stream = _moving_pictures(container, path)
        context = stream.codec_context
        audio = container.streams.audio[0] if container.streams.audio else None
        fps = stream.average_rate or stream.guessed_rate or Fraction(0)
        times = [
            (packet.dts, packet.duration or 0) for packet in container.demux(stream) if packet.size
        ]
        return Probe(
            container=container.format.name,
            codec=context.codec.canonical_name,
            pix_fmt=context.pix_fmt or "",
            width=context.width,
            height=context.height,
            fps=fps,
            num_frames=len(times),
            duration_s=float(len(times) / fps) if fps else 0.0,
            color_range={1: "tv", 2: "pc"}.get(context.color_range, "unknown"),
            color_space=_color_name(context.colorspace),
            color_primaries=_color_name(context.color_primaries),
            color_transfer=_color_name(context.color_trc),
            has_fast_start=has_fast_start(path),
            audio_codec=audio.codec_context.codec.canonical_name if audio else None,
            audio_rate=audio.codec_context.sample_rate if audio else None,
            audio_duration_s=(
                float(audio.duration * audio.time_base)
                if audio and audio.duration and audio.time_base
                else None
            ),
        )


def _images(path: Path) -> "ImageSequence | None":
    """What Pillow reads and libav does not: a folder of PNG, an animated WebP."""
    if path.is_dir():
        return ImageSequence(sorted(path.glob("[0-9]*.png")), path)
    return ImageSequence([path], path) if path.suffix.lower() == ".webp" else None


def _moving_pictures(container: "av.container.InputContainer", path: Path) -> "av.VideoStream":
    if not container.streams.video:
        raise DiskError(f"{path} has no pictures.")
    # An animated AVIF has its first picture as a stream of its own.
    return max(container.streams.video, key=lambda stream: int(stream.frames))


def _color_name(value: int) -> str:
    return {1: "bt709", 2: "unknown"}.get(value, str(value))


def read_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video, an animation or a PNG folder as 8-bit RGB, one at a time."""
    if (images := _images(path)) is not None:
        yield from images.frames()
        return
    reformatter = VideoReformatter()
    with opened(path) as container:
        for picture in container.decode(_moving_pictures(container, path)):
            rgb = reformatter.reformat(
                picture,
                format="rgb24",
                src_colorspace=Colorspace.ITU709 if picture.colorspace == BT709 else None,
                dst_color_range=FULL,
                interpolation=ACCURATE,
            )
            yield rgb.to_ndarray().astype(np.uint8, copy=False)


def working_codecs() -> dict[str, str | None]:
    """Every codec with the reason why it does not work here, None where it does.

    Encoders are tried on one frame: libav also lists those whose hardware is missing.
    """
    return {name: why_broken(name) for name in CODECS}


def why_broken(name: str) -> str | None:
    """Encode one frame with the codec; the reason if that fails."""
    codec = CODECS[name]
    quiet()
    try:
        context = av.CodecContext.create(codec.encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width = context.height = 64
        context.pix_fmt = codec.pix_fmt
        context.time_base = Fraction(1, 8)
        context.options = dict(codec.options)
        picture = av.VideoFrame(64, 64, codec.pix_fmt)
        picture.pts = 0
        with as_before():
            packets = context.encode(picture) + context.encode(None)
    except (av.FFmpegError, OSError, ValueError) as error:
        return f"{codec.encoder}: {error}"
    return None if packets else f"{codec.encoder}: no output"
