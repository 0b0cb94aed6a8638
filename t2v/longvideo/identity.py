"""What has to be the same for a run to go on where another one ended."""

import hashlib
from collections.abc import Iterable
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline

from t2v.longvideo.denoisers import denoisers
from t2v.plan.request import Request

_SAMPLE = 16
"""Values of each weight that are looked at, spread over it."""
_NO_MATTER = ("long", "origins", "codec", "crf", "metadata", "memory", "device", "story_file")
"""What the latents of a request do not depend on, or what is told apart below."""


def identity_of(
    pipe: DiffusionPipeline, request: Request, further_arguments: dict[str, Any]
) -> dict[str, str]:
    """Name -> value, in words where they are short, hashed where they are long."""
    scheduler = pipe.scheduler
    parts = [
        (name, part) for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)
    ]
    devices = {
        str(one.device.type) for part in denoisers(pipe).values() for one in part.parameters()
    }
    options = {
        name: repr(getattr(request, name))
        for name in type(request).__dataclass_fields__
        if name not in _NO_MATTER
    }
    return {
        **options,
        "plan": _digest([repr(request.long)]),
        "arguments": repr(sorted(further_arguments.items())),
        "pipeline": type(pipe).__name__,
        "scheduler settings": _digest([type(scheduler).__name__, *_settings(scheduler.config)]),
        "weights": _digest(text for name, part in parts for text in _sampled(name, part)),
        "kind of device": ", ".join(sorted(devices - {"meta"})),
        "version of diffusers": diffusers.__version__,
        "version of torch": torch.__version__,
    }


def _settings(config: Any) -> list[str]:
    return sorted(f"{name}={value!r}" for name, value in config.items() if name[0] != "_")


def _sampled(name: str, part: torch.nn.Module) -> Iterable[str]:
    for key, weight in part.named_parameters():
        yield f"{name}.{key} {tuple(weight.shape)} {weight.dtype}"
        if not weight.is_meta:
            values = weight.detach().flatten()
            spread = values[:: max(1, len(values) // _SAMPLE)][: _SAMPLE + 1]
            yield repr(spread.float().cpu().tolist())


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]
