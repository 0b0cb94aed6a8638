"""What schedulers and guiders remember from step to step, whatever their class."""

from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch

_PLAIN = (
    bool
    | int
    | float
    | str
    | list
    | tuple
    | dict
    | torch.Tensor
    | np.ndarray
    | np.generic
    | torch.dtype
    | torch.device
    | None
)
_CODE = (FunctionType, MethodType, type)
_NO_MEMORY = ("_internal_dict",)
"""Attributes that are settings."""


def memory_of(thing: Any) -> dict[str, Any]:
    """All that is in the attributes of an object, and in those of the objects in them."""
    values, parts = {}, {}
    for name, value in vars(thing).items():
        if name in _NO_MEMORY or isinstance(value, _CODE):
            continue
        if isinstance(value, _PLAIN):
            values[name] = value
        elif hasattr(value, "__dict__"):
            parts[name] = memory_of(value)
    return {"values": values, "parts": parts}


def recall(thing: Any, memory: dict[str, Any]) -> None:
    """Let an object of the same class remember what `memory_of` returned."""
    vars(thing).update(memory["values"])
    for name, part in memory["parts"].items():
        recall(getattr(thing, name), part)
