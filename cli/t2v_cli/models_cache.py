"""`t2v models pull, verify, remove, path`: the files of models on this machine."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.progress import display
from t2v_cli.running import ask_for_weights
from t2v_cli.stopping import Stopping
from t2v_cli.terminal import is_terminal
from t2v_cli.values import examples

if TYPE_CHECKING:
    from t2v.api.models import Removal

SharedOpt = Annotated[
    bool, typer.Option("--shared", help="Also what other models on this machine need.")
]
SureOpt = Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `t2v models`."""
    app.command(epilog=examples("t2v models pull wan2.1-t2v-1.3b"))(pull)
    app.command(epilog=examples("t2v models verify wan2.1-t2v-1.3b"))(verify)
    app.command(
        epilog=examples("t2v models remove wan2.1-t2v-1.3b", "t2v models remove my-wan --yes")
    )(remove)
    app.command(epilog=examples("t2v models path doodle-128"))(path)


def pull(
    model: o.ModelArg,
    allow_pickle: o.PickleOpt = False,
    progress: o.ProgressOpt = "auto",
    yes: o.YesOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Download a model and print its folder.

    Only the files that loading reads are fetched, and free space is checked first. After a broken
    connection or a stop, the same command goes on where the download ended.
    """
    show = display(progress, quiet=quiet)
    spec = t2v.Zoo.load().find(model)
    with Stopping(show) as listener:
        ask_for_weights(spec, yes=yes)
        folder = t2v.pull(spec, allow_pickle=allow_pickle, listener=listener)
    out.data(folder)


def verify(
    model: o.ModelArg,
    progress: o.ProgressOpt = "auto",
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Compare the files of a model with the hashes that the Hub gave for them.

    Works offline for what t2v has pulled. Every damaged file is named on stdout, the exit code is 1
    then, and t2v models pull fetches those files again.
    """
    show = display(progress, quiet=quiet)
    with Stopping(show) as listener:
        found = t2v.verify(model, listener=listener)
    if json:
        out.json(asdict(found))
    for damage in () if json else found.damages:
        out.data(damage.path if quiet else damage)
    again = f"fetch again what is damaged: t2v models pull {model}"
    if found.damages:
        raise t2v.errors.ModelError(f"{found.model} is damaged; {again}")
    out.talk(f"{found.model}: {found.num_files} files, {t2v.text.gb(found.num_bytes)}, all right")
    if t2v.locate(model) is None:
        out.talk(f"it is not whole yet; the rest: t2v models pull {model}")


def remove(
    model: o.ModelArg,
    shared: SharedOpt = False,
    yes: SureOpt = False,
    json: o.JsonOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Free the disk space of a model, and drop the entry that t2v models add made for it.

    Local folders and the model inside t2v are never touched. What another model on this machine
    needs stays, unless --shared is given.
    """
    out.quiet = quiet
    removal = t2v.plan_removal(model, shared=shared)
    for line in _what(removal):
        out.talk(line)
    if not removal.is_empty:
        if not yes:
            _ask(removal)
        t2v.remove_model(removal)
        freed = f"{t2v.text.gb(removal.num_bytes)} freed ({removal.num_bytes} bytes)"
        out.talk(freed if removal.repos else f"removed {removal.model}")
        if removal.entry and t2v.Zoo.load().default() == removal.model:
            out.warn(f"{removal.model} was your default; choose another: t2v models default NAME")
    if json:
        names = {"entry": str(removal.entry) if removal.entry else None}
        out.json(asdict(removal) | names | {"num_bytes": removal.num_bytes})


def path(model: o.ModelArg) -> None:
    """Print the folder of a model that is on this machine."""
    folder = t2v.locate(model)
    if folder is None:
        raise t2v.errors.WeightsMissingError(
            f"{model} is not on this machine; `t2v models pull {model}` downloads it"
        )
    out.data(folder)


def _what(removal: "Removal") -> list[str]:
    lines = [f"{repo}: {t2v.text.gb(size)} in the cache" for repo, size in removal.repos]
    lines += [f"{repo} stays: {other} needs it (--shared)" for repo, other in removal.kept]
    lines += [f"its entry: {removal.entry}"] if removal.entry else []
    lines += [f"{removal.folder} stays: it is a folder of yours"] if removal.folder else []
    return lines if not removal.is_empty else [*lines, f"nothing of {removal.model} to remove"]


def _ask(removal: "Removal") -> None:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise t2v.errors.RequestError("Nobody is here to ask; --yes removes it without a question.")
    if not typer.confirm(f"Remove {removal.model}?", default=False, err=True):
        raise t2v.errors.InterruptedRun("nothing was removed")
