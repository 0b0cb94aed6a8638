"""Which device and which number format a model runs in."""

import sys
from typing import TypeAlias

import psutil
import torch

from t2v.errors import RequestError
from t2v.zoo.spec import ModelSpec

Dtypes: TypeAlias = torch.dtype | dict[str, torch.dtype]
"""One dtype for all components, or one a component with a `default`, as diffusers takes them."""


def _available(kind: str) -> bool:
    match kind:
        case "cuda":
            return bool(torch.cuda.is_available())
        case "mps":
            return bool(torch.backends.mps.is_available())
        case "xpu":
            return bool(torch.xpu.is_available())
        case _:
            return kind == "cpu"


def pick_device(wanted: str = "auto") -> torch.device:
    """The wanted device, or for `auto` the fastest that this machine has. ROCm counts as cuda."""
    if wanted == "auto":
        return torch.device(next(k for k in ("cuda", "xpu", "mps", "cpu") if _available(k)))
    device = torch.device(wanted)
    if not _available(device.type):
        raise RequestError(
            f"This torch ({torch.__version__}) sees no {device.type} device. "
            "Use --device auto, or install the torch build for your accelerator."
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RequestError(
            f"There is no {wanted}: this machine has {torch.cuda.device_count()}, from cuda:0."
        )
    return device


def _native_dtype(device: torch.device) -> torch.dtype:
    """The format that text-to-video models run fast and safely in on this device."""
    match device.type:
        case "cuda" if not torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.float16
        case "mps" if not torch.backends.mps.is_macos_or_newer(14, 0):
            return torch.float16
        case "cpu":
            return torch.float32
        case _:
            return torch.bfloat16


def pick_dtype(wanted: str, spec: ModelSpec, device: torch.device) -> Dtypes:
    """The number format of each component: what was asked, else what suits entry and device.

    Components that the entry wants in float32 beside others that it does not, such as Wan's VAE,
    stay there: in 16 bits they would lose detail or make NaN.
    """
    default = _native_dtype(device) if wanted == "auto" else getattr(torch, wanted)
    if default == torch.float32:
        return torch.float32
    keeps_float32 = wanted == "auto" or spec.mixes_formats

    def choose(stated: torch.dtype) -> torch.dtype:
        as_stated = wanted == "auto" and default == torch.bfloat16
        return stated if as_stated or (keeps_float32 and stated == torch.float32) else default

    dtypes = {name: choose(getattr(torch, c.dtype)) for name, c in spec.components.items()}
    if len(set(dtypes.values())) <= 1:
        return next(iter(dtypes.values()), default)
    return {"default": default, **dtypes}


def device_label(device: torch.device) -> str:
    """What to call the device in a report: `NVIDIA H100`, `AMD Instinct MI300X (ROCm)`, `CPU`."""
    match device.type:
        case "cuda":
            rocm = " (ROCm)" if torch.version.hip else ""
            return f"{torch.cuda.get_device_name(device)}{rocm}"
        case "xpu":
            return str(torch.xpu.get_device_name(device))
        case "mps":
            return "Apple GPU"
        case _:
            return "CPU"


def reset_peak_memory(device: torch.device) -> None:
    """Start measuring the device's peak anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif device.type == "xpu":
        torch.xpu.reset_peak_memory_stats(device)


def _host_peak() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # noqa: PLC0415 - absent on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Bytes at the peak: `host` of this process so far, `device` since the last reset."""
    host = _host_peak()
    match device.type:
        case "cuda":
            return {"host": host, "device": torch.cuda.max_memory_allocated(device)}
        case "xpu":
            return {"host": host, "device": torch.xpu.max_memory_allocated(device)}
        case "mps":
            return {"host": host, "device": torch.mps.driver_allocated_memory()}
        case _:
            return {"host": host, "device": None}
