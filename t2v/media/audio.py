"""Sound beside the frames: encoded as far as the video has come, exactly as long at the end."""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from t2v.errors import GenerationError

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 96000, 88200, 64000)


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound from the first frame on."""

    samples: NDArray[np.float32]
    """num_samples x channels, -1 to 1."""
    rate: int
    """Samples a second."""

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo, 6 for 5.1."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


class AudioTrack:
    """Buffers samples that are ahead of the video, and pads with silence what it lacks."""

    def __init__(
        self, output: "av.container.OutputContainer", encoder: str, *, rate: int, channels: int
    ) -> None:
        if channels not in LAYOUTS:
            raise GenerationError(f"{channels} channels of sound; a video holds 1, 2 or 6.")
        self._output = output
        self._rate = rate
        self._channels = channels
        self._waiting: deque[NDArray[np.float32]] = deque()
        self._num_encoded = 0
        self.has_sound = False
        self.num_packets = 0
        # Opus knows 48 kHz only, and AAC a fixed list.
        fits = encoder == "aac" and rate in AAC_RATES
        stream = output.add_stream(encoder, rate=rate if fits else 48000, layout=LAYOUTS[channels])
        assert isinstance(stream, av.AudioStream)
        self._stream: av.AudioStream = stream
        self._stream.bit_rate = 96_000 * channels

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take samples x channels, -1 to 1."""
        if samples.ndim == 1:
            samples = samples[:, None]
        if samples.ndim != 2 or samples.shape[1] != self._channels:
            raise GenerationError(
                f"Sound of shape {samples.shape}; expected samples x {self._channels} channels."
            )
        self.has_sound = True
        sound = np.nan_to_num(np.asarray(samples, np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
        self._waiting.append(np.clip(sound, -1, 1))

    def encode_until(self, seconds: Fraction) -> None:
        """Encode what belongs to the video up to here."""
        due = round(seconds * self._rate) - self._num_encoded
        while due > 0 and self._waiting:
            block = self._waiting.popleft()
            if len(block) > due:
                self._waiting.appendleft(block[due:])
                block = block[:due]
            self._encode(block)
            due -= len(block)

    def finish(self, seconds: Fraction) -> None:
        """Encode the rest, cut or padded to the length of the video."""
        self.encode_until(seconds)
        missing = round(seconds * self._rate) - self._num_encoded
        for start in range(0, missing, self._rate):
            size = min(self._rate, missing - start)
            self._encode(np.zeros((size, self._channels), np.float32))
        self._mux(None)

    def _encode(self, block: NDArray[np.float32]) -> None:
        if not len(block):
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block.T), format="fltp", layout=LAYOUTS[self._channels]
        )
        frame.sample_rate = self._rate
        frame.pts = self._num_encoded
        frame.time_base = Fraction(1, self._rate)
        self._num_encoded += len(block)
        self._mux(frame)

    def _mux(self, frame: "av.AudioFrame | None") -> None:
        packets = self._stream.encode(frame)
        self.num_packets += len(packets)
        self._output.mux(packets)
