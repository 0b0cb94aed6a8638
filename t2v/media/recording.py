"""Frames encoded into a part that can be played up to where it stops, whatever stops it."""

import contextlib
import os
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from t2v.errors import GenerationError, RequestError
from t2v.media.audio import AudioTrack
from t2v.media.codecs import Codec
from t2v.media.frames import Frame, to_uint8, to_uint16
from t2v.media.parts import Part, disk_error
from t2v.media.scheduling import as_before

BT709 = 1
LIMITED, FULL = 1, 2
ACCURATE = (
    Interpolation.AREA
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
"""Without these flags, chroma is taken from the wrong place and up to 1 dB is lost."""

FRAGMENTED = {
    "movflags": "frag_keyframe+delay_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds: a crash costs about a second of video
    "flush_packets": "1",
}


class Recording:
    """The unfinished part of a video: open for frames, then for reading back."""

    def __init__(
        self,
        target: Path,
        codec: Codec,
        *,
        width: int,
        height: int,
        fps: Fraction,
        options: dict[str, str],
    ) -> None:
        self.codec = codec
        self.fps = fps
        self.num_frames = 0
        self.audio: AudioTrack | None = None
        self.padding = (-width % codec.multiple[0], -height % codec.multiple[1])
        self._target = target
        self._reformatter = VideoReformatter()
        quiet()
        try:
            self.part = Part(target)
        except OSError as error:
            raise disk_error(target, error) from error
        try:
            self._output = av.open(self.part, "w", format=codec.part, options=FRAGMENTED)
            self._stream = self._add_stream(width, height, options)
        except BaseException:
            self.discard()
            raise

    def open_audio(self, encoder: str, rate: int, channels: int) -> None:
        """Add a track for sound: before the first frame, with which the header is written."""
        if self.num_frames or self.audio:
            raise GenerationError("Sound has to be announced once, before the first frame.")
        with self.errors():
            self.audio = AudioTrack(self._output, encoder, rate=rate, channels=channels)

    def add(self, frame: Frame) -> None:
        """Encode the next frame."""
        picture = self._converted(frame)
        picture.pts = self.num_frames
        picture.time_base = 1 / self.fps
        self.num_frames += 1
        with self.errors():
            self._output.mux(self._stream.encode(picture))
            if self.audio:
                self.audio.encode_until(self.num_frames / self.fps)

    def finish(self) -> None:
        """Encode what is left; the part is complete and on the disk."""
        with self.errors():
            self._output.mux(self._stream.encode(None))
            if self.audio:
                self.audio.finish(self.num_frames / self.fps)
            self._output.close()
            self.part.sync()

    @contextlib.contextmanager
    def reader(self) -> Generator["av.container.InputContainer", None, None]:
        """The finished part, opened for reading; several readers do not disturb each other."""
        with av.open(self.part.view(), "r", format=self.codec.part) as container:
            yield container

    def discard(self) -> None:
        """Delete the part."""
        if hasattr(self, "_output"):
            # A disk that is full would complain again.
            with contextlib.suppress(Exception):
                self._output.close()
        self.part.discard()

    @contextlib.contextmanager
    def errors(self) -> Generator[list[Part], None, None]:
        """Turn errors of libav and of the disk into ours; takes parts that are written meanwhile."""
        parts = [self.part]
        try:
            yield parts
        except av.FFmpegError as error:
            for part in parts:
                if part.error:
                    raise disk_error(self._target, part.error) from error
            raise GenerationError(
                f"{self.codec.encoder} failed at frame {self.num_frames}: {error}. "
                "Try another codec; `t2v doctor` shows which ones work."
            ) from error
        except OSError as error:
            raise disk_error(self._target, error) from error

    def _add_stream(self, width: int, height: int, options: dict[str, str]) -> "av.VideoStream":
        stream = self._output.add_stream(self.codec.encoder, rate=self.fps, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width = width + self.padding[0]
        stream.height = height + self.padding[1]
        stream.pix_fmt = self.codec.pix_fmt
        stream.time_base = 1 / self.fps
        context = stream.codec_context
        context.time_base = 1 / self.fps
        if not self.codec.is_rgb:
            context.color_range = LIMITED
            context.colorspace = context.color_primaries = context.color_trc = BT709
        if self.codec.tag:
            context.codec_tag = self.codec.tag
        try:
            with as_before():
                context.open()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise RequestError(
                f"{self.codec.encoder} cannot encode {stream.width}x{stream.height} at "
                f"{self.fps} frames a second. Choose another size or codec."
            ) from error
        return stream

    def _converted(self, frame: Frame) -> av.VideoFrame:
        right, bottom = self.padding
        if right or bottom:
            frame = np.pad(frame, ((0, bottom), (0, right), (0, 0)), mode="edge")
        if self.codec.wants_float and frame.dtype != np.uint8:
            picture = av.VideoFrame.from_ndarray(to_uint16(frame), format="rgb48le")
        else:
            picture = av.VideoFrame.from_ndarray(to_uint8(frame), format="rgb24")
        if self.codec.is_rgb:
            return picture
        # prores_ks takes primaries and transfer from the frames only.
        return self._reformatter.reformat(
            picture,
            format=self.codec.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=FULL,
            dst_color_range=LIMITED,
            dst_color_primaries=BT709,
            dst_color_trc=BT709,
            interpolation=ACCURATE,
        )


def quiet() -> None:
    """Keep libav and its encoders from writing to stderr; what matters becomes an exception."""
    av.logging.set_level(None)
    av.logging.set_libav_level(av.logging.PANIC)
    os.environ.setdefault("SVT_LOG", "0")
