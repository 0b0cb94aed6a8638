"""A disk that fills up at any moment: exit 74, and nothing half-written."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import t2v
from t2v.media.writer import open_writer
from tests.disks import fill, small_disk

QUICK = {"num_frames": 5, "num_inference_steps": 1}
SIZES = (8192, 16384, 32768, 65536)


def refusal(call: Callable[[], object]) -> t2v.errors.T2VError | None:
    """The error of a call, None where it went well."""
    try:
        call()
    except t2v.errors.T2VError as error:
        return error
    return None


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 kB."""
    with small_disk(tmp_path / "disk", 600_000) as folder:
        yield folder


@pytest.mark.parametrize(
    "name", ["x.mp4", "x.webm", "x.mov", "x.mkv", "x.gif", "x.webp", "x.avif", "x/"]
)
@pytest.mark.parametrize("leave", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in SIZES)])
def test_a_writer_on_a_full_disk_leaves_nothing(disk: Path, name: str, leave: int):
    fill(disk, leave)
    noise = np.random.default_rng(0)
    with (  # noqa: PT012 - any of the lines may be the one
        pytest.raises(t2v.errors.DiskError, match="full"),
        open_writer(
            str(disk / name) + "/" * name.endswith("/"), width=128, height=128, fps=Fraction(8)
        ) as writer,
    ):
        for _ in range(40):
            writer.write(noise.integers(0, 256, (128, 128, 3), np.uint8))
        writer.finish({"prompt": "x" * 1000})
    assert [path.name for path in disk.iterdir()] == ["filler"]


@pytest.mark.parametrize(
    "leave", [0, 4096, *(pytest.param(n, marks=pytest.mark.slow) for n in SIZES)]
)
@pytest.mark.parametrize("keep", [False, True], ids=["", "with latents"])
def test_a_generation_on_a_full_disk_leaves_nothing_or_all(
    disk: Path, doodle: t2v.Generator, leave: int, keep: bool
):
    fill(disk, leave)
    error = refusal(
        lambda: doodle.generate("a ball", output=disk / "x.mp4", save_latents=keep, **QUICK)  # type: ignore[arg-type]
    )
    left = {path.name for path in disk.iterdir()} - {"filler"}
    if error is None:
        assert {"x.mp4", "x.json"} <= left
        return
    assert error.exit_code == 74
    assert "full" in str(error) or "No space left" in str(error)
    # What was denoised is kept where there is room for it.
    assert left <= {"x.mp4.latents"}
    assert keep or bool(left) == ("t2v decode" in str(error))


def test_overwriting_on_a_full_disk_leaves_the_old_file(disk: Path, doodle: t2v.Generator):
    doodle.generate("a ball", output=disk / "x.mp4", **QUICK)  # type: ignore[arg-type]
    old = (disk / "x.mp4").read_bytes()
    fill(disk, 8192)
    with pytest.raises(t2v.errors.DiskError):
        doodle.generate("a fox", output=disk / "x.mp4", overwrite=True, **QUICK)  # type: ignore[arg-type]
    assert (disk / "x.mp4").read_bytes() == old


def test_a_sidecar_that_finds_no_room_does_not_lose_the_video(disk: Path):
    with open_writer(disk / "x.mp4", width=64, height=64, fps=Fraction(8)) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
        record = {"prompt": "y" * 200_000}
        fill(disk, 230_000)
        error = refusal(lambda: writer.finish(record))
    assert error is None or "full" in str(error)
    assert (disk / "x.mp4").exists()
    assert not [path for path in disk.iterdir() if ".part-" in path.name]
