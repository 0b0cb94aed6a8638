"""From a model's name to a model in memory."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from t2v.api.planning import weights_here
from t2v.api.record import public_name
from t2v.plan.events import Event, Listener, silent
from t2v.plan.lora import parse_lora
from t2v.plan.machine import Machine, probe_machine
from t2v.plan.memory import plan_memory
from t2v.plan.options import Options
from t2v.plan.request import Lora, MemoryPlan, Plan
from t2v.zoo.cache import locate_part
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate, pull, revision_of
from t2v.zoo.requirements import check_packages
from t2v.zoo.safety import own_index, parts_of, read_index
from t2v.zoo.spec import ModelSpec

if TYPE_CHECKING:
    import torch

    from t2v.api.generator import Generator


Share = Literal["all", "decoders", "encoders", "others"]
"""What of a model is loaded: `encoders` is what prompts go through, `others` is all but that. What is
left out by these two says what it is like and cannot be used."""


def load(
    model: str | Path | None = None,
    *,
    device: str = "auto",
    dtype: str = "auto",
    memory: str = "auto",
    lora: Sequence[str] = (),
    scheduler: str | None = None,
    flow_shift: float | None = None,
    allow_pickle: bool = False,
    listener: Listener = silent,
) -> "Generator":
    """Load a model, downloading it first where it is not on this machine.

    Args:
        model: A zoo name or alias, a Hub id `org/name[@revision]`, or a diffusers folder; without
            one the user's default, else the model in the box.
        device: `auto`, `cpu`, `cuda[:N]`, `mps` or `xpu`.
        dtype: `auto`, or one number format for all components.
        memory: `auto`, or a way to move weights on and off: `none`, `model`, `group`, `sequential`.
        lora: LoRAs to add, each `REPO_OR_FILE[:SCALE]`.
        scheduler: A diffusers scheduler class; by default the entry's, else the repository's.
        flow_shift: The shift of a flow-matching scheduler.
        allow_pickle: Whether weights in pickle files may be read; only if you trust their author.
        listener: Hears of downloading and loading.

    Raises:
        UnknownModelError: No model has the name.
        WeightsMissingError: The model is not here and cannot be fetched.
        UnsafeModelError: Loading it would run code, or read pickle files.
    """
    zoo = Zoo.load()
    spec = zoo.find(zoo.default() if model is None else str(model))
    options = Options(
        device=device if device != "auto" else None,
        dtype=dtype if dtype != "auto" else None,
        memory=memory if memory != "auto" else None,
        lora=tuple(lora) or None,
        scheduler=scheduler,
        flow_shift=flow_shift,
    )
    machine = probe_machine(device)
    width, height = spec.sizes.native[0]
    placement = plan_memory(
        spec,
        width,
        height,
        spec.frames.native,
        dtype,
        machine,
        memory,
        weights=weights_here(spec, locate(spec)),
    )
    planned = _Planned(spec, options, placement, machine)
    return _open(planned, allow_pickle=allow_pickle, listener=listener)


def load_for(
    plan: Plan,
    *,
    share: Share = "all",
    allow_pickle: bool = False,
    listener: Listener = silent,
) -> "Generator":
    """Load the model of a plan, or a share of it, just as the plan says."""
    request = plan.requests[0]
    options = Options(
        device=request.device,
        dtype=request.dtype,
        memory=request.memory,
        lora=tuple(str(lora) for lora in request.lora) or None,
        scheduler=request.scheduler,
        flow_shift=request.flow_shift,
    )
    machine = plan.machine or probe_machine(request.device)
    planned = _Planned(plan.spec, options, plan.memory, machine)
    return _open(planned, share=share, allow_pickle=allow_pickle, listener=listener)


@dataclass(frozen=True, slots=True)
class _Planned:
    spec: ModelSpec
    options: Options
    """What was asked; for the rest the entry decides."""
    memory: MemoryPlan
    machine: Machine


def _open(
    planned: _Planned,
    *,
    share: Share = "all",
    allow_pickle: bool = False,
    listener: Listener = silent,
) -> "Generator":
    """Fetch, check, load and place a model."""
    spec, options, memory = planned.spec, planned.options, planned.memory
    listener(Event("stage", stage="load", message=f"Loading {spec.name}"))
    began = time.perf_counter()
    if options.device not in (None, "auto", "cpu"):
        _require_device(options.device)
    check_packages(spec)
    folder = pull(spec, allow_pickle=allow_pickle, progress=_reported(listener))
    # torch and diffusers take seconds to import; a download that fails should fail before that.
    from t2v.api.generator import Generator, Loaded
    from t2v.families import adapter_for
    from t2v.runtime.absent import stand_in
    from t2v.runtime.device import device_label, pick_device, pick_dtype
    from t2v.runtime.load import load_pipeline
    from t2v.runtime.lora import add_loras
    from t2v.runtime.offload import memory_errors, place
    from t2v.runtime.quiet import quiet
    from t2v.runtime.scheduler import set_scheduler

    device = pick_device(options.device or "auto")
    memory, notes = _where_it_runs(planned, device)
    dtype = pick_dtype(options.dtype or "auto", spec, device)
    is_whole = share in ("all", "others")
    loras = [] if not is_whole else [*_own_loras(spec), *map(parse_lora, options.lora or ())]
    with quiet() as warnings, memory_errors(memory, device):
        adapter = adapter_for(spec)
        parts = _parts(share, folder, spec, adapter.decoders)
        pipe = load_pipeline(folder, spec, dtype=dtype, allow_pickle=allow_pickle, parts=parts)
        if share != "decoders":
            defaults = spec.defaults
            set_scheduler(
                pipe,
                options.scheduler or defaults.scheduler,
                options.flow_shift or defaults.flow_shift,
                defaults.scheduler_config,
            )
        hashes = add_loras(pipe, loras, allow_pickle=allow_pickle)
        notes += place(pipe, memory, device)
        if share in ("encoders", "others"):
            for name in _modules(folder, spec) - set(parts or ()):
                setattr(pipe, name, stand_in(name, _folder_of(name, folder, spec), dtype))
    facts = {
        "revision": revision_of(spec),
        "device": {"type": device.type, "name": device_label(device)},
        "dtype": _dtype_names(dtype),
        "loras": _lora_facts(loras, hashes),
    }
    loaded = Loaded(
        spec,
        folder,
        pipe,
        adapter,
        device,
        memory,
        options,
        facts,
        planned.machine.device_name,
        time.perf_counter() - began,
        (*warnings, *notes),
    )
    return Generator(loaded)


def _parts(
    share: Share, folder: Path, spec: ModelSpec, decoders: Sequence[str]
) -> tuple[str, ...] | None:
    if share == "decoders":
        return tuple(decoders)
    if share == "all":
        return None
    names = _names(folder, spec)
    encoders = {name for name in names if name.startswith("text_encoder")}
    if share == "others":
        return tuple(name for name in names if name not in encoders)
    left_out = _modules(folder, spec) - encoders
    return tuple(name for name in names if name not in left_out)


def _modules(folder: Path, spec: ModelSpec) -> set[str]:
    """The parts that have weights."""
    return {
        name
        for name in _names(folder, spec)
        if (_folder_of(name, folder, spec) / "config.json").is_file()
    }


def _names(folder: Path, spec: ModelSpec) -> tuple[str, ...]:
    return (*parts_of(own_index(read_index(folder), spec)), *spec.parts)


def _folder_of(name: str, folder: Path, spec: ModelSpec) -> Path:
    place = locate_part(spec.parts[name], spec.variant) if name in spec.parts else folder / name
    return place or folder / name


def _own_loras(spec: ModelSpec) -> list[Lora]:
    places = [(locate_part(lora), lora.scale) for lora in spec.loras]
    return [Lora(str(place), scale) for place, scale in places if place]


def _require_device(wanted: str) -> None:
    """Refuse a device that is not there before gigabytes come for it."""
    from t2v.runtime.device import pick_device

    pick_device(wanted)


def _where_it_runs(planned: _Planned, device: "torch.device") -> tuple[MemoryPlan, list[str]]:
    """The plan for the memory, put right where torch does not see the device planned for."""
    memory = planned.memory
    if device.type != "cpu" or memory.rung == "none":
        return memory, []
    notes = []
    if planned.machine.device != "cpu":
        notes.append(
            f"this torch does not see {planned.machine.device_name}; the model runs on the CPU"
        )
    return replace(memory, rung="none", reason="on the CPU"), notes


def _reported(listener: Listener) -> Callable[[str, int, int], None]:
    def report(message: str, done: int, total: int) -> None:
        listener(Event("stage", stage="load", step=done, of=total, message=message))

    return report


def _dtype_names(dtype: "torch.dtype | dict[str, torch.dtype]") -> str | dict[str, str]:
    """`bfloat16`, or one name a component."""
    if isinstance(dtype, dict):
        return {part: str(kind).removeprefix("torch.") for part, kind in dtype.items()}
    return str(dtype).removeprefix("torch.")


def _lora_facts(loras: Sequence[Lora], hashes: Sequence[str]) -> list[dict[str, Any]]:
    """Each LoRA with its hash, and without the folders of this machine."""
    return [
        {"source": public_name(lora.source), "scale": lora.scale, "sha256": sha256}
        for lora, sha256 in zip(loras, hashes, strict=True)
    ]
