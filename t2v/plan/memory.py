"""Where the weights will live, decided by arithmetic before any of them is loaded.

The numbers are estimates and lean to the high side.
"""

from collections.abc import Mapping
from pathlib import Path

from t2v.plan.footprint import Footprint, weights_of
from t2v.plan.machine import Machine
from t2v.plan.request import MemoryPlan
from t2v.plan.rungs import PROGRAM_BYTES, RUNGS, usable_bytes
from t2v.text import gib
from t2v.zoo.spec import ModelSpec


def plan_memory(
    spec: ModelSpec,
    width: int,
    height: int,
    num_frames: int,
    dtype: str,
    machine: Machine,
    wanted: str,
    *,
    is_streamed: bool = False,
    weights: Mapping[str, int] | None = None,
) -> MemoryPlan:
    """Choose the rung and whether the VAE works in tiles.

    Args:
        spec: The model.
        width: Of the video, in pixels.
        height: Of the video, in pixels.
        num_frames: That are denoised at once: of the video, or of a window of a long one.
        dtype: The wanted number format, or `auto`.
        machine: Where it will run.
        wanted: A rung, or `auto`.
        is_streamed: Whether they are part of a longer video that is decoded as it comes.
        weights: Bytes by component, for a model whose entry does not know them.
    """
    known = weights_of(spec, dtype, machine.device) or dict(weights or {})
    footprint = Footprint(
        spec, known, width, height, num_frames, dtype, machine.device, is_streamed
    )
    if machine.device == "cpu":
        return _on_cpu(footprint, machine, wanted)
    if machine.free_bytes is None or not known:
        return _unknown(footprint, machine, wanted)
    return _on_device(footprint, machine, machine.free_bytes, wanted)


def weights_on_disk(folder: Path) -> dict[str, int]:
    """Bytes of the weight files of each component in a diffusers folder."""
    sizes: dict[str, int] = {}
    for path in folder.glob("*/*.safetensors"):
        sizes[path.parent.name] = sizes.get(path.parent.name, 0) + path.stat().st_size
    return sizes


def _on_cpu(footprint: Footprint, machine: Machine, wanted: str) -> MemoryPlan:
    warnings = []
    if wanted not in {"auto", "none"}:
        warnings.append(f"--memory {wanted} takes weights off a GPU; on the CPU nothing changes")
    if not footprint.weights:
        return MemoryPlan("none", False, "on the CPU, sizes unknown", warnings=tuple(warnings))
    free = machine.host_free_bytes
    peak = footprint.peak("none") + PROGRAM_BYTES
    in_tiles = footprint.peak("none", tiled=True) + PROGRAM_BYTES
    tiling = footprint.can_tile and free is not None and in_tiles < peak and peak > free
    if tiling:
        peak = in_tiles
    reason = f"on the CPU, {gib(peak)} at the peak"
    short = _host_warnings(peak, machine)
    if short and footprint.in_float32:
        short = [f"{short[0]}; --dtype bfloat16 needs about half of it"]
    warnings += short
    return MemoryPlan("none", tiling, reason, peak, peak, tuple(warnings))


def _unknown(footprint: Footprint, machine: Machine, wanted: str) -> MemoryPlan:
    """One component at a time costs little and fits most of the time."""
    what = "the free memory" if footprint.weights else "the size of the model"
    rung = "model" if wanted == "auto" else wanted
    reason = f"{what} is unknown" if wanted == "auto" else "as asked for"
    warnings = _host_warnings(footprint.total, machine)
    return MemoryPlan(rung, False, reason, None, footprint.total or None, tuple(warnings))


def _on_device(footprint: Footprint, machine: Machine, free: int, wanted: str) -> MemoryPlan:
    usable = usable_bytes(free)
    rung, tiling = _choose(footprint, usable, wanted)
    peak = footprint.peak(rung, tiled=tiling)
    if wanted != "auto":
        reason = "as asked for"
    elif rung == "none":
        reason = f"{gib(peak)} of {gib(free)} free on {machine.device_name}"
    else:
        whole = footprint.peak("none", tiled=tiling)
        reason = (
            f"all at once would take {gib(whole)}, {gib(free)} are free on {machine.device_name}"
        )
    host = footprint.total + footprint.resting(tiled=tiling)
    warnings = _host_warnings(host, machine)
    if peak > usable:
        warnings.append(_too_small(footprint, usable, free, wanted, peak))
    return MemoryPlan(rung, tiling, reason, peak, host, tuple(warnings))


def _choose(footprint: Footprint, usable: int, wanted: str) -> tuple[str, bool]:
    """The fastest rung that fits, and tiles where the VAE alone would not: they can leave seams."""
    tiled = footprint.can_tile and footprint.decoding_alone() > usable
    if wanted != "auto":
        # Weights that must stay leave the VAE less room than it has alone.
        tiled = footprint.can_tile and (tiled or footprint.peak(wanted) > usable)
        return wanted, tiled
    fitting = (rung for rung in RUNGS if footprint.peak(rung, tiled=tiled) <= usable)
    return next(fitting, RUNGS[-1]), tiled


def _too_small(footprint: Footprint, usable: int, free: int, wanted: str, peak: int) -> str:
    said = f"about {gib(peak)} are needed and {gib(free)} are free: this may run out of memory"
    rung, tiled = _choose(footprint, usable, "auto")
    if wanted != "auto" and footprint.peak(rung, tiled=tiled) <= usable:
        return f"{said}; --memory {rung} fits"
    return f"{said}; fewer frames or a smaller size need less"


def _host_warnings(needed: int, machine: Machine) -> list[str]:
    total, free = machine.host_total_bytes, machine.host_free_bytes
    if total is not None and needed > total:
        return [
            f"{gib(needed)} of RAM are needed and this machine has {gib(total)}: "
            "it may run out of memory"
        ]
    if free is not None and needed > free:
        return [f"{gib(needed)} of RAM are needed and {gib(free)} are free; close other programs"]
    return []
