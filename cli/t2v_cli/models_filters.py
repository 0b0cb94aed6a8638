"""The options that narrow down and order `t2v models list`."""

from typing import Annotated, Any

import typer


def _filter(metavar: str, help: str, *flags: str) -> Any:
    return typer.Option(*flags, metavar=metavar, help=help, show_default=False)


FamilyOpt = Annotated[str | None, _filter("NAME", "Only this family, such as wan.", "--family")]
LicenseOpt = Annotated[
    str | None, _filter("ID", "Only licenses that begin so, such as apache.", "--license")
]
CommercialOpt = Annotated[
    str | None,
    _filter("ANSWER", "Only those whose license says yes, no or conditions.", "--commercial"),
]
DownloadOpt = Annotated[
    str | None, _filter("SIZE", "Only downloads up to this, such as 20GB.", "--max-download")
]
TaskOpt = Annotated[str | None, _filter("TASK", "Only this task.", "--task")]
FitsOpt = Annotated[
    bool, typer.Option("--fits", help="Only those that fit this machine, offloaded or not.")
]
CachedOpt = Annotated[bool, typer.Option("--cached", help="Only those that are on this machine.")]
SortOpt = Annotated[
    str | None,
    _filter(
        "KEY",
        "name, family, params, download, length, license or maturity; else as in the catalogs.",
        "--sort",
    ),
]
ReverseOpt = Annotated[bool, typer.Option("--reverse", "-r", help="Sort the other way around.")]
