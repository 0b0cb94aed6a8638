"""`t2v models pull, path`: the weights of models on this machine."""

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.progress import display
from t2v_cli.running import ask_for_weights
from t2v_cli.stopping import Stopping
from t2v_cli.values import examples


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `t2v models`."""
    app.command(epilog=examples("t2v models pull wan2.1-t2v-1.3b"))(pull)
    app.command(epilog=examples("t2v models path doodle-128"))(path)


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


def path(model: o.ModelArg) -> None:
    """Print the folder of a model that is on this machine."""
    folder = t2v.locate(model)
    if folder is None:
        raise t2v.errors.WeightsMissingError(
            f"{model} is not on this machine; `t2v models pull {model}` downloads it"
        )
    out.data(folder)
