"""`t2v models add`: a folder or a repository becomes a model of the zoo, without code."""

from typing import Annotated

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.values import examples


def _say(metavar: str, help: str, *flags: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        *flags, metavar=metavar, help=help, show_default=False
    )
    return option


SourceArg = Annotated[
    str,
    typer.Argument(
        metavar="REPO_OR_FOLDER", help="A Hub repository (org/name[@revision]) or a local folder."
    ),
]
NameOpt = Annotated[str | None, _say("NAME", "Its name; else made of the source's.", "--name")]
LicenseOpt = Annotated[str | None, _say("ID", "Its license, such as apache-2.0.", "--license")]
CommercialOpt = Annotated[
    str | None, _say("ANSWER", "What that says to commercial use.", "--commercial")
]
DescriptionOpt = Annotated[
    str | None, _say("TEXT", "A line that helps to choose it.", "--description")
]
AliasOpt = Annotated[
    list[str] | None, _say("NAME", "A shorter name; may be given more than once.", "--alias")
]
OverwriteOpt = Annotated[bool, typer.Option("--overwrite", help="Replace an entry made before.")]


def register(app: typer.Typer) -> None:
    """Add the command of this module to `t2v models`."""
    app.command(
        epilog=examples(
            "t2v models add ./my-wan --name my-wan --license apache-2.0",
            "t2v models add org/name --dry-run",
        )
    )(add)


def add(
    source: SourceArg,
    name: NameOpt = None,
    description: DescriptionOpt = None,
    license: LicenseOpt = None,
    commercial: CommercialOpt = None,
    alias: AliasOpt = None,
    overwrite: OverwriteOpt = False,
    dry_run: o.DryRunOpt = False,
    quiet: o.QuietOpt = False,
) -> None:
    """Make an entry of a model from its own configuration files, and print the file it went to.

    Pipeline, frame rule, sizes, parameters and, where its card says it, the license are filled in
    and checked; what is left for you is said. With --dry-run the entry itself is printed. From then
    on the model has a name: list shows it, generate -m takes it, remove drops it.
    """
    out.quiet = quiet
    made = t2v.add_model(
        source,
        name=name,
        description=description,
        license=license,
        commercial=commercial,
        aliases=tuple(alias or ()),
        overwrite=overwrite,
        dry_run=dry_run,
    )
    out.data(made.text.rstrip() if dry_run else made.path)
    for line in made.fill_in:
        out.talk(f"fill in {line}")
    if not dry_run:
        out.talk(f"then: t2v models check; t2v plan 'a red ball' -m {made.name}")
