"""Ctrl-C and SIGTERM in every stage: exit 130, a message, no half file, nothing lost."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import t2v
from t2v_cli import stopping
from t2v_cli.__main__ import run
from tests.crash.forking import Tell, forked
from tests.crash.looking import frames_in, needs_ffprobe, parts_in

pytestmark = [
    needs_ffprobe,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX can fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def commanding(folder: Path, arguments: tuple[str, ...]) -> Callable[[Tell], int]:
    """`t2v ARGUMENTS` in the folder; its events are told as they are shown."""

    def work(tell: Tell) -> int:
        os.chdir(folder)
        show = stopping.Stopping.__call__

        def shown(self: stopping.Stopping, event: "t2v.Event") -> None:
            tell(event)
            show(self, event)

        stopping.Stopping.__call__ = shown  # type: ignore[method-assign]
        return run(arguments)

    return work


GENERATE = ("generate", "a red ball", "--steps", "4", "--num-frames", "17", "-o", "x.mp4")
STAGES = [
    # a stage, what is said, whether the latents are kept
    ("load", "Stopped", False),
    ("encode", "Stopped", False),
    ("denoise", "x.mp4 was not written", False),
    ("decode", "finish with: t2v decode", True),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the outputs go; the logs lie beside it."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.mark.parametrize(("stage", "said", "is_kept"), STAGES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.slow
def test_one_signal_ends_the_run_cleanly(
    folder: Path, tmp_path: Path, stage: str, said: str, is_kept: bool, number: int
):
    child = forked(commanding(folder, GENERATE), tmp_path / "log")
    child.wait_for_stage(stage)
    code = child.kill(number)
    log = (tmp_path / "log").read_text()
    assert code == 130, log
    assert said in log
    assert "Traceback" not in log
    assert [path.name for path in folder.iterdir()] == (["x.mp4.latents"] if is_kept else [])
    if is_kept:
        done = forked(commanding(folder, ("decode", "x.mp4.latents")), tmp_path / "log")
        assert done.wait() == 0
        assert frames_in(folder / "x.mp4") == 17


@pytest.mark.slow
def test_a_signal_while_the_file_is_completed_leaves_it_whole_or_the_latents(
    folder: Path, tmp_path: Path
):
    child = forked(commanding(folder, GENERATE), tmp_path / "log")
    child.wait_for_stage("write")
    code = child.kill(signal.SIGINT)
    assert parts_in(folder) == []
    names = {path.name for path in folder.iterdir()}
    if code == 0:
        assert names == {"x.mp4", "x.json"}
    else:
        assert code == 130
        assert names in ({"x.mp4.latents"}, {"x.mp4", "x.json"}, {"x.mp4"})
    if "x.mp4" in names:
        assert frames_in(folder / "x.mp4") == 17


@pytest.mark.slow
def test_two_signals_at_once_leave_no_half_file(folder: Path, tmp_path: Path):
    for stage in ("denoise", "decode"):
        child = forked(commanding(folder, GENERATE), tmp_path / "log")
        child.wait_for_stage(stage)
        os.kill(child.pid, signal.SIGTERM)
        assert child.kill(signal.SIGTERM) == 130
        assert parts_in(folder) == []
        assert not (folder / "x.mp4").exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_command_line_killed_at_a_random_moment(folder: Path, tmp_path: Path, seed: int):
    from tests.crash.test_kill import killed_at  # noqa: PLC0415 - it is slow's alone

    killed_at(commanding(folder, GENERATE), seed, 28, tmp_path / "log")  # type: ignore[arg-type]
    if (folder / "x.mp4").exists():
        assert frames_in(folder / "x.mp4") == 17
    done = forked(commanding(folder, (*GENERATE, "--overwrite")), tmp_path / "log")
    assert done.wait() == 0, (tmp_path / "log").read_text()
    assert frames_in(folder / "x.mp4") == 17
    assert parts_in(folder) == []
