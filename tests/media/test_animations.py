"""GIF, WebP, AVIF and PNG sequences."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from t2v.errors import OutputExistsError, RequestError
from t2v.media.probe import probe, read_frames
from t2v.media.writer import open_writer


def psnr(path, frames):
    decoded = np.stack(list(read_frames(path))).astype(float)
    return 10 * np.log10(255**2 / np.mean((decoded - 255 * np.stack(frames)) ** 2))


@pytest.mark.parametrize(("name", "least"), [("a.gif", 33), ("a.webp", 36), ("a.avif", 40)])
def test_an_animation_looks_like_its_frames(name, least, frames, write):
    clip = frames(160, 96, 12)
    assert psnr(write(name, clip), clip) >= least


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_pillow_finds_every_frame_and_an_endless_loop(name, frames, write):
    with Image.open(write(name, frames(64, 48, 12), fps=Fraction(16))) as image:
        durations = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            durations.append(image.info["duration"])
        assert image.n_frames == 12
        assert image.info["loop"] == 0
    assert abs(sum(durations) - 750) <= 10


def test_a_clip_of_few_colors_is_exact_in_a_gif(write):
    frame = np.full((64, 64, 3), (240, 240, 230), np.uint8)
    frame[20:40, 20:40] = (200, 30, 40)
    assert np.array_equal(next(read_frames(write("a.gif", [frame] * 3))), frame)


def test_a_gif_faster_than_viewers_play_leaves_frames_out(frames, tmp_path):
    with open_writer(tmp_path / "a.gif", width=64, height=64, fps=Fraction(60)) as writer:
        for frame in frames(64, 64, 12):
            writer.write(frame)
        path = writer.finish()
    assert writer.notes == ["60 -> 30 frames a second, a GIF has at most 50"]
    assert probe(path).num_frames == 6


def test_a_webp_too_large_for_its_format_is_refused(tmp_path):
    with pytest.raises(RequestError, match="at most 16383 pixels"):
        open_writer(tmp_path / "a.webp", width=16400, height=64, fps=Fraction(8))


def test_a_folder_gets_numbered_lossless_pictures(frames, write):
    clip = frames(33, 17, 3)
    folder = write("frames/", clip, metadata={"seed": 7})
    assert sorted(entry.name for entry in folder.iterdir()) == [
        "00000.png",
        "00001.png",
        "00002.png",
        "metadata.json",
    ]
    expected = np.rint(255 * np.stack(clip)).astype(np.uint8)
    assert np.array_equal(np.stack(list(read_frames(folder))), expected)


def test_an_empty_folder_is_filled(frames, write, tmp_path):
    (tmp_path / "frames").mkdir()
    assert len(list(write("frames", frames(32, 32, 2)).iterdir())) == 2


def test_a_folder_with_other_files_is_never_replaced(frames, write, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError):
            write("home/", frames(32, 32, 2), overwrite=overwrite)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"


def test_an_earlier_sequence_is_replaced_when_told(frames, write):
    write("frames/", frames(32, 32, 5))
    folder = write("frames/", frames(32, 32, 2), overwrite=True)
    assert sorted(entry.name for entry in folder.iterdir()) == ["00000.png", "00001.png"]


def test_an_unfinished_sequence_leaves_nothing(frames, tmp_path):
    with open_writer(tmp_path / "frames", width=32, height=32, fps=Fraction(8), codec="png") as w:
        w.write(frames(32, 32, 1)[0])
    assert list(tmp_path.iterdir()) == []
