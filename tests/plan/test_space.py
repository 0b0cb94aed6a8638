"""Requests that the disk cannot hold, refused before anything is made."""

import shutil
from pathlib import Path

import pytest

from t2v.errors import RequestError
from t2v.plan.space import check_space
from t2v.zoo.spec import ModelSpec
from tests.plan.long import request, windowed


def test_a_clip_fits(wan: ModelSpec, tmp_path: Path):
    check_space([request(wan)], [tmp_path / "a.mp4"])


def test_pictures_without_room_are_refused_with_what_to_do(wan: ModelSpec, tmp_path: Path):
    huge = request(windowed(wan), num_frames=1_000_000, width=16384, height=16384)
    with pytest.raises(RequestError) as caught:
        check_space([huge], [tmp_path / "not there yet" / "frames"])
    assert str(caught.value).startswith(
        "1,000,000 frames of 16384x16384 take at least 55029 GB, checkpoints 33555 GB of it, and"
    )
    assert str(caught.value).endswith(
        f"are free in {tmp_path}; make it shorter or smaller, or write to another disk"
    )


def test_checkpoints_count_too(wan: ModelSpec, tmp_path: Path):
    """A video that fits, and latents that are larger than it and do not."""
    pixels_of_all = shutil.disk_usage(tmp_path).free / 0.05
    num_frames = min(1_000_000, int(pixels_of_all / (16384 * 16384)))
    long = request(windowed(wan), num_frames=num_frames, width=16384, height=16384)
    with pytest.raises(RequestError, match="checkpoints"):
        check_space([long], [tmp_path / "a.mp4"])


def test_a_video_without_an_end_is_not_measured(wan: ModelSpec, tmp_path: Path):
    endless = request(windowed(wan), endless=True, width=16384, height=16384)
    check_space([endless], [tmp_path / "frames"])
