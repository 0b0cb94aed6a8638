"""Guidance of pipelines that keep it in a component, `pipe.guider`, instead of taking a scale."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from diffusers import DiffusionPipeline

from t2v.plan.request import Request
from t2v.runtime.pipeline import PipelineAdapter


@contextmanager
def guided(pipe: DiffusionPipeline, guidance_scale: float | None) -> Generator[None]:
    """A guider of its own for one call, with this scale or the pipeline's own.

    Guiders remember steps, so each call has a fresh one; the pipeline's comes back afterwards. As
    everywhere else, a scale of 1 or less means no guidance, and half the evaluations.
    """
    own: Any = pipe.guider
    pipe.guider = own.new(**({} if guidance_scale is None else {"guidance_scale": guidance_scale}))
    if not own._enabled or (guidance_scale is not None and guidance_scale <= 1):
        pipe.guider.disable()
    try:
        yield
    finally:
        pipe.guider = own


class GuidedAdapter(PipelineAdapter):
    """A family whose pipelines have no guidance scale in their call, but, mostly, a guider."""

    def call_arguments(self, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
        """As for all, and the guidance scale, which `prepared` takes out again."""
        arguments = super().call_arguments(pipe, request)
        if _has_guider(pipe) and request.guidance_scale is not None:
            arguments["guidance_scale"] = request.guidance_scale
        return arguments

    @contextmanager
    def prepared(
        self, pipe: DiffusionPipeline, arguments: dict[str, Any]
    ) -> Generator[dict[str, Any]]:
        """The arguments without the guidance scale, while the guider has it."""
        if not _has_guider(pipe):
            yield arguments
            return
        call = dict(arguments)
        with guided(pipe, call.pop("guidance_scale", None)):
            yield call


def _has_guider(pipe: DiffusionPipeline) -> bool:
    return getattr(pipe, "guider", None) is not None
