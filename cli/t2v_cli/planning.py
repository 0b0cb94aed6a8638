"""A plan in a table: every value, and who decided it."""

from typing import TYPE_CHECKING, Any

import t2v
from t2v_cli.output import out
from t2v_cli.phrases import counted, duration, length
from t2v_cli.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from t2v import Plan

_LONG = {"story", "method", "window", "overlap", "order", "noise", "loop", "endless"}


def show_plan(plan: "Plan", outputs: "Sequence[Path]", *, json: bool) -> None:
    """Print the plan; on stderr what was changed on the way."""
    if json:
        out.json(plan.to_dict() | {"outputs": [str(path) for path in outputs]})
        return
    if out.quiet:
        for path in outputs:
            out.data(path)
        return
    out.table(("setting", "value", "from"), [*_request_rows(plan), *_other_rows(plan, outputs)])
    for line in timeline(plan.to_dict()):
        out.data(line)
    for note in plan.notes:
        out.talk(note)


def _request_rows(plan: "Plan") -> list[tuple[str, str, str]]:
    values = plan.requests[0].to_dict()
    seeds = ", ".join(str(request.seed) for request in plan.requests[1:])
    rows = [
        (name, _shown(entry["value"]), entry["origin"])
        for name, entry in values.items()
        # What makes a long video goes without saying for a clip.
        if entry["origin"] != "t2v" or name not in {*_LONG, "num_frames"}
    ]
    return rows + ([("further seeds", seeds, "derived")] if seeds else [])


def _other_rows(plan: "Plan", outputs: "Sequence[Path]") -> list[tuple[str, str, str]]:
    memory, estimate = plan.memory, plan.estimate
    rung = memory.rung + (" with VAE tiling" if memory.vae_tiling else "")
    rows = [
        ("duration", _length(plan), "num_frames / fps"),
        ("offload", rung, memory.reason),
    ]
    rows[1:1] = _long_rows(plan)
    if memory.estimated_bytes:
        rows.append(("peak memory", t2v.text.gib(memory.estimated_bytes), "estimate"))
    if estimate:
        rows.append(
            ("time", f"about {duration(estimate.total_s)}", counted(estimate.runs, "earlier run"))
        )
    return rows + [("output", str(path), "") for path in outputs]


def _length(plan: "Plan") -> str:
    request = plan.requests[0]
    return "until it is stopped" if request.endless else length(request.duration_s)


def _long_rows(plan: "Plan") -> list[tuple[str, str, str]]:
    """How a video is made that is no plain clip."""
    long = plan.to_dict()["long"]
    if long is None:
        return []
    number = "no end to them" if long["endless"] else str(long["num_windows"])
    size = f"{number}, {long['window']} frames each, {long['overlap']} shared at least"
    rows = [("made as", long["method"], long["reason"])]
    if long["method"] != "cut":
        rows += [("windows", size, f"{long['order']} order, {long['noise']} noise")]
    if long["num_evaluations"]:
        rows += [("steps in all", str(long["num_evaluations"]), "windows x steps")]
    if long["cost"]:
        rows += [("cost", f"{long['cost']:.2f}", "frames computed for each one shown")]
    return rows


def _shown(value: Any) -> str:
    match value:
        case None:
            return "default"
        case "":
            return "none"
        case True | False:
            return "yes" if value else "no"
        case [{"prompt": _}, *_]:
            return f"{len(value)} prompts"
        case list():
            return ", ".join(":".join(map(str, entry.values())) for entry in value) or "none"
        case _:
            return str(value)
