"""Seeing a pipeline's denoising loop from outside, step by step, without changing what it makes."""

import functools
import math
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.errors import GenerationError
from t2v.runtime.adapter import OnStep
from t2v.runtime.call import parameters

DENOISERS = ("transformer", "transformer_2", "unet")
_CHECK_EVERY = 5
"""Steps between two looks at the latents: each waits for the device."""


def _silent(step: int, of: int) -> None:
    pass


class _Stopped(BaseException):
    """Carries what a listener raised through the pipeline, past whoever explains its errors."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(reason)
        self.reason = reason


class _Reporter:
    """Passes steps on, and ends the run as soon as the latents hold no picture any more."""

    def __init__(
        self, pipe: DiffusionPipeline, on_step: OnStep, order: int = 1, total: int | None = None
    ) -> None:
        self.pipe, self.on_step, self.order, self.total = pipe, on_step, order, total
        self.started, self.num_done = False, 0

    @property
    def num_steps(self) -> int:
        return self.total or math.ceil(len(self.pipe.scheduler.timesteps) / self.order)

    def start(self, *_: Any) -> None:
        if not self.started:
            self.started = True
            self.tell(0, self.num_steps)

    def step(self, step: int, latents: Any) -> None:
        of = self.num_steps
        if self.total:
            self.num_done += 1
            step = self.num_done
        if isinstance(latents, torch.Tensor) and (step % _CHECK_EVERY == 1 or step == of):
            _check_finite(latents, step, of)
        self.tell(min(step, of), of)

    def tell(self, step: int, of: int) -> None:
        try:
            self.on_step(step, of)
        except BaseException as reason:
            raise _Stopped(reason) from reason

    def on_step_end(self, pipe: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> Any:
        self.step(index + 1, tensors.get("latents"))
        return tensors

    def old_callback(self, index: int, timestep: Any, latents: Any) -> None:
        self.step(index + 1, latents)


def _check_finite(latents: torch.Tensor, step: int, of: int) -> None:
    if not torch.isfinite(latents.sum(dtype=torch.float32)):
        kind = str(latents.dtype).removeprefix("torch.")
        raise GenerationError(
            f"The latents turned into NaN or infinity at step {step} of {of} (they are {kind}). "
            "Try --dtype float32 or bfloat16, another --scheduler, or a lower --guidance-scale."
        )


@contextmanager
def watched(
    pipe: DiffusionPipeline, on_step: OnStep | None, num_steps: int | None = None
) -> Generator[dict[str, Any]]:
    """Arguments to add to `pipe(...)` so that `on_step` hears of every step.

    A pipeline has `callback_on_step_end`, or the older `callback`, or neither; for the last the
    scheduler's `step` is wrapped. All is as before when the block ends. `num_steps` is for a
    pipeline that makes a clip in several parts and counts the steps of each from 0.
    """
    accepted = parameters(pipe)
    old = "callback_on_step_end" not in accepted and "callback" in accepted
    # The old callback is called once a step, however often a step calls the denoiser.
    order = pipe.scheduler.order if old else 1
    reporter = _Reporter(pipe, on_step or _silent, order, num_steps)
    with ExitStack() as stack:
        for denoiser in (getattr(pipe, name, None) for name in DENOISERS):
            if isinstance(denoiser, torch.nn.Module):
                handle = denoiser.register_forward_pre_hook(reporter.start)
                stack.callback(handle.remove)
        try:
            if "callback_on_step_end" in accepted:
                yield {"callback_on_step_end": reporter.on_step_end}
            elif old:
                yield {"callback": reporter.old_callback}
            else:
                stack.enter_context(_wrapped_scheduler(pipe.scheduler, reporter))
                yield {}
        except _Stopped as stopped:
            raise stopped.reason from None


@contextmanager
def _wrapped_scheduler(scheduler: Any, reporter: _Reporter) -> Generator[None]:
    original = scheduler.step
    num_calls = 0

    @functools.wraps(original)
    def step(*args: Any, **kwargs: Any) -> Any:
        nonlocal num_calls
        result = original(*args, **kwargs)
        num_calls += 1
        reporter.step(num_calls, result[0])
        return result

    scheduler.step = step
    try:
        yield
    finally:
        del scheduler.step
