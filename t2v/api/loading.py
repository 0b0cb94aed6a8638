"""From a model's name to a model in memory."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.api.record import public_name
from t2v.plan.events import Event, Listener, silent
from t2v.plan.lora import parse_lora
from t2v.plan.machine import probe_machine
from t2v.plan.memory import plan_memory
from t2v.plan.options import Options
from t2v.plan.request import Lora, MemoryPlan, Plan
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import pull, revision_of
from t2v.zoo.spec import ModelSpec

if TYPE_CHECKING:
    import torch

    from t2v.api.generator import Generator


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
        device=device,
        dtype=dtype,
        memory=memory,
        lora=tuple(lora) or None,
        scheduler=scheduler or spec.defaults.scheduler,
        flow_shift=flow_shift or spec.defaults.flow_shift,
    )
    machine = probe_machine(device)
    width, height = spec.sizes.native[0]
    placement = plan_memory(spec, width, height, spec.frames.native, dtype, machine, memory)
    planned = _Planned(spec, options, placement, machine.device_name)
    return _open(planned, allow_pickle=allow_pickle, listener=listener)


def load_for(
    plan: Plan,
    *,
    decode_only: bool = False,
    allow_pickle: bool = False,
    listener: Listener = silent,
) -> "Generator":
    """Load the model of a plan, just as the plan says; with `decode_only` nothing but its VAE."""
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
    planned = _Planned(plan.spec, options, plan.memory, machine.device_name)
    return _open(planned, decode_only=decode_only, allow_pickle=allow_pickle, listener=listener)


@dataclass(frozen=True, slots=True)
class _Planned:
    spec: ModelSpec
    options: Options
    memory: MemoryPlan
    machine_name: str


def _open(
    planned: _Planned,
    *,
    decode_only: bool = False,
    allow_pickle: bool = False,
    listener: Listener = silent,
) -> "Generator":
    """Fetch, check, load and place a model."""
    spec, options, memory = planned.spec, planned.options, planned.memory
    listener(Event("stage", stage="load", message=f"Loading {spec.name}"))
    began = time.perf_counter()
    folder = pull(spec, allow_pickle=allow_pickle, progress=_reported(listener))
    # torch and diffusers take seconds to import; a download that fails should fail before that.
    from t2v.api.generator import Generator, Loaded
    from t2v.families import adapter_for
    from t2v.runtime.device import device_label, pick_device, pick_dtype
    from t2v.runtime.load import load_pipeline
    from t2v.runtime.lora import add_loras
    from t2v.runtime.offload import memory_errors, place
    from t2v.runtime.quiet import quiet
    from t2v.runtime.scheduler import set_scheduler

    device = pick_device(options.device or "auto")
    dtype = pick_dtype(options.dtype or "auto", spec, device)
    loras = [] if decode_only else [parse_lora(text) for text in options.lora or ()]
    parts = ("vae",) if decode_only else None
    with quiet() as warnings, memory_errors(memory, device):
        adapter = adapter_for(spec)
        pipe = load_pipeline(folder, spec, dtype=dtype, allow_pickle=allow_pickle, parts=parts)
        if not decode_only:
            set_scheduler(pipe, options.scheduler, options.flow_shift)
        hashes = add_loras(pipe, loras, allow_pickle=allow_pickle)
        notes = place(pipe, memory, device)
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
        planned.machine_name,
        time.perf_counter() - began,
        (*warnings, *notes),
    )
    return Generator(loaded)


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
