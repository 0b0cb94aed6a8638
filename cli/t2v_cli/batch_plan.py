"""A batch before it runs: every video in a line, what is there already, and what the rest takes."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import t2v
from t2v_cli.columns import Column, lines, terminal_width
from t2v_cli.output import one_line, out
from t2v_cli.phrases import counted, duration
from t2v_cli.running import ask_for_weights
from t2v_cli.terminal import is_terminal

if TYPE_CHECKING:
    from t2v import BatchEstimate, BatchPlan
    from t2v.batch.jobs import Job
    from t2v.batch.run_folder.folder import RunView
    from t2v.plan.events import Listener

States = dict[str, str]
"""Key of a job -> how far it is, in a word."""
COLUMNS = (
    Column("from", 5, 8),
    Column("state", 2),
    Column("prompt", 0, 16),
    Column("model", 3, 12),
    Column("seed", 4, is_number=True),
    Column("size", 6),
    Column("frames", 7, is_number=True),
    Column("length", 8, is_number=True),
    Column("steps", 9, is_number=True),
    Column("output", 1, 16),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a run, as far as it decides what is left to be made."""

    lanes: int | None = None
    fresh: bool = False
    retry_failed: bool = False
    verify: bool = False


def show_batch(plan: "BatchPlan", folder: Path, terms: Terms, *, json: bool) -> None:
    """Print what a run would do, and load nothing."""
    states = _states(plan, folder, terms)
    if json:
        estimate = _estimate(plan, states, terms)
        out.json(_document(plan, states, folder, estimate.seconds if estimate else None))
        return
    if out.quiet:
        for job in plan.jobs:
            out.data(folder / job.output)
        return
    rows = [[one_line(cell, 200) for cell in _cells(job, states[job.key])] for job in plan.jobs]
    width = terminal_width() if is_terminal(sys.stdout) else None
    first, *others = lines(COLUMNS, rows, width)
    out.heading(first)
    for line in others:
        out.data(line)
    for note in notes_of(plan):
        out.talk(note)
    out.talk(headline(plan, folder, states, terms))


def begin(plan: "BatchPlan", folder: Path, terms: Terms, show: "Listener", *, yes: bool) -> None:
    """Say what will be made, and ask for what has to be downloaded."""
    # The run reads whole videos to verify them; here it is enough that they are there.
    states = _states(plan, folder, replace(terms, verify=False))
    show(t2v.Event("plan", message=headline(plan, folder, states, terms)))
    for note in notes_of(plan):
        show(t2v.Event("plan", message=note))
    for spec in {group.spec.name: group.spec for group in plan.groups}.values():
        ask_for_weights(spec, yes=yes, is_said=True)


def headline(plan: "BatchPlan", folder: Path, states: States, terms: Terms) -> str:
    """The batch in one line: how many, by which models, how long, and where to."""
    models = Counter(plan.groups[job.group].spec.name for job in plan.jobs)
    by = ", ".join(one_line(name) for name in list(models)[:3])
    by += f" and {len(models) - 3} more" if len(models) > 3 else ""
    number, estimate = Counter(states.values()), _estimate(plan, states, terms)
    num_failed = 0 if terms.retry_failed else number["failed"]
    parts = [
        f"{counted(len(plan.jobs), 'video')} by {by}" if models else "no videos in this share",
        f"{number['done']:,} there already" if number["done"] else "",
        f"{num_failed:,} failed before" if num_failed else "",
        _expected(estimate) if estimate and estimate.num_at_once else "",
    ]
    return f"{', '.join(filter(None, parts))} -> {folder}"


def _expected(estimate: "BatchEstimate") -> str:
    number = estimate.num_at_once
    how = f"{number} at a time" if number > 1 else "one after another"
    return f"about {duration(estimate.seconds)}, {how}"


def notes_of(plan: "BatchPlan") -> list[str]:
    """What is to be said before, each line once."""
    notes = [*plan.notes, *(note for group in plan.groups for note in group.notes)]
    return list(dict.fromkeys(notes))


def _states(plan: "BatchPlan", folder: Path, terms: Terms) -> States:
    if terms.fresh:
        return dict.fromkeys((job.key for job in plan.jobs), "new")
    view = t2v.read_run(folder)
    return {job.key: _state(job, view, verify=terms.verify) for job in plan.jobs}


def _estimate(plan: "BatchPlan", states: States, terms: Terms) -> "BatchEstimate | None":
    """Of what is left to be made."""
    kept = ("done",) if terms.retry_failed else ("done", "failed")
    left = [job for job in plan.jobs if states[job.key] not in kept]
    return t2v.estimate_batch(plan, left, lanes=terms.lanes)


def _state(job: "Job", view: "RunView", *, verify: bool) -> str:
    return "done" if view.is_done(job, verify=verify) else _unfinished(job, view)


def _unfinished(job: "Job", view: "RunView") -> str:
    state = view.state.of(job.key).status
    # It was recorded as done, and its file is gone or is not what it was.
    return "missing" if state == "done" else "begun" if state == "started" else state


def _cells(job: "Job", state: str) -> Iterator[object]:
    request = job.request
    yield job.source or "-"
    yield state
    yield request.prompt
    yield request.model
    yield request.seed
    yield f"{request.width}x{request.height}"
    yield request.num_frames
    yield duration(request.duration_s)
    yield request.num_inference_steps or "-"
    yield job.output


def _document(
    plan: "BatchPlan", states: States, folder: Path, estimate_s: float | None
) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "num_jobs": len(plan.jobs),
        "num_done": sum(state == "done" for state in states.values()),
        "num_repeats": plan.num_repeats,
        "estimate_s": estimate_s,
        "notes": notes_of(plan),
        "jobs": [_job(job, states[job.key]) for job in plan.jobs],
    }


def _job(job: "Job", state: str) -> dict[str, Any]:
    request = job.request
    return {
        "id": job.id,
        "custom_id": job.custom_id,
        "source": job.source,
        "state": state,
        "output": job.output,
        "group": job.group,
        "duration_s": request.duration_s,
        "request": request.to_dict(),
    }
