"""Look into a finished file, read its frames back, and find out which encoders work here."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from t2v.errors import DiskError
from t2v.media.codecs import CODECS
from t2v.media.embedded import FORMATS
from t2v.media.recording import ACCURATE, BT709, FULL, quiet


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


@contextlib.contextmanager
def opened(path: Path) -> Iterator["av.container.InputContainer"]:
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
    with opened(path) as container:
        if not container.streams.video:
            raise DiskError(f"{path} has no pictures.")
        stream = container.streams.video[0]
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


def _color_name(value: int) -> str:
    return {1: "bt709", 2: "unknown"}.get(value, str(value))


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


def read_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video as 8-bit RGB, one at a time."""
    reformatter = VideoReformatter()
    with opened(path) as container:
        for picture in container.decode(video=0):
            rgb = reformatter.reformat(
                picture,
                format="rgb24",
                src_colorspace=Colorspace.ITU709 if picture.colorspace == BT709 else None,
                dst_color_range=FULL,
                interpolation=ACCURATE,
            )
            yield rgb.to_ndarray()


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
        packets = context.encode(picture) + context.encode(None)
    except (av.FFmpegError, OSError, ValueError) as error:
        return f"{codec.encoder}: {error}"
    return None if packets else f"{codec.encoder}: no output"
