"""`t2v doctor`: whether this machine is ready, and what to fix."""

from dataclasses import asdict

import typer

import t2v
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.values import examples

EXAMPLES = examples("t2v doctor", "t2v doctor --json")


def doctor(json: o.JsonOpt = False) -> None:
    """Check device, memory, versions, codecs, caches and token.

    Nothing is changed or downloaded. Exits with 1 if something has to be fixed.
    """
    checks = t2v.doctor()
    if json:
        out.json([asdict(check) for check in checks])
    else:
        out.table(
            ("check", "state", "found", "what to do"),
            [(check.name, check.status, check.detail, check.fix or "") for check in checks],
        )
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(1)
