"""Tells the time of decoding apart from that of denoising, where the two take turns."""

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.api.progress import Progress
from t2v.runtime.adapter import Adapter, Frame


class Timed:
    """An adapter whose streamed decoding is timed; all else is the adapter's own."""

    def __init__(self, adapter: Adapter, progress: Progress) -> None:
        self._adapter, self._progress = adapter, progress

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """The adapter's frames; making its latents is not counted."""
        frames = self._adapter.decode_stream(pipe, self._made(chunks))
        while True:
            with self._progress.during("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _made(self, chunks: Iterator[torch.Tensor]) -> Iterator[torch.Tensor]:
        while True:
            with self._progress.during("denoise"):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk
