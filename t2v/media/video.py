"""The writer of video files: frames into a recording, which is then remuxed into the whole file.

At `finish` the packets are copied, not encoded again, into a file that starts fast and carries the
metadata; that one gets the name.
"""

import contextlib
import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from numpy.typing import NDArray

from t2v.errors import GenerationError
from t2v.media import embedded
from t2v.media.codecs import Codec, Container, encoder_options
from t2v.media.frames import Frame
from t2v.media.metadata import pack
from t2v.media.parts import Part, prepare_target
from t2v.media.recording import Recording
from t2v.media.sink import Writer

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer


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
    ) -> None:
        options = encoder_options(codec, crf)
        path = prepare_target(path, overwrite=overwrite)
        super().__init__(path, width=width, height=height, fps=fps, overwrite=overwrite)
        self.wants_float = codec.wants_float
        self._container = container
        self._recording = Recording(
            path, codec, width=width, height=height, fps=fps, options=options
        )
        self._note_changes(crf)

    def _note_changes(self, crf: int | None) -> None:
        codec, (right, bottom) = self._recording.codec, self._recording.padding
        if crf is not None and codec.crf is None:
            self.notes.append(f"crf does not apply to {codec.name}")
        if right or bottom:
            self.notes.append(
                f"{self.width}x{self.height} -> {self.width + right}x{self.height + bottom}, "
                f"{codec.name} takes even sizes: the last row and column are repeated"
            )

    def open_audio(self, rate: int, channels: int) -> bool:
        """Make room for sound before the first frame; False where this kind of file holds none."""
        self._require_open()
        if self._container.audio is None:
            return super().open_audio(rate, channels)
        self._recording.open_audio(self._container.audio, rate, channels)
        return True

    def write_audio(self, samples: NDArray[np.float32]) -> None:
        """Add sound, samples x channels from -1 to 1; it may come before, between or after frames."""
        self._require_open()
        if self._recording.audio is None:
            raise GenerationError(f"{self.path.name} was opened without sound.")
        self._recording.audio.add(samples)

    def _write(self, frame: Frame) -> None:
        self._recording.add(frame)

    def _finish(self, metadata: dict[str, Any] | None) -> Path:
        self._recording.finish()
        with self._recording.errors() as parts:
            whole = Part(self.path)
            parts.append(whole)
            try:
                self._remux(whole, None if metadata is None else pack(metadata))
                place = whole.publish(overwrite=self._overwrite)
            finally:
                whole.discard()
            self._recording.discard()
        return place

    def _remux(self, whole: Part, comment: str | None) -> None:
        with contextlib.ExitStack() as stack:
            options = self._muxer_options(comment)
            output = stack.enter_context(
                av.open(whole, "w", format=self._container.muxer, options=options)
            )
            if comment is not None:
                output.metadata["comment"] = comment
            has_sound = self._recording.audio is not None and self._recording.audio.has_sound
            # A reader a stream, since a recording may have all its sound at the end.
            tracks = [
                self._track(stack.enter_context(self._recording.reader()), output, kind)
                for kind in (("video", "audio") if has_sound else ("video",))
            ]
            for _, _, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
                output.mux(packet)
        if comment is not None and self._container.muxer == "avif":
            embedded.append_box(whole, comment)

    def _muxer_options(self, comment: str | None) -> dict[str, str]:
        if self._container.muxer not in ("mp4", "mov"):
            return {}
        # Room for the index in front: the file starts fast, without a second pass over it.
        num_packets = self.num_frames
        if self._recording.audio:
            num_packets += self._recording.audio.num_packets
        size = 4096 + 48 * num_packets + len((comment or "").encode())
        options = {"moov_size": str(size)}
        if self._container.muxer == "mov":
            # The old QuickTime comment has at most 64 KiB.
            options["movflags"] = "use_metadata_tags"
        return options

    def _track(
        self, reader: "InputContainer", output: "OutputContainer", kind: str
    ) -> "Iterator[tuple[Fraction, int, av.Packet[Any]]]":
        source = getattr(reader.streams, kind)[0]
        stream = output.add_stream_from_template(source, opaque=True)
        if kind == "video" and self._recording.codec.tag:
            stream.codec_context.codec_tag = self._recording.codec.tag
        return _packets(reader, source, stream)

    def _discard(self) -> None:
        self._recording.discard()


def _packets(
    reader: "InputContainer", source: Any, stream: Any
) -> "Iterator[tuple[Fraction, int, av.Packet[Any]]]":
    for packet in reader.demux(source):
        if packet.dts is not None:
            seconds = packet.dts * (packet.time_base or Fraction(1))
            packet.stream = stream
            yield seconds, stream.index, packet
