"""Every command in the documentation is one that t2v takes."""

import re

import pytest
import typer

from t2v_cli.__main__ import run
from t2v_cli.app import app
from tests.docs.reading import commands

GROUP = typer.main.get_command(app)
GUIDES = ("adding-a-model.md", "adding-a-family.md", "long-video.md")
"""Done for real in test_guides.py, and in test_long_video.py with the story of the page."""
PLANNED = [
    line
    for line in commands(but=GUIDES)
    # A work folder is there when a run has left one.
    if line[0] in ("generate", "plan") and len(line) > 1 and "--resume" not in line
]


def test_there_are_commands_to_look_at():
    assert len(commands()) > 20


@pytest.mark.parametrize("line", commands(), ids=" ".join)
def test_command_is_understood(line):
    command, words = GROUP, list(line)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]

    command.make_context("t2v", words)


@pytest.mark.parametrize("line", PLANNED, ids=" ".join)
def test_generation_can_be_planned(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run([*line, "--dry-run"] if line[0] == "generate" else line) == 0
    assert re.search(r"^output |\"outputs\":|\.\w+$", capsys.readouterr().out, re.MULTILINE)
