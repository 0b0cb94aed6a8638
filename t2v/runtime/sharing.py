"""A second pipeline beside a first, with the same weights: two videos can be made at once."""

import copy
from typing import Any

import torch
from diffusers import DiffusionPipeline

_STATELESS = ("tokenizer", "feature_extractor", "image_processor", "processor")
"""Beginnings of names of parts that keep nothing between calls, or are asked under a lock."""


def sharing(pipe: DiffusionPipeline) -> Any:
    """A pipeline of its own that shares all weights: what modules and scheduler remember is apart.

    VAEs keep caches in themselves, schedulers their place in the schedule, denoisers the hooks of
    whoever watches them; parameters and buffers, which nothing changes, are the same objects.
    """
    shared: dict[int, Any] = {}
    parts = {name: part for name, part in pipe.components.items() if part is not None}
    for part in parts.values():
        if isinstance(part, torch.nn.Module):
            shared |= {id(weight): weight for weight in (*part.parameters(), *part.buffers())}
    other: Any = copy.copy(pipe)
    for name, part in parts.items():
        if not name.startswith(_STATELESS):
            vars(other)[name] = copy.deepcopy(part, shared)
    other.set_progress_bar_config(disable=True)
    return other
