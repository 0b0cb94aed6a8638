"""Places for an output that are no good place: the message comes before the work, or the work is whole."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import t2v
from t2v.media.writer import open_writer
from tests.hostile.world import World, assert_harmless, changes, tree
from tests.patience import PATIENCE_S

Make = Callable[[Path], object]


def link(name: str, target: str) -> Make:
    return lambda work: (work / name).symlink_to(target)


REFUSED = [
    # what it is, what is there before, the output, the exit code, what is said
    ("a file that is there", lambda w: (w / "x.mp4").touch(), "x.mp4", 74, "exists"),
    ("a FIFO", lambda w: os.mkfifo(w / "x.mp4"), "x.mp4", 74, "exists"),
    ("a link to a file beside the work", link("x.mp4", "../outside/precious.txt"), "x.mp4", 74, "exists"),
    ("a link to nothing", link("x.mp4", "../outside/new.mp4"), "x.mp4", 74, "exists"),
    ("a link to itself", link("x.mp4", "x.mp4"), "x.mp4", 74, "exists"),
    ("a link to a full disk", link("x.mp4", "/dev/full"), "x.mp4", 74, "exists"),
    ("a full disk", lambda w: None, "/dev/full", 2, "no known kind"),
    ("no disk", lambda w: None, "/dev/null", 2, "no known kind"),
    ("a name inside of a device", lambda w: None, "/dev/null/x.mp4", 74, "is a file, not a folder"),
    ("a name inside of a file", lambda w: (w / "a").touch(), "a/x.mp4", 74, "is a file, not a folder"),
    ("a name inside of a loop", link("a", "a"), "a/x.mp4", 74, ""),
    ("a folder that is full", lambda w: ((w / "a").mkdir(), (w / "a" / "b").touch()), "a", 74, "exists"),
    ("this folder", lambda w: None, ".", 2, "is a folder"),
    ("a file as a folder", lambda w: (w / "a").touch(), "a/", 74, ""),
    ("a folder of the kernel", lambda w: None, "/proc/t2v/x.mp4", 74, ""),
    ("a file of the kernel", lambda w: None, "/sys/x.mp4", 74, ""),
]  # fmt: skip

OVERWRITTEN = [
    # what it is, what is there before, the output, the exit code
    ("a file", lambda w: (w / "x.mp4").write_text("old"), "x.mp4", 0),
    ("a link to a file beside the work", link("x.mp4", "../outside/precious.txt"), "x.mp4", 0),
    ("a link to nothing", link("x.mp4", "../outside/new.mp4"), "x.mp4", 0),
    ("a link to itself", link("x.mp4", "x.mp4"), "x.mp4", 0),
    ("a link to a full disk", link("x.mp4", "/dev/full"), "x.mp4", 0),
    ("a FIFO", lambda w: os.mkfifo(w / "x.mp4"), "x.mp4", 74),
    ("a folder of somebody's", lambda w: ((w / "a").mkdir(), (w / "a" / "b").touch()), "a", 74),
    ("a folder of pictures", lambda w: ((w / "a").mkdir(), (w / "a" / "00000.png").touch()), "a", 0),
    ("a link to a folder", link("a", "../outside"), "a", 74),
    ("a link to a folder, as a folder", link("a", "../outside"), "a/", 74),
    ("a sidecar of somebody's", lambda w: (w / "x.json").write_text("mine"), "x.mp4", 0),
    ("a sidecar that is a link", link("x.json", "../outside/precious.txt"), "x.mp4", 0),
    ("a sidecar that is a FIFO", lambda w: os.mkfifo(w / "x.json"), "x.mp4", 0),
    ("a sidecar that is a folder", lambda w: (w / "x.json").mkdir(), "x.mp4", 0),
    ("latents of somebody's", lambda w: ((w / "x.mp4.latents").mkdir(), (w / "x.mp4.latents" / "mine").touch()), "x.mp4", 0),
    ("parts that are links", link(".x.mp4.part-1", "../outside/precious.txt"), "x.mp4", 0),
    ("parts that are a FIFO", lambda w: os.mkfifo(w / ".x.mp4.part-1"), "x.mp4", 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "output", "code", "said"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_a_bad_place_is_refused_before_the_model_is_loaded(
    world: World, before: Make, output: str, code: int, said: str
):
    before(world.work)
    refused = world("generate", "a ball", "--steps", "1", "--num-frames", "5", "-o", output)
    assert (refused.code, refused.changed) == (code, ())
    assert said in refused.error
    assert "denoising" not in refused.err


@pytest.mark.parametrize(
    ("before", "output", "code"), [c[1:] for c in OVERWRITTEN], ids=[c[0] for c in OVERWRITTEN]
)
def test_overwriting_replaces_the_name_and_touches_nothing_behind_it(
    world: World, doodle: t2v.Generator, before: Make, output: str, code: int
):
    before(world.work)
    snapshot = tree(world.root)
    made = made_or_refused(doodle, Path(output), overwrite=True)
    touched = changes(snapshot, tree(world.root))
    if isinstance(made, t2v.errors.T2VError):
        assert (made.exit_code, touched) == (code, ())
        assert_harmless(str(made))
        return
    assert code == 0
    assert stat.S_ISREG(os.lstat(output).st_mode) or Path(output).is_dir()
    assert all(name.startswith("work/") for name in touched)
    assert (world.outside / "precious.txt").read_text() == "do not touch"


def made_or_refused(
    doodle: t2v.Generator, output: Path, *, overwrite: bool
) -> t2v.Video | t2v.errors.T2VError:
    try:
        return doodle.generate(
            "a ball", output=output, overwrite=overwrite, num_frames=5, num_inference_steps=1
        )
    except t2v.errors.T2VError as error:
        return error


def test_latents_beside_an_output_of_somebody_are_not_deleted(world: World, doodle: t2v.Generator):
    (world.work / "x.mp4.latents").mkdir()
    (world.work / "x.mp4.latents" / "mine").write_text("mine")
    with pytest.raises(t2v.errors.DiskError):
        doodle.generate(
            "a ball", output="x.mp4", num_frames=5, num_inference_steps=1, save_latents=True
        )
    assert (world.work / "x.mp4.latents" / "mine").read_text() == "mine"


@pytest.fixture
def closed(world: World) -> Iterator[Path]:
    """A folder in which nothing can be made; for root, who may all, a disk that is read-only."""
    folder = world.work / "closed"
    folder.mkdir(mode=0o555)
    command = ["mount", "-t", "tmpfs", "-o", "ro", "t2v-test", str(folder)]
    mount = partial(subprocess.run, command, check=False, timeout=PATIENCE_S)
    is_mounted = os.access(folder, os.W_OK) and mount().returncode == 0
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    yield folder
    if is_mounted:
        subprocess.run(["umount", str(folder)], check=True, timeout=PATIENCE_S)
    folder.chmod(0o755)


def test_a_read_only_folder_is_refused_before_the_model_is_loaded(world: World, closed: Path):
    refused = world("generate", "a ball", "-o", "closed/x.mp4")
    assert refused.code == 74
    assert "cannot be written to" in refused.error
    assert "denoising" not in refused.err


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 64), (3, 5), (17, 33)], ids=str)
@pytest.mark.parametrize(
    "name", ["x.mp4", "x.webm", "x.mov", "x.mkv", "x.gif", "x.webp", "x.avif", "x/"]
)
def test_no_size_of_a_frame_ends_in_a_traceback(world: World, name: str, size: tuple[int, int]):
    width, height = size
    try:
        with open_writer(name, width=width, height=height, fps=Fraction(8)) as writer:
            for n in range(3):
                writer.write(np.full((height, width, 3), n * 80, np.uint8))
            writer.finish({"prompt": "a"})
    except t2v.errors.T2VError as error:
        assert_harmless(str(error))
        assert sorted(world.work.iterdir()) == []
