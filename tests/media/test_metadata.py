import json
from fractions import Fraction

import pytest

from t2v.errors import DiskError, RequestError
from t2v.media import embedded
from t2v.media.metadata import SCHEMA, pack, read_metadata, sidecar_path, unpack
from t2v.media.writer import open_writer

NASTY = [
    "a red ball",
    "",
    "quotes \" and ' and \\ backslashes",
    "line\nbreak\r\nand\ttab",
    "emoji 🦊👩‍👩‍👧 and flags 🇫🇷",
    "עברית and العربية",
    "\u202eright to left override",
    "\x1b[31mescape\x1b]0;title\x07",
    "nul \x00 inside",
    "lone surrogate \ud83d",
    "日本語のプロンプト",
    "</script><script>alert(1)</script>",
    "key=value;another=one",
    "{prompt} %s %(x)s $HOME `id`",
    "\ufeffbyte order mark",
    "ends with a backslash \\",
    "Z̸̧͑a̵͎͐l̵̝̓g̷͈̍o̶",
    " spaces around ",
    "\u2028 line separator \u2029",
    "x" * 300_000,
]
KINDS = ["mp4", "mov", "mkv", "webm", "gif", "webp", "avif"]


def write_one(path, frames, metadata, **options):
    with open_writer(path, width=64, height=64, fps=Fraction(8), **options) as writer:
        for frame in frames(64, 64, 2):
            writer.write(frame)
        path = writer.finish(metadata)
    return path, writer.notes


@pytest.mark.parametrize("kind", KINDS)
def test_nasty_prompts_come_back_from_the_file_alone(kind, frames, tmp_path):
    metadata = {"prompts": NASTY, "fps": "24000/1001", "steps": 20, "guidance": 4.5}
    path, _ = write_one(tmp_path / f"clip.{kind}", frames, metadata)
    sidecar_path(path).unlink()
    assert read_metadata(path) == {"schema": SCHEMA, **metadata}


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_the_sidecar_says_the_same(kind, frames, tmp_path):
    path, _ = write_one(tmp_path / f"clip.{kind}", frames, {"seed": 7})
    assert json.loads((tmp_path / "clip.json").read_text()) == {"schema": SCHEMA, "seed": 7}
    assert read_metadata(tmp_path / "clip.json") == read_metadata(path)


def test_the_sidecar_helps_where_the_tag_was_stripped(frames, tmp_path):
    path, _ = write_one(tmp_path / "clip.mp4", frames, {"seed": 7})
    assert b'"seed":7' in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b'"seed":7', b"seed:::7"))
    assert read_metadata(path)["seed"] == 7


@pytest.mark.parametrize("kind", KINDS)
def test_without_metadata_the_file_says_nothing(kind, frames, tmp_path):
    path, _ = write_one(tmp_path / f"clip.{kind}", frames, None)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"clip.{kind}"]
    assert embedded.read(path) == b""
    with pytest.raises(RequestError, match="does not say how it was made"):
        read_metadata(path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_json_file_of_someone_else_is_kept(overwrite, frames, tmp_path):
    (tmp_path / "clip.json").write_text('{"mine": true}')
    _, notes = write_one(tmp_path / "clip.mp4", frames, {"seed": 7}, overwrite=overwrite)
    assert (tmp_path / "clip.json").read_text() == '{"mine": true}'
    assert json.loads((tmp_path / "clip.mp4.json").read_text())["seed"] == 7
    assert notes == ["clip.json holds something else; metadata is in clip.mp4.json"]


def test_our_own_sidecar_is_replaced_with_its_video(frames, tmp_path):
    for seed in (1, 2):
        write_one(tmp_path / "clip.mp4", frames, {"seed": seed}, overwrite=True)
    assert json.loads((tmp_path / "clip.json").read_text())["seed"] == 2


def test_a_missing_file_is_a_disk_error(tmp_path):
    with pytest.raises(DiskError, match="does not exist"):
        read_metadata(tmp_path / "clip.mp4")


@pytest.mark.parametrize("content", [b"", b"no video", b"GIF89a", b"RIFF\0\0\0\0WEBPtrash" * 9])
def test_a_file_that_is_no_video_has_no_metadata(content, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(RequestError, match="does not say"):
        read_metadata(tmp_path / "clip.mp4")


@pytest.mark.parametrize("text", ["", "hello", "[1]", '{"schema": "other"}', "[" * 100_000])
def test_text_that_is_not_ours_is_not_unpacked(text):
    assert unpack(text) is None


def test_packed_metadata_is_one_line_that_begins_with_the_schema():
    assert pack({"fps": Fraction(25, 2)}) == '{"schema":"t2v.video/1","fps":"25/2"}'
