"""Helios: chunks of 33 frames one after another, each seeing a summary of those before it."""

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.families.wan import WanAdapter
from t2v.plan.windows import Join, touching
from t2v.runtime.adapter import Frame
from t2v.runtime.pipeline import SelfContinuingAdapter, StreamingAdapter
from t2v.runtime.vae import decoded_frames, regrouped

CHUNK = 9
"""Latent frames of a chunk: the pipelines' default, and what the released models are trained for."""


class HeliosAdapter(SelfContinuingAdapter, StreamingAdapter, WanAdapter):
    """Text to video of any length with Helios.

    The pipeline makes whole chunks, and rounds what they decode to down to 4 n + 1 frames; of
    these the request takes as many as it asked for.
    """

    family = "helios"
    pipelines = ("HeliosPipeline",)

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """The arguments, while the VAE decodes nothing.

        The pipeline decodes every chunk and keeps the frames, also where latents are asked for.
        """

        def decode(latents: torch.Tensor, **_: Any) -> tuple[torch.Tensor]:
            return (latents.new_zeros(1, 3, 0, 1, 1),)

        vars(pipe.vae)["decode"] = decode
        try:
            yield arguments
        finally:
            del vars(pipe.vae)["decode"]

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int | None:
        """Steps of all chunks."""
        steps: int | None = arguments.get("num_inference_steps")
        return None if steps is None else num_chunks(pipe, arguments) * steps

    def joins(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> tuple[Join, ...]:
        """Where the chunks touch."""
        length = _chunk_frames(pipe)
        return touching(length * number for number in range(1, num_chunks(pipe, arguments)))

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames chunk by chunk: each is decoded from the start, as if nothing were before it."""
        # Of all chunks together the pipeline drops what comes after the last 4 n + 1.
        held: list[Frame] = []
        ratio = pipe.vae_scale_factor_temporal
        for index, frame in enumerate(self._all_frames(pipe, chunks)):
            held.append(frame)
            if index % ratio == 0:
                yield from held
                held.clear()

    def _all_frames(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        for chunk in regrouped(chunks, CHUNK, CHUNK):
            yield from decoded_frames(pipe, self.denormalized(pipe, chunk))


def num_chunks(pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int:
    """How many chunks the pipeline makes for a clip of so many frames."""
    num_frames: int = arguments["num_frames"]
    return max(1, math.ceil(num_frames / _chunk_frames(pipe)))


def _chunk_frames(pipe: DiffusionPipeline) -> int:
    length: int = (CHUNK - 1) * pipe.vae_scale_factor_temporal + 1
    return length


adapter = HeliosAdapter()
