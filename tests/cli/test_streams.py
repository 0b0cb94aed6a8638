"""Odd terminals, closed and full streams, strange bytes: a clear end, never a traceback."""

import os
import pty
import subprocess
import sys

import pytest

from tests.cli.conftest import environment
from tests.patience import PATIENCE_S, patience

PLAN = ("plan", "a ball", "--seed", "7")


def shell(command: str, tmp_path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which `$T2V` is the program."""
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(T2V=f"{sys.executable} -m t2v_cli", **more),
        timeout=PATIENCE_S,
    )


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    done = shell("$T2V models list | head -1", tmp_path)
    assert (done.stdout[:4], done.stderr) == ("name", "")


def test_closed_streams_are_survived(tmp_path):
    assert shell("$T2V plan 'a ball' <&- >&- 2>&-", tmp_path).returncode == 0


def test_a_full_disk_below_stdout_is_said(tmp_path):
    done = shell("$T2V models list -q > /dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (
        74,
        "error: the disk is full; free some space and run it again\n",
    )


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_any_locale_takes_any_prompt(program, locale):
    result = program("plan", "ein Bär 🦊", "--json", LC_ALL=locale, LANG=locale)
    assert result.code == 0
    assert result.json()["request"]["prompt"]["value"] == "ein Bär 🦊"


def test_an_ascii_terminal_shows_other_letters_escaped(program):
    result = program("plan", "ein Bär", PYTHONIOENCODING="ascii")
    assert result.code == 0
    assert "ein B\\xe4r" in result.out


def test_bytes_that_are_no_text_are_no_traceback(program):
    result = program("plan", b"a \xff ball")
    assert result.code == 0
    assert "Traceback" not in result.err


def test_bytes_that_are_no_text_on_stdin_are_replaced(program, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "t2v_cli", "plan", "-", "--json"],
        input=b"a \xff ball\n",
        capture_output=True,
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0


def on_terminal(arguments: tuple[str, ...], tmp_path, *, typed: str = "", **more: str) -> str:
    """What a person sees who types the command, and then something more."""
    seen = b""
    leader, follower = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "t2v_cli", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=tmp_path,
        env=environment(TERM="xterm", COLUMNS="120", **more),
        start_new_session=True,
    )
    os.close(follower)
    with patience(program):
        os.write(leader, typed.encode())
        try:
            while chunk := os.read(leader, 4096):
                seen += chunk
        except OSError:
            pass  # Linux answers so when the child is gone.
        os.close(leader)
        program.wait()
    return seen.decode()


def test_errors_are_red_on_a_terminal(tmp_path):
    assert on_terminal(("gen",), tmp_path, NO_COLOR="").startswith(
        "\x1b[31merror:\x1b[0m t2v has no"
    )


def test_no_color_is_respected(tmp_path):
    assert "\x1b[3" not in on_terminal(("gen",), tmp_path, NO_COLOR="1")


def test_a_table_is_drawn_on_a_terminal_and_markup_in_data_is_text(tmp_path):
    seen = on_terminal(("plan", "a [bold]ball[/x] \x1b[31m", "--seed", "7"), tmp_path, NO_COLOR="1")
    assert "─" in seen
    assert "a [bold]ball[/x]" in seen
    assert "\x1b[31m" not in seen


def test_a_download_is_asked_for_on_a_terminal(tmp_path):
    seen = on_terminal(("models", "pull", "wan2.1-t2v-1.3b"), tmp_path, typed="n\n")
    assert "14.7 GB to download from Wan-AI/Wan2.1-T2V-1.3B-Diffusers" in seen
    assert "Download it? [Y/n]" in seen
    assert "error: wan2.1-t2v-1.3b was not downloaded" in seen


def test_a_download_is_not_asked_for_with_yes(tmp_path):
    seen = on_terminal(("models", "pull", "wan2.1-t2v-1.3b", "--yes"), tmp_path)
    assert "Download it?" not in seen
