"""What was typed of a batch, as the library wants it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import t2v
from t2v_cli.output import one_line
from t2v_cli.values import one_of

if TYPE_CHECKING:
    from t2v import Manner, RayEngine

LAYOUTS = ("flat", "vbench")
ENGINES = ("local", "ray")


def run_folder(output: str | None, files: Sequence[str]) -> Path:
    """Where the run goes; without a name, a new folder called like the first file.

    Raises:
        RequestError: That one is there, and no run made it.
    """
    if output is not None:
        if not output.strip():
            raise typer.BadParameter("needs the name of a folder", param_hint="--output")
        folder = Path(output).expanduser()
    else:
        folder = Path("batch" if files[0] == "-" else Path(files[0]).stem)
        if folder.is_dir() and any(folder.iterdir()) and not t2v.is_run(folder):
            raise t2v.errors.RequestError(
                f"{folder} is there and holds something else. Name the folder of the run with -o."
            )
    if folder.exists() and not folder.is_dir():
        raise t2v.errors.RequestError(f"{folder} is a file; -o names the folder of the run.")
    return folder


def to_manner(given: Mapping[str, Any], folder: Path) -> "Manner":
    """How the videos are made."""
    return t2v.Manner(
        folder=folder.absolute(),
        strict=given["strict"],
        allow_pickle=given["allow_pickle"],
        batch_size=whole(given["batch_size"], "--batch-size") or 1,
        lanes=whole(given["lanes"], "--lanes"),
        encode_first=given["encode_first"],
        publish=given["publish"],
    )


def to_limits(given: Mapping[str, Any]) -> dict[str, Any]:
    """When the run tries again, and when it gives up."""
    retry = whole(given["retry"], "--retry", least=0)
    return {
        "retry": 1 if retry is None else retry,
        "retry_failed": given["retry_failed"],
        "max_failures": whole(given["max_failures"], "--max-failures"),
        "timeout_s": seconds(given["timeout"], "--timeout"),
        "workers": to_workers(given),
        "fresh": given["fresh"],
        "verify": given["verify"],
        "shard": to_shard(given),
    }


def to_workers(given: Mapping[str, Any]) -> int | None:
    """How many workers; None leaves it to the machine."""
    return None if given["workers"] == "auto" else whole(given["workers"], "--workers")


def to_shard(given: Mapping[str, Any]) -> "t2v.Shard | None":
    """The share that is made here."""
    return None if given["shard"] is None else t2v.Shard.parse(given["shard"])


def to_engine(given: Mapping[str, Any]) -> "RayEngine | None":
    """The cluster, where one is asked for."""
    if one_of(given["engine"], ENGINES, "--engine") == "local":
        if given["address"] is not None:
            raise typer.BadParameter("is for --engine ray", param_hint="--address")
        return None
    device, shard = given["device"] or "auto", to_shard(given)
    return t2v.RayEngine(
        given["address"],
        num_workers=to_workers(given),
        device=device,
        label=shard.label if shard else "",
    )


def to_sweeps(pairs: Sequence[str] | None) -> dict[str, list[str]]:
    """`["steps=20,30"]` -> `{"steps": ["20", "30"]}`."""
    sweeps: dict[str, list[str]] = {}
    for pair in pairs or ():
        key, equals, text = pair.partition("=")
        values = [value.strip() for value in text.split(",") if value.strip()]
        if not key.strip() or not equals or not values:
            raise typer.BadParameter(f"{one_line(pair)!r} is not KEY=A,B,...", param_hint="--sweep")
        if key.strip() in sweeps:
            raise typer.BadParameter(f"{one_line(key)!r} is given twice", param_hint="--sweep")
        sweeps[key.strip()] = values
    return sweeps


def whole(text: str | None, flag: str, least: int = 1) -> int | None:
    """The whole number that an option says; None where it is not given."""
    if text is None:
        return None
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits) >= least):
        raise typer.BadParameter(
            f"{one_line(text)!r} is no whole number from {least} up", param_hint=flag
        )
    return int(digits)


def seconds(text: str | None, flag: str) -> float | None:
    """The time that an option says; None where it is not given."""
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = 0.0
    if value is not None and not 0 < value < 1e7:
        raise typer.BadParameter(f"{one_line(text)!r} is no time in seconds", param_hint=flag)
    return value
