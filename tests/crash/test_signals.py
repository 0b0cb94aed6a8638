"""Ctrl-C and SIGTERM in every stage: exit 130, a message, no half file, nothing lost."""

import signal
from pathlib import Path

import pytest

from tests.crash import works
from tests.crash.children import killed_at, needs_children, started
from tests.crash.looking import frames_in, needs_ffprobe, parts_in

pytestmark = [needs_ffprobe, needs_children]
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
    with started(works.command, folder, *GENERATE, log=tmp_path / "log") as child:
        child.wait_for_stage(stage)
        code = child.kill(number)
    log = (tmp_path / "log").read_text()
    assert code == 130, log
    assert said in log
    assert "Traceback" not in log
    assert [path.name for path in folder.iterdir()] == (["x.mp4.latents"] if is_kept else [])
    if is_kept:
        decode = ("decode", "x.mp4.latents")
        with started(works.command, folder, *decode, log=tmp_path / "log") as child:
            assert child.wait() == 0
        assert frames_in(folder / "x.mp4") == 17


@pytest.mark.slow
def test_a_signal_while_the_file_is_completed_leaves_it_whole_or_the_latents(
    folder: Path, tmp_path: Path
):
    with started(works.command, folder, *GENERATE, log=tmp_path / "log") as child:
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
        with started(works.command, folder, *GENERATE, log=tmp_path / "log") as child:
            child.wait_for_stage(stage)
            child.send(signal.SIGTERM)
            assert child.kill(signal.SIGTERM) == 130
        assert parts_in(folder) == []
        assert not (folder / "x.mp4").exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_command_line_killed_at_a_random_moment(folder: Path, tmp_path: Path, seed: int):
    killed_at(works.command, folder, *GENERATE, seed=seed, last=28, log=tmp_path / "log")
    if (folder / "x.mp4").exists():
        assert frames_in(folder / "x.mp4") == 17
    again = (*GENERATE, "--overwrite")
    with started(works.command, folder, *again, log=tmp_path / "log") as child:
        assert child.wait() == 0, (tmp_path / "log").read_text()
    assert frames_in(folder / "x.mp4") == 17
    assert parts_in(folder) == []
