"""What the adapters of most families share: one call up to the latents."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from diffusers import DiffusionPipeline

from t2v.errors import RequestError
from t2v.media.audio import Sound
from t2v.plan.request import Request
from t2v.plan.windows import Join
from t2v.runtime.adapter import Frame, Latents, OnStep
from t2v.runtime.call import call_arguments, temporal_factor
from t2v.runtime.chunks import decoded_whole, decoded_with_context
from t2v.runtime.explain import explained
from t2v.runtime.layout import LatentLayout
from t2v.runtime.steps import watched


class PipelineAdapter:
    """A family whose pipelines hand out their latents. Subclasses say how those become frames."""

    family: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]
    decoders: ClassVar[tuple[str, ...]] = ("vae",)
    takes_lists: ClassVar[bool] = True
    """False where a pipeline refuses lists, or makes other videos of them than of single texts."""
    latent_context: ClassVar[int | None] = None
    """Latent frames on each side that the frames of one depend on: 0 for an image VAE. None where
    nobody has said it, so that all latents of a long video are decoded together."""

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

    def joins(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> tuple[Join, ...]:
        """Where the frames of one call go on from others of it; empty where it is in one piece."""
        return ()

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
            joins=self.joins(pipe, arguments),
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

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """How the latents of this call lie, so that windows of a long video can be blended.

        Raises:
            RequestError: The pipeline cannot make windows.
        """
        raise RequestError(
            f"{type(pipe).__name__} takes no latents, so it cannot make windows of a longer video. "
            "Ask for its own length, or for another model: t2v models list."
        )

    def decode_stream(
        self, pipe: DiffusionPipeline, chunks: Iterator[torch.Tensor]
    ) -> Iterator[Frame]:
        """Frames of a video whose latents come in pieces, B C f H W, as one decode makes them."""

        def decode(latents: torch.Tensor) -> Iterator[Frame]:
            return self.decode(pipe, Latents(latents))

        if self.latent_context is None:
            return decoded_whole(decode, chunks)
        return decoded_with_context(decode, chunks, self.latent_context, temporal_factor(pipe))


class StreamingAdapter(PipelineAdapter):
    """A family that decodes a clip as it decodes a long video: subclasses have `decode_stream`."""

    def decode(self, pipe: DiffusionPipeline, latents: Latents) -> Iterator[Frame]:
        """Frames of the latents as one piece."""
        return self.decode_stream(pipe, iter([latents.video]))


class SelfContinuingAdapter(PipelineAdapter):
    """A family whose pipelines make longer videos by themselves, so that windows have no place."""

    def layout(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> LatentLayout:
        """None: what is made depends on what was made before it.

        Raises:
            RequestError: Always.
        """
        raise RequestError(
            f"{type(pipe).__name__} makes longer videos by itself and cannot be windowed. "
            "Use --method native."
        )
