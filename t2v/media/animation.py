"""GIF and animated WebP: recorded without loss first, converted when the whole clip is known."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from t2v.errors import RequestError
from t2v.media import embedded
from t2v.media.codecs import Codec
from t2v.media.frames import Frame, to_uint8
from t2v.media.metadata import pack
from t2v.media.palette import Palette, PaletteSampler
from t2v.media.parts import Part, prepare_target
from t2v.media.recording import Recording
from t2v.media.sink import Writer

LOSSLESS = Codec(
    "lossless",
    "libx264rgb",
    "rgb24",
    options={"preset": "ultrafast", "qp": "0"},
    multiple=(1, 1),
)
MAX_SIDE = {"gif": 65535, "webp": 16383}
MAX_GIF_FPS = 50
"""Viewers show faster GIFs at ten frames a second."""


class AnimationWriter(Writer):
    """Writes .gif with one palette for the whole clip, and .webp; memory does not grow.

    The recording takes about half a megabyte a frame of 832 x 480 on the disk until `finish`.
    """

    def __init__(
        self,
        path: Path,
        codec: Codec,
        *,
        width: int,
        height: int,
        fps: Fraction,
        crf: int | None = None,
        overwrite: bool = False,
    ) -> None:
        if max(width, height) > MAX_SIDE[codec.name]:
            raise RequestError(
                f"{width}x{height}: a {codec.name} has at most {MAX_SIDE[codec.name]} pixels a side."
            )
        path = prepare_target(path, overwrite=overwrite)
        super().__init__(path, width=width, height=height, fps=fps, overwrite=overwrite)
        self._codec = codec
        self._sampler = PaletteSampler()
        self._stride = ceil(fps / MAX_GIF_FPS) if codec.name == "gif" else 1
        self._recording = Recording(
            path, LOSSLESS, width=width, height=height, fps=fps, options=dict(LOSSLESS.options)
        )
        if crf is not None:
            self.notes.append(f"crf does not apply to {codec.name}")
        if self._stride > 1:
            self.notes.append(
                f"{fps} -> {fps / self._stride} frames a second, a GIF has at most 50"
            )

    def _write(self, frame: Frame) -> None:
        frame = to_uint8(frame)
        if self._codec.name == "gif":
            self._sampler.look(frame)
        self._recording.add(frame)

    def _finish(self, metadata: dict[str, Any] | None) -> Path:
        self._recording.finish()
        with self._recording.errors() as parts:
            whole = Part(self.path)
            parts.append(whole)
            try:
                self._convert(whole)
                if metadata is not None:
                    append = {"gif": embedded.append_comment, "webp": embedded.append_chunk}
                    append[self._codec.name](whole, pack(metadata))
                place = whole.publish(overwrite=self._overwrite)
            finally:
                whole.discard()
            self._recording.discard()
        return place

    def _convert(self, whole: Part) -> None:
        fps = self.fps / self._stride
        with av.open(whole, "w", format=self._codec.name, options={"loop": "0"}) as output:
            stream = output.add_stream(
                self._codec.encoder, rate=fps, options=dict(self._codec.options)
            )
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = self.width, self.height
            stream.pix_fmt = self._codec.pix_fmt
            stream.time_base = 1 / fps
            for index, picture in enumerate(self._pictures()):
                picture.pts = index
                picture.time_base = 1 / fps
                output.mux(stream.encode(picture))
            output.mux(stream.encode(None))

    def _pictures(self) -> Iterator[av.VideoFrame]:
        palette = self._sampler.palette() if self._codec.name == "gif" else None
        for index, frame in enumerate(self._frames()):
            if index % self._stride:
                continue
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            yield _indexed(frame, palette) if palette else picture.reformat(format="bgra")

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        with self._recording.reader() as reader:
            for picture in reader.decode(video=0):
                yield to_uint8(picture.to_ndarray(format="rgb24"))

    def _discard(self) -> None:
        self._recording.discard()


def _indexed(frame: NDArray[np.uint8], palette: Palette) -> av.VideoFrame:
    picture = av.VideoFrame(frame.shape[1], frame.shape[0], "pal8")
    indices = palette.apply(frame)
    plane = picture.planes[0]
    rows = np.zeros((frame.shape[0], plane.line_size), np.uint8)
    rows[:, : frame.shape[1]] = indices
    plane.update(rows.tobytes())
    picture.planes[1].update(palette.argb().tobytes())
    return picture
