"""Latents on disk: denoising is never done twice because decoding or writing failed."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.errors import DiskError, RequestError, T2VError
from t2v.plan.request import MemoryPlan, Plan, Request
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec

if TYPE_CHECKING:
    import torch

SUFFIX = ".latents"
TENSORS = "latents.safetensors"
RUN = "run.json"


@dataclass(frozen=True, slots=True)
class SavedRun:
    """What is needed to finish a run from its latents. Stays on this machine."""

    model: str
    """What finds the model again: its name, or its folder."""
    request: Request
    memory: MemoryPlan
    record: dict[str, Any]

    @classmethod
    def of(
        cls, spec: ModelSpec, request: Request, memory: MemoryPlan, record: dict[str, Any]
    ) -> "SavedRun":
        """The run of a model."""
        return cls(spec.folder or spec.name, request, memory, record)

    def plan(self) -> Plan:
        """The plan to load the model by."""
        return Plan(Zoo.load().find(self.model), (self.request,), self.memory)

    def to_json(self) -> str:
        """As one document."""
        document = {
            "model": self.model,
            "request": self.request.to_dict(),
            "memory": asdict(self.memory),
            "record": self.record,
        }
        return json.dumps(document, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "SavedRun":
        """The run of a document that `to_json` made."""
        document = json.loads(text)
        return cls(
            document["model"],
            Request.from_dict(document["request"]),
            MemoryPlan(**document["memory"]),
            document["record"],
        )


def latents_folder(output: Path) -> Path:
    """Where the latents of an output are kept: `clip.mp4` -> `clip.mp4.latents`."""
    return output.with_name(output.name + SUFFIX)


def latents_output(folder: Path) -> Path:
    """The output that latents were saved for: `clip.mp4.latents` -> `clip.mp4`."""
    name = folder.name.removesuffix(SUFFIX)
    return folder.with_name(name if Path(name).suffix else f"{name}.mp4")


def keep_latents(latents: "torch.Tensor", run: SavedRun, output: Path | None) -> Path | None:
    """Save the latents beside the output; None where there is no output, or no room for them."""
    if output is None:
        return None
    try:
        return save_latents(latents_folder(output), latents, run)
    except DiskError:
        return None


def save_latents(folder: Path, latents: "torch.Tensor", run: SavedRun) -> Path:
    """Write the latents and what is needed to decode them; the folder appears whole or not at all.

    Raises:
        DiskError: The folder cannot be written.
    """
    from safetensors.torch import save_file

    part = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    try:
        part.mkdir(parents=True)
        save_file({"latents": latents.detach().cpu().contiguous()}, part / TENSORS)
        (part / RUN).write_text(run.to_json(), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        part.replace(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        reason = error.strerror or error
        raise DiskError(f"Cannot save the latents to {folder}: {reason}.") from error
    return folder


def read_latents(folder: Path) -> "tuple[torch.Tensor, SavedRun]":
    """The latents and the run that made them.

    Raises:
        RequestError: The folder holds no saved latents, or they are damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        run = SavedRun.from_json((folder / RUN).read_text(encoding="utf-8"))
        return load_file(folder / TENSORS)["latents"], run
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(
            f"{folder} holds no saved latents. Name the folder that t2v generate --save-latents "
            f"made; it has {TENSORS} and {RUN} in it."
        ) from None
    except T2VError:
        raise
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RequestError(f"The latents in {folder} are damaged: {error}.") from error
