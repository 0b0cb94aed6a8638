"""What the adapters of most families share: one call up to the latents."""

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from diffusers import DiffusionPipeline

from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.runtime.adapter import Frame, Latents, OnStep
from t2v.runtime.call import call_arguments
from t2v.runtime.explain import explained
from t2v.runtime.steps import watched


class PipelineAdapter:
    """A family whose pipelines hand out their latents. Subclasses say how those become frames."""

    family: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]
    decoders: ClassVar[tuple[str, ...]] = ("vae",)

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """Arguments of `pipe(...)` for this request, less generator, callback and output type."""
        return call_arguments(pipe, request)

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the pipeline up to its latents."""
        with watched(pipe, on_step) as callbacks, explained(pipe):
            output = pipe(**arguments, **callbacks, output_type="latent")
        return Latents(
            self.unpack(pipe, output.frames, arguments),
            decode_timestep=arguments.get("decode_timestep"),
        )

    def unpack(
        self, pipe: DiffusionPipeline, latents: torch.Tensor, arguments: dict[str, Any]
    ) -> torch.Tensor:
        """From the pipeline's own layout to B C F H W."""
        return latents

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of the latents in order, bit-identical to what the pipeline's own call returns."""
        raise NotImplementedError

    def sound(self, pipe: DiffusionPipeline, latents: Latents) -> Sound | None:
        """None: most models make silent films."""
        return None
