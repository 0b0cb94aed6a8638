"""A small world to attack: a folder to work in, things beside it that must stay as they are."""

import hashlib
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from t2v_cli.__main__ import run

HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
CANARY = "hf_CanaryCanaryCanaryCanary0123456789"
PLACE = re.compile(r":\d+:\d+: ")
MAX_LINES, MAX_CHARACTERS = 3, 1500
CODES = {0, 1, 2, 4, 74, 130}

Tree = dict[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Outcome:
    """What a command said and did."""

    code: int
    out: str
    err: str
    changed: tuple[str, ...]
    """Files that appeared, changed or went, relative to the folder worked in."""

    @property
    def error(self) -> str:
        """The text of the error, empty if there was none."""
        return self.err.partition("error: ")[2]


def tree(folder: Path) -> Tree:
    """Every file below the folder, as far as a change of it would show."""
    found: Tree = {}
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place, name)
            info = path.lstat()
            content = ""
            if stat.S_ISREG(info.st_mode) and info.st_size < 1_000_000:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            kind = stat.S_IFMT(info.st_mode)
            size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
            found[path.relative_to(folder).as_posix()] = (kind, size, content)
    return found


def changes(before: Tree, after: Tree) -> tuple[str, ...]:
    """The names that differ."""
    return tuple(
        sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    )


def assert_harmless(text: str) -> None:
    """Nothing in the text moves a cursor, reorders letters, or gives a token away."""
    assert not HARMFUL.search(text), ascii(text)[:2000]
    assert CANARY not in text
    assert "Traceback" not in text, text
    assert "bug in t2v" not in text, text


class World:
    """Runs commands in `work`, and checks what holds for every command whatever it was given."""

    def __init__(
        self,
        root: Path,
        home: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.root, self.home = root, home
        self.work, self.outside = root / "work", root / "outside"
        self.work.mkdir()
        self.outside.mkdir()
        (self.outside / "precious.txt").write_text("do not touch")
        self._capsys, self._monkeypatch = capsys, monkeypatch
        monkeypatch.chdir(self.work)
        monkeypatch.setenv("HF_TOKEN", CANARY)

    def __call__(self, *arguments: str) -> Outcome:
        """Run `t2v ARGUMENTS` and check that it ends well: in a clear message or in good files."""
        before, home_before = tree(self.root), tree(self.home)
        self._monkeypatch.setattr(sys, "argv", ["t2v", *arguments])
        self._capsys.readouterr()
        code = run(arguments)
        out, err = self._capsys.readouterr()
        changed = changes(before, tree(self.root))
        self._check_places(changed, changes(home_before, tree(self.home)))
        assert_harmless(out)
        assert_harmless(err)
        outcome = Outcome(code, out, err, tuple(name.removeprefix("work/") for name in changed))
        self._check_message(outcome)
        return outcome

    def _check_places(self, changed: tuple[str, ...], in_home: tuple[str, ...]) -> None:
        strays = [name for name in changed if not name.startswith("work/")]
        strays += [name for name in in_home if not name.startswith("cache")]
        assert strays == []

    def _check_message(self, outcome: Outcome) -> None:
        assert outcome.code in CODES
        if outcome.code not in (0, 4):
            lines = outcome.error.strip().splitlines()
            # A file gets a line a fault, with the place of each; a check prints them as its result.
            faults = [line for line in lines if PLACE.search(line)]
            assert outcome.out or 1 <= len(lines) - len(faults) + bool(faults) <= MAX_LINES
            assert len(lines) <= 9, outcome.err
            assert len(outcome.error) <= MAX_CHARACTERS, outcome.err[:3000]
            assert not [name for name in outcome.changed if ".part" in name]
