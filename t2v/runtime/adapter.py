"""What a family has to say about its pipelines so that the rest can treat all of them alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.plan.windows import Join
from t2v.runtime.layout import LatentLayout

Frame = np.ndarray
"""One picture: float32, height x width x 3, RGB, 0 to 1."""

OnStep = Callable[[int, int], None]
"""Called as `on_step(step, of)`: with step 0 when the prompts are encoded and the denoiser starts,
then after each step. Whatever it raises ends the run and reaches the caller."""


@dataclass(frozen=True, slots=True)
class Latents:
    """What a denoiser made, and all that decoding needs: it can be saved for a later process."""

    video: torch.Tensor
    """B C F H W, as the adapter's `decode` takes it."""
    audio: torch.Tensor | None = None
    """As the adapter's `sound` takes it; None where the model makes no sound."""
    decode_timestep: float | None = None
    """For a decoder that takes a timestep; None leaves it to the adapter."""
    joins: tuple[Join, ...] = ()
    """Where the pipeline went on from what it had made, if it did."""


class Adapter(Protocol):
    """One diffusers family: how to call it, what it returns, how its latents become frames.

    An adapter holds no state; a module below `t2v.families` has one as `adapter`.
    """

    family: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]
    """The pipeline classes that it knows; empty means any."""
    decoders: ClassVar[tuple[str, ...]]
    """The pipeline's components that turn latents into frames and sound."""

    takes_lists: ClassVar[bool]
    """Whether one call makes several videos, of lists of prompts and of generators."""

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)` for this request, less generator, callback and output type."""

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the pipeline up to its latents."""

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of the latents in order, bit-identical to what the pipeline's own call returns."""

    def sound(self, pipe: DiffusionPipeline, latents: Latents) -> Sound | None:
        """The sound that belongs to the frames; None where there is none."""

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """How the latents of this call lie, so that windows of a long video can be blended.

        Raises:
            RequestError: The pipeline cannot make windows.
        """

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of a video whose latents come in pieces, B C f H W, as one decode makes them."""
