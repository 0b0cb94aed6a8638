"""The real command line, called in this process or as a program of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from t2v_cli.__main__ import run
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
SMALL = ("--num-frames", "5", "--steps", "2", "--seed", "3")
"""The embedded model at its quickest."""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `t2v ARGUMENTS` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["t2v", *arguments])
        capsys.readouterr()
        code = run(arguments)
        return Result(code, *capsys.readouterr())

    return call


def environment(**more: str) -> dict[str, str]:
    """What a program of its own needs to find the code."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "cli")])
    return {**os.environ, "PYTHONPATH": paths, **more}


@pytest.fixture
def program(tmp_path: Path) -> Cli:
    """Run `python -m t2v_cli ARGUMENTS` as a process, in an empty folder."""

    def call(*arguments: str | bytes, stdin: str = "", **more: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "t2v_cli", *arguments],
            input=stdin.encode(),
            capture_output=True,
            cwd=tmp_path,
            env=environment(**more),
            timeout=PATIENCE_S,
        )
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        return Result(done.returncode, out, err)

    return call
