"""What the adapters of most families share: one call up to the latents."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
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

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """What `pipe(...)` takes, while all else that this one call needs is in place.

        For what a pipeline keeps in itself instead of taking it as an argument; the pipeline is as
        it was when the block ends, so that the next call does not inherit it.
        """
        yield arguments

    def num_steps(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> int | None:
        """Steps of the whole call, for a pipeline whose scheduler knows but those of a part."""
        return None

    def denoise(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any], on_step: OnStep | None = None
    ) -> Latents:
        """Run the pipeline up to its latents."""
        num_steps = self.num_steps(pipe, arguments)
        with (
            self.prepared(pipe, arguments) as call,
            watched(pipe, on_step, num_steps) as callbacks,
            explained(pipe),
        ):
            output = pipe(**call, **callbacks, output_type="latent")
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
