"""The ways to place weights on a device, and how much of its memory a model can have."""

from t2v.plan.machine import GIB

RUNGS = ("none", "model", "group", "sequential")
"""From the fastest to the one that needs least."""

PROGRAM_BYTES = GIB * 3 // 8
"""Python with torch, diffusers and transformers imported: 364 MiB."""
_RESERVE_BYTES = GIB * 3 // 4
"""A CUDA context takes 0.3 to 0.5 GiB; the rest is for what cuDNN and cuBLAS set aside."""
_USABLE = 0.95
"""What fragmentation leaves of the free memory."""


def usable_bytes(free: int) -> int:
    """What a model can have of so many bytes on a device."""
    return max(0, int(free * _USABLE) - _RESERVE_BYTES)
