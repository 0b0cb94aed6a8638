"""`t2v models`: which there are, what they may be used for, what they cost, and what fits."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import t2v
from t2v_cli import columns, entries, model_page, models_add, models_cache
from t2v_cli import models_filters as f
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.terminal import is_terminal
from t2v_cli.values import examples

app = typer.Typer()


WordsArg = Annotated[
    list[str],
    typer.Argument(metavar="WORD", help="What to look for; all words must fit."),
]
FilesArg = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Catalogs; without one, all.", show_default=False),
]


@app.callback(invoke_without_command=True)
def models(ctx: typer.Context) -> None:
    """List, search, show, download, verify, remove and add models; alone, list them."""
    if ctx.invoked_subcommand is None:
        list_models()


@app.command(
    "list",
    epilog=examples(
        "t2v models list",
        "t2v models list --fits --commercial yes --sort download",
        "t2v models list --family wan --json",
        "t2v models list --cached -q",
    ),
)
def list_models(
    family: f.FamilyOpt = None,
    license: f.LicenseOpt = None,
    commercial: f.CommercialOpt = None,
    max_download: f.DownloadOpt = None,
    task: f.TaskOpt = None,
    fits: f.FitsOpt = False,
    cached: f.CachedOpt = False,
    sort: f.SortOpt = None,
    reverse: f.ReverseOpt = False,
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """List the models of the zoo; every filter narrows the list.

    A terminal shows the columns that it has room for, a pipe and --json have them all. `commercial`
    is our reading of the license. `fits` says whether one native clip fits the memory of this
    machine: yes, offload (weights wait in host memory), no, or ? where sizes are not known.
    """
    chosen = t2v.list_models(
        family=family,
        license=license,
        commercial=commercial,
        task=task,
        max_download=max_download,
        fits=fits,
        cached=cached,
        sort=sort,
        reverse=reverse,
    )
    _show(chosen, json=json, quiet=quiet)
    if not chosen:
        out.talk("no model is like that; leave out a filter")


@app.command(epilog=examples("t2v models search small wan", 't2v models search "720p apache"'))
def search(words: WordsArg, json: o.JsonOpt = False, quiet: o.QuietOpt = False) -> None:
    """Find models by name, alias, family, task, tag, license or description, the best first.

    Typing errors are forgiven. Exits with 1 if nothing is found, and names the nearest.
    """
    found, nearest = t2v.search_models(" ".join(words))
    _show(found, json=json, quiet=quiet)
    if not found:
        out.talk(f"nothing found, nearest: {', '.join(nearest)}")
        raise typer.Exit(1)


@app.command(epilog=examples("t2v models show wan2.1-t2v-1.3b", "t2v models show doodle --json"))
def show(model: o.ModelArg, json: o.JsonOpt = False) -> None:
    """Show everything that is known about a model, with the sources of its numbers."""
    facts = t2v.show_model(model)
    if json:
        out.json(facts)
    else:
        model_page.show(facts)


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


models_cache.register(app)
models_add.register(app)


def _show(models: list[dict[str, Any]], *, json: bool, quiet: bool) -> None:
    if json:
        out.json(models)
    elif models and quiet:
        out.data("\n".join(facts["name"] for facts in models))
    elif models:
        width = columns.terminal_width() if is_terminal(sys.stdout) else None
        heading, *rest = columns.lines(entries.COLUMNS, [*map(entries.row, models)], width)
        out.heading(heading)
        out.data("\n".join(rest))
