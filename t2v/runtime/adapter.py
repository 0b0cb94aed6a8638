"""What a family has to say about its pipelines so that the rest can treat all of them alike."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from diffusers import DiffusionPipeline

from t2v.plan.request import Request

Frame = np.ndarray
"""One picture: float32, height x width x 3, RGB, 0 to 1."""

OnStep = Callable[[int, int], None]
"""Called as `on_step(step, of)`: with step 0 when the prompts are encoded and the denoiser starts,
then after each step. Whatever it raises ends the run and reaches the caller."""


class Adapter(Protocol):
    """One diffusers family: how to call it, what it returns, how its latents become frames.

    An adapter holds no state; a module below `t2v.families` has one as `adapter`.
    """

    family: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]
    """The pipeline classes that it knows; empty means any."""

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)` for this request, less generator, callback and output type."""

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> torch.Tensor:
        """Run the pipeline up to its latents, in the form that `decode` takes: B C F H W.

        They are all that `decode` needs, so they can be saved and decoded by a later process.
        """

    def decode(self, pipe: DiffusionPipeline, latents: torch.Tensor) -> Iterator[Frame]:
        """Frames of the latents in order, bit-identical to what the pipeline's own call returns."""
