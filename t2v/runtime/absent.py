"""A part of a pipeline that was not loaded: it still says what it is like, and cannot be used."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers.configuration_utils import FrozenDict

from t2v.errors import GenerationError


class Absent:
    """Stands where a module would. Pipelines ask their parts for configs and number formats."""

    def __init__(self, name: str, config: Any, dtype: torch.dtype) -> None:
        self.name, self.config, self.dtype = name, config, dtype

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse."""
        raise GenerationError(f"{self.name} is not in memory; it was needed all the same.")


def stand_in(name: str, folder: Path, dtype: torch.dtype | dict[str, torch.dtype]) -> Absent:
    """What stands for the part in that folder, which has a config."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    own = dtype.get(name, dtype["default"]) if isinstance(dtype, dict) else dtype
    is_diffusers = "_class_name" in config
    return Absent(name, FrozenDict(config) if is_diffusers else SimpleNamespace(**config), own)
