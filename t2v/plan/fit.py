"""Whether a model fits a machine, and how its weights would have to wait their turn.

The question before a download: it looks at what the machine has, not at what is free this minute,
and at one native clip of the model. `plan_memory` answers for one request and this minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from t2v.plan.machine import Machine
from t2v.plan.rungs import PROGRAM_BYTES, RUNGS, usable_bytes

Answer = Literal["yes", "offload", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer, and the numbers behind it."""

    answer: Answer
    """`yes` with all weights on the device, `offload` with some of them waiting in host memory."""
    rung: str | None = None
    """The fastest way to place the weights that fits; None where none does, or nobody knows."""
    peak_bytes: int | None = None
    """Estimated peak on the device at that rung; of the smallest one where none fits."""
    limit_bytes: int | None = None
    """What the device can give."""


def fit(needs: Mapping[str, Any], machine: Machine) -> Fit:
    """Compare what a model needs with what a machine has in all."""
    if machine.total_bytes is None or not needs:
        return Fit("unknown")
    if machine.device == "cpu":
        return _on_cpu(needs["cpu"], machine.total_bytes)
    return _on_device(needs["gpu"], machine.total_bytes, machine.host_total_bytes)


def rungs(needs: Mapping[str, Any], machine: Machine) -> dict[str, int]:
    """The estimated peak of every rung on this kind of device, from the fastest on."""
    if not needs:
        return {}
    if machine.device == "cpu":
        return {"none": _cpu_peak(needs["cpu"], machine.total_bytes or 0)}
    limit = usable_bytes(machine.total_bytes) if machine.total_bytes else 0
    return dict(_way(needs["gpu"], limit))


def _on_cpu(needs: Mapping[str, Any], total: int) -> Fit:
    peak = _cpu_peak(needs, total)
    if peak <= total:
        return Fit("yes", "none", peak, total)
    return Fit("no", None, peak, total)


def _cpu_peak(needs: Mapping[str, Any], total: int) -> int:
    peak = int(needs["plain"]["none"])
    if peak + PROGRAM_BYTES > total and "tiled" in needs:
        peak = needs["tiled"]["none"]
    return peak + PROGRAM_BYTES


def _on_device(needs: Mapping[str, Any], total: int, host: int | None) -> Fit:
    limit = usable_bytes(total)
    peaks = _way(needs, limit)
    rung = next((rung for rung in RUNGS if peaks[rung] <= limit), None)
    if rung is None or (host is not None and needs["weights"] > host):
        return Fit("no", None, min(peaks.values()), limit)
    return Fit("yes" if rung == "none" else "offload", rung, peaks[rung], limit)


def _way(needs: Mapping[str, Any], limit: int) -> Mapping[str, int]:
    """In tiles where the VAE alone would not fit without, as `plan_memory` does it."""
    tiled = "tiled" in needs and needs["decoding"] > limit
    peaks: Mapping[str, int] = needs["tiled" if tiled else "plain"]
    return peaks
