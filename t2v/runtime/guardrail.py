"""The guardrail of Cosmos: its license asks for it, so no frame leaves without having passed it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from diffusers import DiffusionPipeline

from t2v.errors import GenerationError, RequestError
from t2v.runtime.adapter import Frame
from t2v.runtime.explain import explained


def require_guardrail(pipe: DiffusionPipeline, model: str) -> None:
    """Refuse a pipeline that was loaded without its guardrail.

    Raises:
        RequestError: It was.
    """
    if getattr(pipe, "safety_checker", None) is None:
        raise RequestError(
            f"{model} was loaded without the guardrail that its license asks for. "
            "Load it with a safety_checker."
        )


def guarded(pipe: DiffusionPipeline, frames: Iterator[Frame]) -> np.ndarray:
    """A whole clip as the guardrail lets it pass: uint8, F x H x W x 3, with faces blurred.

    Raises:
        GenerationError: It lets nothing pass.
    """
    require_guardrail(pipe, type(pipe).__name__)
    checker: Any = pipe.safety_checker
    clip = np.stack([(frame * 255).astype(np.uint8) for frame in frames])
    with explained(pipe):
        checker.to(pipe._execution_device)
        try:
            passed: np.ndarray | None = checker.check_video_safety(clip)
        finally:
            checker.to("cpu")
    if passed is None:
        raise GenerationError(
            "The guardrail of Cosmos blocked the video, so there is none. Try another seed or prompt."
        )
    return passed
