"""Latents on disk: denoising is never done twice because decoding or writing failed."""

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.errors import DiskError, OutputExistsError, RequestError, T2VError
from t2v.media.parts import make_part_folder
from t2v.plan.longplan import settled_order, with_long
from t2v.plan.request import MemoryPlan, Plan, Request
from t2v.plan.rungs import RUNGS
from t2v.plan.windows import Join
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import COMMIT_HASH, ModelSpec

if TYPE_CHECKING:
    import torch

    from t2v.runtime.adapter import Latents

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
    save_latents: bool = False
    """Whether the latents were wanted beside the output."""

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        request: Request,
        memory: MemoryPlan,
        record: dict[str, Any],
        *,
        save_latents: bool = False,
    ) -> "SavedRun":
        """The run of a model."""
        return cls(spec.folder or spec.name, request, memory, record, save_latents)

    def plan(self) -> Plan:
        """The plan to load the model by."""
        spec, revision = Zoo.load().find(self.model), self.record.get("revision")
        if spec.repo and isinstance(revision, str) and COMMIT_HASH.fullmatch(revision):
            spec = spec.model_copy(update={"revision": revision})
        request = settled_order(spec, with_long(spec, self.request), self.memory.rung)
        return Plan(spec, (request,), self.memory, tuple(self.record.get("notes", ())))

    def to_json(self) -> str:
        """As one document."""
        document = {
            "model": self.model,
            "request": self.request.to_dict(),
            "story_file": self.request.story_file,
            "memory": asdict(self.memory),
            "record": self.record,
            "save_latents": self.save_latents,
        }
        return json.dumps(document, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "SavedRun":
        """The run of a document that `to_json` made."""
        document = json.loads(text)
        memory = document["memory"]
        model, rung, tiling = document["model"], memory["rung"], memory["vae_tiling"]
        is_sane = isinstance(model, str) and rung in RUNGS and isinstance(tiling, bool)
        story_file = document.get("story_file")
        is_sane = is_sane and isinstance(story_file, str | None)
        if not is_sane or not all(isinstance(document[k], dict) for k in ("request", "record")):
            raise ValueError("the document of the run was changed")
        return cls(
            model,
            replace(Request.from_dict(document["request"]), story_file=story_file),
            MemoryPlan(rung, tiling, str(memory["reason"])),
            document["record"],
            document.get("save_latents") is True,
        )


def latents_folder(output: Path) -> Path:
    """Where the latents of an output are kept: `clip.mp4` -> `clip.mp4.latents`."""
    return output.with_name(output.name + SUFFIX)


def latents_output(folder: Path) -> Path:
    """The output that latents were saved for: `clip.mp4.latents` -> `clip.mp4`.

    `frames.latents` are those of a folder of pictures; a folder that was renamed gives a video.
    """
    name = folder.name.removesuffix(SUFFIX)
    return folder.with_name(name if name != folder.name else f"{name}.mp4")


def keep_latents(latents: "Latents", run: SavedRun, output: Path | None) -> Path | None:
    """Save the latents beside the output; None where there is no output, or no room for them."""
    if output is None:
        return None
    try:
        return save_latents(latents_folder(output), latents, run)
    except DiskError:
        return None


def save_latents(folder: Path, latents: "Latents", run: SavedRun) -> Path:
    """Write the latents and what is needed to decode them; the folder appears whole or not at all.

    Raises:
        DiskError: The folder cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with _part_of(folder) as part:
        try:
            save_file(_tensors(latents), part / TENSORS)
            (part / RUN).write_text(run.to_json(), encoding="utf-8")
            refuse_foreign_latents(folder)
            if folder.exists():
                folder.rename(part.with_name(part.name + ".0"))
            part.rename(folder)
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DiskError(f"Cannot save the latents to {folder}: {reason}.") from error
    return folder


def _tensors(latents: "Latents") -> "dict[str, torch.Tensor]":
    import torch

    named = {"latents": latents.video, "audio": latents.audio}
    if latents.decode_timestep is not None:
        named["decode_timestep"] = torch.tensor(latents.decode_timestep, dtype=torch.float64)
    if latents.joins:
        named["joins"] = torch.tensor([(join.first, join.last) for join in latents.joins])
    return {k: v.detach().cpu().contiguous() for k, v in named.items() if v is not None}


def refuse_foreign_latents(folder: Path) -> None:
    """Raise if something is in the place of the latents that is not an earlier run's.

    Raises:
        OutputExistsError: It is.
    """
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise OutputExistsError(f"{folder} is no folder of latents. Name another output.")
    if other := {entry.name for entry in folder.iterdir()} - {TENSORS, RUN}:
        raise OutputExistsError(
            f"{folder} holds other files ({min(other)}) and is not replaced. Name another output."
        )


@contextmanager
def _part_of(folder: Path) -> Generator[Path]:
    """A hidden folder beside; whatever is left of it, and of dead runs' ones, is deleted."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part, lock = make_part_folder(folder)
    except OSError as error:
        raise DiskError(f"Cannot save the latents to {folder}: {error.strerror}.") from error
    try:
        yield part
    finally:
        if lock is not None:
            os.close(lock)
        for left in (part, part.with_name(part.name + ".0")):
            shutil.rmtree(left, ignore_errors=True)


def read_latents(folder: Path) -> "tuple[Latents, SavedRun]":
    """The latents and the run that made them.

    Raises:
        RequestError: The folder holds no saved latents, or they are damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from t2v.runtime.adapter import Latents

    try:
        run = SavedRun.from_json((folder / RUN).read_text(encoding="utf-8"))
        tensors = load_file(folder / TENSORS)
        # Most videos have but the first of these, and so have older runs.
        timestep, joins = tensors.get("decode_timestep"), tensors.get("joins")
        latents = Latents(
            tensors["latents"],
            tensors.get("audio"),
            None if timestep is None else float(timestep),
            () if joins is None else tuple(Join(first, last) for first, last in joins.tolist()),
        )
        for tensor in (latents.video, latents.audio):
            if tensor is not None and not (tensor.is_floating_point() and tensor.numel()):
                raise ValueError(f"they are {tensor.dtype} of shape {tuple(tensor.shape)}")
        if latents.video.ndim != 5:
            raise ValueError(f"they are of shape {tuple(latents.video.shape)}")
        return latents, run
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(
            f"{folder} holds no saved latents. Name the folder that t2v generate --save-latents "
            f"made; it has {TENSORS} and {RUN} in it."
        ) from None
    except T2VError:
        raise
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RequestError(f"The latents in {folder} are damaged: {reason}.") from error
