"""What one native clip of a model takes, for every kind of device and every rung."""

from typing import Any

from t2v.plan.footprint import Footprint, weights_of
from t2v.plan.rungs import RUNGS
from t2v.zoo.spec import ModelSpec


def needs_of(spec: ModelSpec) -> dict[str, Any]:
    """Bytes that one native clip takes by device and rung, JSON-ready; empty where unknown."""
    return {kind: _needs(spec, kind) for kind in ("cpu", "gpu")} if spec.components else {}


def _needs(spec: ModelSpec, kind: str) -> dict[str, Any]:
    device = "cpu" if kind == "cpu" else "cuda"
    width, height = spec.sizes.native[0]
    known = weights_of(spec, "auto", device)
    footprint = Footprint(spec, known, width, height, spec.frames.native, "auto", device)
    ways = {"plain": False, **({"tiled": True} if footprint.can_tile else {})}
    return {
        "weights": footprint.total,
        "decoding": footprint.decoding_alone(),
        **{
            way: {rung: footprint.peak(rung, tiled=tiled) for rung in RUNGS}
            for way, tiled in ways.items()
        },
    }
