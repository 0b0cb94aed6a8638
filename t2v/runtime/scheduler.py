"""Another scheduler for a loaded pipeline, from those that fit the way the model was trained."""

import difflib
import inspect
import sys
from collections.abc import Mapping
from typing import Any

import diffusers
from diffusers import DiffusionPipeline

from t2v.errors import RequestError

_FLOW = (
    "FlowMatchEulerDiscreteScheduler",
    "FlowMatchHeunDiscreteScheduler",
    "FlowMatchLCMScheduler",
    "UniPCMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "DEISMultistepScheduler",
    "SASolverScheduler",
)
"""Schedulers that can follow a flow; the last five when they are told so."""

_COGVIDEOX = ("CogVideoXDDIMScheduler", "CogVideoXDPMScheduler")
"""The only two that know how CogVideoX shifts its noise."""

_ALONE = ("FlowMapEulerDiscreteScheduler", "HeliosDMDScheduler", "HeliosScheduler")
"""Schedulers whose pipelines call them as they call no other."""


def is_flow(scheduler: Any) -> bool:
    """Whether the model predicts a flow, and with it whether a flow shift means anything."""
    config = scheduler.config
    return (
        type(scheduler).__name__.startswith(("FlowMatch", "FlowMap"))
        or config.get("prediction_type") == "flow_prediction"
        or bool(config.get("use_flow_sigmas"))
    )


def compatible_schedulers(pipe: DiffusionPipeline) -> tuple[str, ...]:
    """Class names of the schedulers that this pipeline can run with, its own first."""
    own = type(pipe.scheduler).__name__
    if own in _ALONE:
        names = set()
    elif own in _COGVIDEOX:
        names = set(_COGVIDEOX)
    elif is_flow(pipe.scheduler):
        names = {name for name in _FLOW if _follows(name, pipe)}
    else:
        names = {kind.__name__ for kind in pipe.scheduler.compatibles} - {"EDMEulerScheduler"}
        # It is on nobody's list, and runs with whatever the others on that list run with.
        names |= {"LCMScheduler"} if "DDIMScheduler" in names | {own} else set()
    return (own, *sorted(name for name in names - {own} if _installed(name)))


def set_scheduler(
    pipe: DiffusionPipeline,
    name: str | None = None,
    flow_shift: float | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Change the scheduler, its shift and its settings; with none of them the repository's stays.

    Args:
        pipe: A loaded pipeline.
        name: A diffusers class name, one of `compatible_schedulers(pipe)`.
        flow_shift: How far the steps lean to the noisy end; for models that predict a flow.
        settings: What else differs from the repository's configuration; what the class does not
            have is left out.
    """
    own = type(pipe.scheduler).__name__
    name = own if name is None else name
    if name != own:
        _check_compatible(pipe, name)
    if flow_shift is not None and not is_flow(pipe.scheduler):
        raise RequestError(
            f"A flow shift means nothing to {type(pipe).__name__} with {own}: the model does not "
            "predict a flow. Leave --flow-shift out."
        )
    if name == own and flow_shift is None and not settings:
        return
    kind = getattr(diffusers, name)
    accepted = inspect.signature(kind.__init__).parameters
    fitting = {key: value for key, value in (settings or {}).items() if key in accepted}
    pipe.scheduler = kind.from_config(
        pipe.scheduler.config, **_changes(pipe.scheduler, kind, flow_shift), **fitting
    )


def _changes(scheduler: Any, kind: Any, flow_shift: float | None) -> dict[str, Any]:
    """What `from_config` cannot translate by itself."""
    if not is_flow(scheduler):
        return {}
    accepted = inspect.signature(kind.__init__).parameters
    changes: dict[str, Any] = {}
    if "use_flow_sigmas" in accepted:
        changes |= {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
    config = scheduler.config
    shift_name = "flow_shift" if "flow_shift" in accepted else "shift"
    shift = flow_shift if flow_shift is not None else config.get("flow_shift", config.get("shift"))
    if shift is not None and shift_name in accepted:
        changes[shift_name] = shift
    if flow_shift is not None and "use_dynamic_shifting" in accepted:
        # A shift that follows the size of the video would override the one that was asked for.
        changes["use_dynamic_shifting"] = False
    return changes


def _check_compatible(pipe: DiffusionPipeline, name: str) -> None:
    known = compatible_schedulers(pipe)
    if name in known:
        return
    close = difflib.get_close_matches(_bare(name), [_bare(k) for k in known], n=1, cutoff=0.5)
    guess = next((f" Did you mean {k}?" for k in known if close and _bare(k) == close[0]), "")
    raise RequestError(
        f"{name} does not fit {type(pipe).__name__}.{guess} Those that do: {', '.join(known)}."
    )


def _bare(name: str) -> str:
    return name.lower().removesuffix("scheduler")


def _passes_sigmas(pipe: DiffusionPipeline) -> bool:
    # Flow pipelines either call set_timesteps plainly, or hand over their own sigmas through
    # this function, which refuses a scheduler that does not take them.
    return hasattr(sys.modules[type(pipe).__module__], "retrieve_timesteps")


def _follows(name: str, pipe: DiffusionPipeline) -> bool:
    kind = getattr(diffusers, name)
    if _passes_sigmas(pipe) and "sigmas" not in inspect.signature(kind.set_timesteps).parameters:
        return False
    inverted = pipe.scheduler.config.get("invert_sigmas", False)
    return not inverted or "invert_sigmas" in inspect.signature(kind.__init__).parameters


def _installed(name: str) -> bool:
    # diffusers has a placeholder for a class whose optional package is missing.
    return "dummy" not in getattr(diffusers, name).__module__
