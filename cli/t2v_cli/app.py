"""The Typer app: which commands there are."""

from typing import Annotated

import typer

import t2v
from t2v_cli import batch, decode, doctor, generate, inspect, models, replay
from t2v_cli.output import out
from t2v_cli.values import examples

SHORT_HELP = """\
t2v makes videos from text.

  t2v generate "a red ball bounces over green hills"    make a video
  t2v batch prompts.txt                                 the videos of a file of prompts
  t2v models list                                       which models there are
  t2v plan "a red ball" --seconds 2                     what would be done
  t2v inspect clip.mp4                                  how a video was made
  t2v doctor                                            whether this machine is ready

t2v --help shows every command, t2v COMMAND --help its options."""

app = typer.Typer(
    name="t2v",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    suggest_commands=False,  # faults.py does
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        out.data(f"t2v {t2v.__version__}")
        raise typer.Exit


# Eager: the other parameters are not looked at, which would take pydantic.
VersionOpt = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
]


@app.callback(
    invoke_without_command=True,
    epilog=examples('t2v generate "a red ball bounces over green hills"', "t2v models list"),
)
def root(
    ctx: typer.Context,
    version: VersionOpt = False,
) -> None:
    """Make videos from text with open models."""
    if ctx.invoked_subcommand is None:
        out.data(SHORT_HELP)


app.command("generate", epilog=generate.GENERATE_EXAMPLES)(generate.generate)
app.command("plan", help=generate.PLAN_HELP, epilog=generate.PLAN_EXAMPLES)(generate.plan)
app.command("batch", epilog=batch.EXAMPLES)(batch.batch)
app.add_typer(models.app, name="models")
app.command(epilog=inspect.EXAMPLES)(inspect.inspect)
app.command(epilog=replay.EXAMPLES)(replay.replay)
app.command(epilog=decode.EXAMPLES)(decode.decode)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
