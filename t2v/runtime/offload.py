"""Where the weights live while a model runs, and what to try when memory runs out."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import DiffusionPipeline

from t2v.errors import MemoryExhaustedError, ModelError
from t2v.plan.request import MemoryPlan
from t2v.plan.rungs import RUNGS

_ONLY_TILED = ("AutoencoderKLAllegro",)
"""VAEs that decode in tiles or not at all."""

_EXHAUSTED = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
)


def place(pipe: DiffusionPipeline, memory: MemoryPlan, device: torch.device) -> list[str]:
    """Put a pipeline where the plan says; returns what could not be done as planned, to be said.

    On the CPU the weights are where they are needed already, so that only tiling applies.
    """
    notes = []
    if type(getattr(pipe, "vae", None)).__name__ in _ONLY_TILED:
        pipe.vae.enable_tiling()
    elif memory.vae_tiling and not _enable_tiling(pipe):
        notes.append(f"The VAE of {type(pipe).__name__} cannot decode in tiles; it decodes whole.")
    if device.type == "cpu":
        return notes
    match memory.rung:
        case "none":
            pipe.to(device)
        case "model":
            if pipe.model_cpu_offload_seq is None:
                raise ModelError(
                    f"{type(pipe).__name__} does not say in which order its parts run, so they "
                    "cannot be offloaded one by one. Use --memory group."
                )
            pipe.enable_model_cpu_offload(device=device)
        case "group":
            pipe.enable_group_offload(
                onload_device=device,
                offload_device=torch.device("cpu"),
                offload_type="leaf_level",
                use_stream=device.type == "cuda",
            )
        case "sequential":
            pipe.enable_sequential_cpu_offload(device=device)
        case _:
            raise ValueError(memory.rung)
    return notes


def _enable_tiling(pipe: Any) -> bool:
    vae: Any = getattr(pipe, "vae", None)
    if not hasattr(vae, "enable_tiling") or not hasattr(vae, "use_tiling"):
        return False
    try:
        vae.enable_tiling()
    except NotImplementedError:
        return False
    return bool(vae.use_tiling)


@contextmanager
def memory_errors(memory: MemoryPlan, device: torch.device) -> Generator[None]:
    """Running out of memory, on the device or the host, ends with what to try next."""
    try:
        yield
    except Exception as error:
        if not is_exhausted(error):
            raise
        release(device)
        raise MemoryExhaustedError(_advice(memory, device)) from error


def is_exhausted(error: BaseException) -> bool:
    """Whether the error means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in _EXHAUSTED)


def release(device: torch.device) -> None:
    """Give cached memory back to the device."""
    match device.type:
        case "cuda":
            torch.cuda.empty_cache()
        case "xpu":
            torch.xpu.empty_cache()
        case "mps":
            torch.mps.empty_cache()


def next_rung(rung: str) -> str | None:
    """The next way to need less memory on the device; None after the last."""
    index = RUNGS.index(rung) + 1
    return RUNGS[index] if index < len(RUNGS) else None


def _advice(memory: MemoryPlan, device: torch.device) -> str:
    smaller = "fewer frames (--num-frames) or a smaller --size"
    if device.type == "cpu":
        return f"The memory of this machine ran out. Try {smaller}, or a smaller model."
    rung = next_rung(memory.rung)
    said = f"The memory of {device} ran out with --memory {memory.rung}."
    if rung is None:
        return f"{said} Nothing needs less: try {smaller}."
    return f"{said} Try --memory {rung}, or {smaller}."
