"""`t2v models`: what can be run, what is here, and what it costs to get."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.entries import HEADERS, facts, flat, row
from t2v_cli.output import out
from t2v_cli.progress import display
from t2v_cli.running import ask_for_weights
from t2v_cli.stopping import Stopping
from t2v_cli.values import examples

app = typer.Typer()

FilesArg = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Catalogs; without one, all.", show_default=False),
]


@app.callback(invoke_without_command=True)
def models(ctx: typer.Context) -> None:
    """List, show, download and check models; alone, list them."""
    if ctx.invoked_subcommand is None:
        list_models()


@app.command("list", epilog=examples("t2v models list", "t2v models list -q | head -1"))
def list_models(json: o.JsonOpt = False, quiet: o.QuietOpt = False) -> None:
    """List the models of the zoo."""
    specs = list(t2v.Zoo.load().values())
    if json:
        out.json([facts(spec) for spec in specs])
    elif quiet:
        for spec in specs:
            out.data(spec.name)
    else:
        out.table(HEADERS, map(row, specs))


@app.command(epilog=examples("t2v models show wan2.1-t2v-1.3b", "t2v models show doodle --json"))
def show(model: o.ModelArg, json: o.JsonOpt = False) -> None:
    """Show everything that is known about a model, with the sources of its numbers."""
    known = facts(t2v.Zoo.load().find(model))
    if json:
        out.json(known)
    else:
        out.table(("fact", "value"), flat(known))


@app.command(epilog=examples("t2v models check", "t2v models check my-models.yaml"))
def check(files: FilesArg = None, json: o.JsonOpt = False) -> None:
    """Check catalogs for mistakes; exits with 1 if there are any."""
    problems = t2v.check_models([Path(file) for file in files or ()])
    if json:
        out.json([asdict(problem) for problem in problems])
    for problem in () if json else problems:
        out.data(problem)
    if any(problem.level == "error" for problem in problems):
        raise typer.Exit(1)
    out.talk("no mistakes found" if problems else "no problems found")


@app.command(epilog=examples("t2v models default", "t2v models default wan2.1-t2v-1.3b"))
def default(model: o.ModelsArg = None) -> None:
    """Print the model that is used where none is named, or choose it."""
    if model is not None:
        t2v.set_default_model(model)
    out.data(t2v.Zoo.load().default())


@app.command(epilog=examples("t2v models pull wan2.1-t2v-1.3b"))
def pull(
    model: o.ModelArg,
    allow_pickle: o.PickleOpt = False,
    progress: o.ProgressOpt = "auto",
    yes: o.YesOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Download a model and print its folder."""
    show = display(progress, quiet=quiet)
    spec = t2v.Zoo.load().find(model)
    with Stopping(show) as listener:
        ask_for_weights(spec, yes=yes)
        folder = t2v.pull(spec, allow_pickle=allow_pickle, listener=listener)
    out.data(folder)


@app.command(epilog=examples("t2v models path doodle-128"))
def path(model: o.ModelArg) -> None:
    """Print the folder of a model that is on this machine."""
    folder = t2v.locate(model)
    if folder is None:
        raise t2v.errors.WeightsMissingError(
            f"{model} is not on this machine; `t2v models pull {model}` downloads it"
        )
    out.data(folder)
