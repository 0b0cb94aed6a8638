"""What is typed of a batch and stands in its files, settled: the plan, and for whom it is made."""

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import t2v
from t2v_cli.batch_values import LAYOUTS, to_shard, to_sweeps, whole
from t2v_cli.output import one_line
from t2v_cli.values import one_of, to_changes, to_options

if TYPE_CHECKING:
    from t2v import BatchPlan, Item, Options, RayEngine
    from t2v.plan.machine import Machine

CLUSTER_NOTE = "The cluster was not asked; a run places the weights as its workers have room."
_SHORTER = {
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "negative_prompt": "negative",
}


def to_plan(given: Mapping[str, Any], folder: Path, engine: "RayEngine | None") -> "BatchPlan":
    """All items of all files, settled.

    A cluster takes long to join, so that is left until there is something to make: mistakes, dry
    runs and batches that are finished do without.
    """
    _refuse_prompt(given["files"])
    options = to_options({**given, "model": None, "seed": None})
    models = tuple(given["models"] or ())
    changes, sweeps = to_changes(given["changes"]), to_sweeps(given["sweeps"])
    _refuse_twice(options, models, changes, sweeps)
    items: Iterable[Item] = t2v.read_items(
        given["files"], changes=changes, sweeps=sweeps, stdin=sys.stdin
    )
    seed = None if given["seed"] is None else t2v.Options.checked({"seed": given["seed"]}).seed

    def plan_for(items: "Iterable[Item]", machine: "Machine | None") -> "BatchPlan":
        return t2v.plan_batch(
            items,
            options,
            models=models,
            seed=seed,
            samples=whole(given["samples"], "--samples"),
            layout=one_of(given["layout"], LAYOUTS, "--layout"),
            shard=to_shard(given),
            machine=machine,
            is_locked=not given["dry_run"],
        )

    if engine is None:
        return plan_for(items, None)
    items = list(items)  # They may come from stdin, and are settled twice.
    plan = plan_for(items, engine.presumed())
    if given["dry_run"] or not _is_anything_missing(plan, folder, given):
        return plan
    return plan_for(items, engine.machine())


def _is_anything_missing(plan: "BatchPlan", folder: Path, given: Mapping[str, Any]) -> bool:
    if given["fresh"]:
        return True
    view = t2v.read_run(folder)
    given_up = () if given["retry_failed"] else ("failed",)
    return any(
        view.state.of(job.key).status not in given_up
        and not view.is_done(job, verify=given["verify"])
        for job in plan.jobs
    )


def _refuse_prompt(files: Sequence[str]) -> None:
    """A prompt in the place of files."""
    text = " ".join(files)
    looks_like_files = any("." in file or "/" in file or "-" in file[:1] for file in files)
    if " " not in text or looks_like_files or any(Path(file).exists() for file in files):
        return
    raise t2v.errors.RequestError(
        f"{one_line(text, 60)!r}: batch takes files of prompts, and this is none. "
        f"For one video: t2v generate {shlex.quote(one_line(text, 60))}"
    )


def _refuse_twice(
    options: "Options",
    models: Sequence[str],
    changes: Mapping[str, str],
    sweeps: Mapping[str, Sequence[str]],
) -> None:
    """An option and --set or --sweep that speak of the same: one of them would be in vain."""
    said = {*options.said(), *(["model"] if models else [])}
    pairs = [*(("--set", *pair) for pair in changes.items())]
    pairs += [("--sweep", key, values[0]) for key, values in sweeps.items()]
    for flag, key, value in pairs:
        for name in _names(key, value):
            if name in said:
                raise typer.BadParameter(
                    f"{one_line(key)} is given by --{_SHORTER.get(name, name.replace('_', '-'))} already",
                    param_hint=flag,
                )


def _names(key: str, value: str) -> Iterable[str]:
    """What a pair sets; what cannot be is told where it is read."""
    try:
        return t2v.Options.from_strings({key: value}).said()
    except t2v.errors.RequestError:
        return ()
