"""The writer of real video files: frames through libav into a part, then remuxed whole.

The part is fragmented, so what a crash leaves can be played. At `finish` its packets are copied,
not encoded again, into a file that starts fast and carries the metadata, and that gets the name.
"""

import contextlib
import heapq
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from t2v.errors import GenerationError, RequestError
from t2v.media import embedded
from t2v.media.audio import AudioTrack
from t2v.media.codecs import Codec, Container, encoder_options
from t2v.media.frames import Frame, to_uint8, to_uint16
from t2v.media.metadata import pack, write_sidecar
from t2v.media.parts import Part, disk_error, prepare_target, remove_stale_parts
from t2v.media.sink import Writer

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


class VideoWriter(Writer):
    """Writes .mp4, .mov, .mkv, .webm and .avif with constant memory."""

    def __init__(
        self,
        path: Path,
        codec: Codec,
        container: Container,
        *,
        width: int,
        height: int,
        fps: Fraction,
        crf: int | None = None,
        overwrite: bool = False,
        audio_rate: int | None = None,
        audio_channels: int = 2,
    ) -> None:
        options = encoder_options(codec, crf)
        super().__init__(
            prepare_target(path, overwrite=overwrite), width=width, height=height, fps=fps
        )
        if crf is not None and codec.crf is None:
            self.notes.append(f"crf does not apply to {codec.name}")
        self.wants_float = codec.wants_float
        self._codec = codec
        self._container = container
        self._overwrite = overwrite
        self._padding = self._pad(codec.multiple)
        self._reformatter = VideoReformatter()
        quiet()
        remove_stale_parts(self.path)
        try:
            self._part = Part(self.path)
        except OSError as error:
            raise disk_error(self.path, error) from error
        try:
            self._output = av.open(self._part, "w", format=codec.part, options=FRAGMENTED)
            self._stream = self._add_stream(options)
            self._audio = None
            if audio_rate is not None and container.audio is not None:
                self._audio = AudioTrack(
                    self._output, container.audio, rate=audio_rate, channels=audio_channels
                )
        except BaseException:
            self._part.discard()
            raise

    def write_audio(self, samples: NDArray[np.float32]) -> None:
        """Add sound, samples x channels from -1 to 1; it may come before, between or after frames."""
        self._require_open()
        if self._audio is None:
            raise GenerationError(f"{self.path.name} was opened without sound.")
        self._audio.add(samples)

    def _pad(self, multiple: tuple[int, int]) -> tuple[int, int]:
        right, bottom = -self.width % multiple[0], -self.height % multiple[1]
        if right or bottom:
            self.notes.append(
                f"{self.width}x{self.height} is written as "
                f"{self.width + right}x{self.height + bottom}: {self._codec.name} takes even "
                "sizes, so the last row and column are repeated"
            )
        return right, bottom

    def _add_stream(self, options: dict[str, str]) -> "av.VideoStream":
        stream = self._output.add_stream(self._codec.encoder, rate=self.fps, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width = self.width + self._padding[0]
        stream.height = self.height + self._padding[1]
        stream.pix_fmt = self._codec.pix_fmt
        stream.time_base = 1 / self.fps
        context = stream.codec_context
        context.time_base = 1 / self.fps
        context.color_range = LIMITED
        context.colorspace = context.color_primaries = context.color_trc = BT709
        if self._codec.tag:
            context.codec_tag = self._codec.tag
        try:
            context.open()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise RequestError(
                f"{self._codec.encoder} cannot encode {stream.width}x{stream.height} "
                f"at {self.fps} frames a second. Choose another size or codec."
            ) from error
        return stream

    def _write(self, frame: Frame) -> None:
        picture = self._converted(frame)
        picture.pts = self.num_frames
        picture.time_base = 1 / self.fps
        with self._translated_errors():
            self._output.mux(self._stream.encode(picture))
            if self._audio:
                self._audio.encode_until(Fraction(self.num_frames + 1) / self.fps)

    def _converted(self, frame: Frame) -> av.VideoFrame:
        right, bottom = self._padding
        if right or bottom:
            frame = np.pad(frame, ((0, bottom), (0, right), (0, 0)), mode="edge")
        deep = self.wants_float and frame.dtype != np.uint8
        picture = (
            av.VideoFrame.from_ndarray(to_uint16(frame), format="rgb48le")
            if deep
            else av.VideoFrame.from_ndarray(to_uint8(frame), format="rgb24")
        )
        # prores_ks takes primaries and transfer from the frames only.
        return self._reformatter.reformat(
            picture,
            format=self._codec.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=FULL,
            dst_color_range=LIMITED,
            dst_color_primaries=BT709,
            dst_color_trc=BT709,
            interpolation=ACCURATE,
        )

    def _finish(self, metadata: dict[str, Any] | None) -> Path:
        with self._translated_errors():
            self._output.mux(self._stream.encode(None))
            if self._audio:
                self._audio.finish(self.num_frames / self.fps)
            self._output.close()
            self._part.sync()
            whole = Part(self.path)
            try:
                self._remux(whole, None if metadata is None else pack(metadata))
                place = whole.publish(overwrite=self._overwrite)
            finally:
                whole.discard()
            self._part.discard()
        if place != self.path:
            self.notes.append(f"{self.path.name} appeared meanwhile; this one is {place.name}")
        if metadata is not None:
            self._note_sidecar(write_sidecar(place, metadata, overwrite=self._overwrite), place)
        return place

    def _remux(self, whole: Part, comment: str | None) -> None:
        options = {}
        if self._container.muxer in ("mp4", "mov"):
            # Room for the index in front, so that the file starts fast without a second pass.
            num_packets = self.num_frames + (self._audio.num_packets if self._audio else 0)
            options["moov_size"] = str(16_384 + 48 * num_packets + 2 * len((comment or "").encode()))
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(
                av.open(whole, "w", format=self._container.muxer, options=options)
            )
            if comment is not None:
                output.metadata["comment"] = comment
            tracks = []
            for kind in ("video", "audio") if self._audio and self._audio.has_sound else ("video",):
                reader = stack.enter_context(
                    av.open(self._part.view(), "r", format=self._codec.part)
                )
                source = reader.streams.get(**{kind: 0})[0]
                stream = output.add_stream_from_template(source, opaque=True)
                if kind == "video" and self._codec.tag:
                    stream.codec_context.codec_tag = self._codec.tag
                tracks.append(_packets(reader, source, stream))
            for _, _, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
                output.mux(packet)
        if comment is not None and self._container.muxer == "avif":
            embedded.append_to_avif(whole, comment)

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            raise GenerationError(
                f"{self._codec.encoder} failed at frame {self.num_frames}: {error}. "
                "Try another codec; `t2v doctor` shows which ones work."
            ) from error
        except OSError as error:
            raise disk_error(self.path, error) from error

    def _discard(self) -> None:
        with contextlib.suppress(Exception):
            self._output.close()
        self._part.discard()

    def _note_sidecar(self, sidecar: Path, video: Path) -> None:
        if sidecar != video.with_suffix(".json"):
            self.notes.append(f"{video.stem}.json is something else; metadata is in {sidecar.name}")


def _packets(
    reader: "av.container.InputContainer", source: Any, stream: Any
) -> Iterator[tuple[Fraction, int, "av.Packet"]]:
    for packet in reader.demux(source):
        if packet.dts is None:
            continue
        seconds = packet.dts * (packet.time_base or Fraction(1))
        packet.stream = stream
        yield seconds, stream.index, packet


def quiet() -> None:
    """Keep libav and its encoders from writing to stderr; what matters becomes an exception."""
    av.logging.set_level(None)
    av.logging.set_libav_level(av.logging.PANIC)
    os.environ.setdefault("SVT_LOG", "1")
