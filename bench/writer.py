"""Measure the writer: speed against a plain ffmpeg pipe, memory, faithfulness, size.

    python bench/writer.py [--frames 200] [--memory-frames 2000]

Speed is a ratio of medians taken in turns in this run, so that the machine's load cancels out.
Exits 1 when a number misses its goal.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from t2v.media.codecs import CODECS, SUFFIX_OF_CODEC, encoder_options
from t2v.media.probe import probe, read_frames
from t2v.media.writer import open_writer

WIDTH, HEIGHT, FPS = 832, 480, Fraction(24)


class NaturalClip:
    """Soft texture like an unsharp photograph, panning, with muted color and film grain."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> None:
        self.width, self.height = width, height
        rng = np.random.default_rng(seed)
        shape = (height + 64, width + 64)
        luma = 0.5 + 0.18 * _soft_texture(rng, shape, power=1.5)
        chroma = [0.05 * _soft_texture(rng, shape, power=2) for _ in range(2)]
        self._scene = np.stack([luma + chroma[0], luma - 0.3 * sum(chroma), luma + chroma[1]], -1)
        self._grain = 0.006 * rng.standard_normal((8, height, width, 1))

    def frame(self, index: int) -> NDArray[np.float32]:
        """One frame, floats 0..1."""
        down, right = _to_and_fro(index), _to_and_fro(index * 2)
        view = self._scene[down : down + self.height, right : right + self.width]
        return np.clip(view + self._grain[index % 8], 0, 1).astype(np.float32)

    def frames(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """The first frames in 8 bits."""
        for index in range(count):
            yield np.rint(self.frame(index) * 255).astype(np.uint8)


def _to_and_fro(step: int) -> int:
    return 63 - abs(step % 126 - 63)


def _soft_texture(
    rng: np.random.Generator, shape: tuple[int, int], power: float
) -> NDArray[np.float64]:
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1]))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.standard_normal(shape)) / frequency**power
    spectrum[0, 0] = 0
    texture = np.fft.ifft2(spectrum).real
    return texture / texture.std()


def write(path: Path, frames: Iterator[NDArray[np.uint8]], codec: str = "auto") -> Path:
    """Write frames with the library, at its defaults."""
    with open_writer(path, width=WIDTH, height=HEIGHT, fps=FPS, codec=codec) as writer:
        for frame in frames:
            writer.write(frame)
        return writer.finish({})


def pipe(path: Path, frames: list[NDArray[np.uint8]], codec: str) -> None:
    """Write frames with a plain ffmpeg process and the same settings."""
    kind = CODECS[codec]
    options = [
        text
        for name, value in encoder_options(kind, None).items()
        for text in (f"-{name}:v", value)
    ]
    command = [
        *["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"],
        *["-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-"],
        *[
            "-vf",
            "scale=out_color_matrix=bt709:out_range=tv:flags=area+accurate_rnd+full_chroma_int",
        ],
        *[
            "-c:v",
            kind.encoder,
            "-pix_fmt",
            kind.pix_fmt,
            *options,
            "-movflags",
            "+faststart",
            path,
        ],
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame in frames:
            process.stdin.write(frame.data)
        process.stdin.close()
        if process.wait():
            raise SystemExit("ffmpeg failed")


def speed_ratio(folder: Path, num_frames: int, rounds: int, codec: str = "h264") -> float:
    """Frames a second of the library over those of the pipe."""
    frames = list(NaturalClip().frames(num_frames))
    ours, theirs = [], []
    for n in range(rounds):
        start = time.perf_counter()
        write(folder / f"ours{n}.mp4", iter(frames), codec)
        middle = time.perf_counter()
        pipe(folder / f"theirs{n}.mp4", frames, codec)
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    print(f"{codec}: ours {num_frames / statistics.median(ours):.1f} frames/s")
    print(f"{codec}: ffmpeg pipe {num_frames / statistics.median(theirs):.1f} frames/s")
    return statistics.median(theirs) / statistics.median(ours)


def memory_growth_mib(
    folder: Path, num_frames: int, codec: str = "h264", suffix: str = ".mp4"
) -> float:
    """How much the resident memory grows at most while a clip is written."""
    process = psutil.Process()
    clip = NaturalClip()
    loop = list(clip.frames(16))
    with open_writer(folder / f"warm{suffix}", width=64, height=64, fps=FPS, codec=codec) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
        writer.finish({})
    before = peak = process.memory_info().rss
    path = folder / f"long{suffix}"
    with open_writer(path, width=WIDTH, height=HEIGHT, fps=FPS, codec=codec) as writer:
        for index in range(num_frames):
            writer.write(loop[index % 16])
            peak = max(peak, process.memory_info().rss)
        writer.finish({})
        peak = max(peak, process.memory_info().rss)
    return (peak - before) / 2**20


def faithfulness(path: Path, num_frames: int) -> tuple[float, float]:
    """PSNR in dB, and the largest mean error of a channel in 8-bit units."""
    squares, errors = [], []
    for frame, original in zip(read_frames(path), NaturalClip().frames(num_frames), strict=True):
        difference = frame.astype(np.float64) - original
        squares.append(np.mean(difference**2))
        errors.append(difference.mean(axis=(0, 1)))
    psnr = 10 * np.log10(255**2 / np.mean(squares))
    return float(psnr), float(np.abs(np.mean(errors, axis=0)).max())


def show(name: str, value: float, goal: str, is_met: bool) -> bool:
    """Print one number against its goal."""
    print(f"{'ok  ' if is_met else 'MISS'} {name}: {value:.3f} (goal {goal})")
    return is_met


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--memory-frames", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    met = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        growth = memory_growth_mib(folder, given.memory_frames)
        met.append(
            show(f"MiB grown by {given.memory_frames} frames", growth, "< 120", growth < 120)
        )
        for codec in ("h264", "hevc", "av1", "vp9", "prores", "avif", "gif", "webp"):
            path = folder / f"{codec}{SUFFIX_OF_CODEC.get(codec, '.mp4')}"
            start = time.process_time()
            write(path, NaturalClip().frames(given.frames), codec)
            seconds = time.process_time() - start
            psnr, error = faithfulness(path, given.frames)
            print(
                f"     {codec}: {psnr:.2f} dB, mean error {error:.3f}, "
                f"{path.stat().st_size // 1000} kB, {seconds / given.frames * 1000:.0f} CPU-ms a frame"
            )
            if codec == "h264":
                met.append(show("PSNR in dB at the defaults", psnr, ">= 40", psnr >= 40))
                met.append(show("mean error of a channel", error, "< 0.5", error < 0.5))
                assert probe(path).has_fast_start
        ratio = speed_ratio(folder, given.frames, given.rounds)
        met.append(show("speed over a plain ffmpeg pipe", ratio, ">= 0.9", ratio >= 0.9))
    return 0 if all(met) else 1


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
