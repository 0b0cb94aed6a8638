"""What has to be the same for a run to go on where another one ended."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline

from t2v.errors import DiskError, RequestError
from t2v.plan.request import Request
from t2v.zoo.store import write_text

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
        # Where the work is done; weights may wait elsewhere.
        "kind of device": torch.device(pipe._execution_device).type,
        "version of diffusers": diffusers.__version__,
        "version of torch": torch.__version__,
    }


def settle_identity(path: Path, now: Mapping[str, str]) -> None:
    """Write down which run the folder of a file is of, or raise where it says another.

    Raises:
        RequestError: It is another; the error names the first difference.
        DiskError: It cannot be read or written.
    """
    if not path.exists():
        write_text(path, json.dumps(now, indent=1))
        return
    try:
        then = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DiskError(f"{path} is damaged. Begin again without --resume.") from error
    check_identity(path.parent, then, now)


def check_identity(folder: Path, then: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise unless the run in a folder is the one that wants to go on.

    Raises:
        RequestError: It is another; the error names the first difference.
    """
    for name in dict.fromkeys([*now, *then]):
        if then.get(name) != now.get(name):
            raise RequestError(
                f"{folder} was begun with another {name}: {_short(then.get(name))} then, "
                f"{_short(now.get(name))} now. Go back to that, or begin again without --resume."
            )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _settings(config: Any) -> list[str]:
    return sorted(f"{name}={value!r}" for name, value in config.items() if name[0] != "_")


def _sampled(name: str, part: torch.nn.Module) -> Iterable[str]:
    for key, weight in part.named_parameters():
        yield f"{name}.{key} {tuple(weight.shape)} {weight.dtype}"
        if weight.is_meta:
            continue
        # Kinds of quantized weights cannot be sliced.
        with suppress(NotImplementedError, RuntimeError):
            values = weight.detach().flatten()
            spread = values[:: max(1, len(values) // _SAMPLE)][: _SAMPLE + 1]
            yield repr(spread.float().cpu().tolist())


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]
