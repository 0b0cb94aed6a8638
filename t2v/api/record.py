"""The document that says how a video was made: in its metadata, its sidecar and `--json`."""

import functools
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from t2v.plan.outline import all_windows, outline
from t2v.plan.request import MemoryPlan, Request
from t2v.zoo.spec import ModelSpec

PACKAGES = ("t2v", "diffusers", "torch", "transformers", "peft", "av", "numpy")
_FOLDERS = re.compile(r"(?<![\w.:/~\\-])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\"]+[/\\])+")
SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model."""


def versions() -> dict[str, str]:
    """Versions of everything whose change can change a frame."""
    return dict(_versions())


@functools.cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def version_differences(recorded: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each package that is not the one a video was made with."""
    present = versions()
    return tuple(
        f"{package} {then} then, {present.get(package, 'not installed')} now"
        for package, then in recorded.items()
        if package in PACKAGES and present.get(package) != then
    )


def public_name(name: str) -> str:
    """A name without the folders of this machine: absolute paths keep their last part."""
    path = Path(name)
    return path.name if path.is_absolute() else name


def public_text(text: str) -> str:
    """A message without the folders of this machine: absolute paths in it keep their last part.

    >>> public_text("/home/ada/models/wan/config.json lacks https://hf.co/a/b and a/b")
    'config.json lacks https://hf.co/a/b and a/b'
    """
    return _FOLDERS.sub("", text)


def public_request(request: Request) -> dict[str, dict[str, Any]]:
    """The request with origins, absolute paths shortened to their last part."""
    values = request.to_dict()
    values["model"]["value"] = public_name(request.model)
    for lora, entry in zip(request.lora, values["lora"]["value"] or (), strict=True):
        entry["source"] = public_name(lora.source)
    return values


def begin(request: Request, spec: ModelSpec, memory: MemoryPlan) -> dict[str, Any]:
    """What is known before the first frame; nothing says where on this machine things lie."""
    return {
        "model": public_name(spec.name),
        "repo": spec.repo,
        "family": spec.family,
        "pipeline": spec.pipeline,
        "license": spec.license,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "generator_device": "cpu",
        "num_frames": request.num_frames,
        "fps": str(request.fps),
        "width": request.width,
        "height": request.height,
        "duration_s": round(request.duration_s, 6),
        "long": request.long and outline(request.long),
        "windows": all_windows(request.long) if request.long else [],
        "memory": {"rung": memory.rung, "vae_tiling": memory.vae_tiling},
        "versions": versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "digital_source_type": SYNTHETIC,
        "request": public_request(request),
    }
