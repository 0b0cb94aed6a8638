"""kill -9 at any moment: the final name holds a whole file or nothing."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import t2v
from t2v.media.writer import open_writer
from tests.crash import works
from tests.crash.children import killed_at, needs_children, seeds, started
from tests.crash.looking import frames_in, has_fragment, needs_ffprobe, parts_in

pytestmark = [needs_ffprobe, needs_children]
WRITERS = [(name, seed) for name in ("x.mkv", "x.mov") for seed in range(2)]
WRITERS += [("x.mp4", seed) for seed in range(20)]
EVENTS_OF_A_RUN = 14
"""encode, 3 of denoising, decode, 5 frames, write, done, and a few that come later."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the outputs go; the logs lie beside it."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.mark.parametrize("seed", seeds(20, 5))
def test_a_generation_killed_at_a_random_moment(
    doodle: t2v.Generator, folder: Path, tmp_path: Path, seed: int
):
    output = folder / "x.mp4"
    killed_at(
        works.generate,
        output,
        save_latents=seed % 2 == 0,
        seed=seed,
        last=EVENTS_OF_A_RUN,
        log=tmp_path / "log",
    )
    if output.exists():
        assert frames_in(output) == 5
    for part in filter(has_fragment, parts_in(folder)):
        assert frames_in(part) > 0

    doodle.generate("a red ball", output=output, overwrite=True, save_latents=True, **works.QUICK)
    assert frames_in(output) == 5
    assert parts_in(folder) == []


@pytest.mark.parametrize(("name", "seed"), WRITERS)
def test_a_writer_killed_at_a_random_moment(folder: Path, tmp_path: Path, name: str, seed: int):
    output = folder / name
    killed_at(works.write, output, 200, seed=seed, last=205, log=tmp_path / "log")
    if output.exists():
        assert frames_in(output) == 200
    for part in filter(has_fragment, parts_in(folder)):
        assert frames_in(part) > 0

    with open_writer(output, width=64, height=64, fps=Fraction(16), overwrite=True) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
        writer.finish()
    assert parts_in(folder) == []


def test_what_a_crash_leaves_of_a_long_video_can_be_watched(folder: Path, tmp_path: Path):
    with started(works.write, folder / "x.mp4", 1000, log=tmp_path / "log") as child:
        child.wait_for(600)
        child.kill()
    (part,) = parts_in(folder)
    assert frames_in(part) > 400


@pytest.mark.parametrize("seed", seeds(10, 4))
@pytest.mark.parametrize("name", ["x.mp4", "x.gif"])
def test_overwriting_killed_at_a_random_moment_leaves_the_old_or_the_new(
    folder: Path, tmp_path: Path, name: str, seed: int
):
    output = folder / name
    with open_writer(output, width=64, height=64, fps=Fraction(16)) as writer:
        for level in (0, 50, 100):
            writer.write(np.full((64, 64, 3), level, np.uint8))
        writer.finish()
    old = output.read_bytes()
    # Nearly all of the moments after the last frame: that is where names change.
    killed_at(
        works.write, output, 20, overwrite=True, seed=seed + 100, last=23, log=tmp_path / "log"
    )
    assert output.read_bytes() == old or frames_in(output) == 20


@pytest.mark.parametrize("seed", seeds(8, 3))
def test_pictures_killed_at_a_random_moment(folder: Path, tmp_path: Path, seed: int):
    output = folder / "x"
    killed_at(works.write, output, 30, codec="png", seed=seed, last=33, log=tmp_path / "log")
    if output.exists():
        assert len(list(output.glob("*.png"))) == 30
    with open_writer(
        output, width=64, height=64, fps=Fraction(16), codec="png", overwrite=True
    ) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
        writer.finish()
    assert parts_in(folder) == []
