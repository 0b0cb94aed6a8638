"""Finished videos are copied to a folder or a URL before they count as done."""

import json
import uuid
from pathlib import Path

import fsspec
import pytest

from t2v.batch.making import Manner, Outcome
from t2v.batch.running.publishing import Publisher, public_url
from t2v.batch.running.runner import run_batch
from t2v.errors import DiskError, RequestError
from tests.batch.killing import journal
from tests.batch.quick_run import MAKER, plan_of

pytestmark = pytest.mark.usefixtures("importable")


def batch(folder, target, *prompts, **options):
    manner = Manner(folder, lanes=1, publish=target and str(target))
    return run_batch(plan_of(prompts), folder=folder, manner=manner, maker=MAKER, **options)


def files(folder: Path) -> dict[str, bytes]:
    found = [*folder.rglob("*.mp4"), *folder.rglob("*-*.json")]
    return {one.name: one.read_bytes() for one in found}


def results(folder: Path):
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_videos_and_their_records_are_copied_to_a_folder(folder, tmp_path, scheme):
    target = tmp_path / "films" / "new"

    summary = batch(folder, f"{scheme}{target}", "red", "blue")

    assert (summary.num_made, summary.exit_code) == (2, 0)
    assert len(files(target)) == 4
    assert files(target) == files(folder)
    for line in results(folder):
        assert line["response"]["body"]["published"] == f"new/{line['id']}.mp4"
    assert str(tmp_path) not in (folder / "results.jsonl").read_text()


def test_videos_are_copied_to_a_url(folder):
    url = f"memory://{uuid.uuid4().hex}/films"

    batch(folder, url, "red")

    (line,) = results(folder)
    place = line["response"]["body"]["published"]
    assert place == f"{url}/{line['id']}.mp4"
    with fsspec.open(place, "rb") as file:
        assert file.read() == (folder / f"{line['id']}.mp4").read_bytes()
    with fsspec.open(place.replace(".mp4", ".json"), "rb") as file:
        assert json.load(file)["key"] == line["response"]["body"]["key"]


def test_what_is_made_and_not_copied_is_copied_by_the_next_run_and_not_made_again(folder, tmp_path):
    batch(folder, None, "red", "blue")
    before = [one for one in journal(folder) if one["event"] == "started"]
    target = tmp_path / "films"

    summary = batch(folder, target, "red", "blue")
    first = {one: one.stat().st_mtime_ns for one in target.iterdir()}
    again = batch(folder, target, "red", "blue")

    assert (summary.num_made, again.num_made, again.exit_code) == (0, 0, 0)
    assert files(target) == files(folder)
    assert {one: one.stat().st_mtime_ns for one in target.iterdir()} == first
    assert [one for one in journal(folder) if one["event"] == "started"] == before


def test_a_copy_that_was_deleted_is_made_again(folder, tmp_path):
    target = tmp_path / "films"
    batch(folder, target, "red")
    next(target.glob("*.mp4")).unlink()

    batch(folder, target, "red")

    assert files(target) == files(folder)


def test_a_copy_that_fails_is_told_and_the_next_run_only_copies(folder, tmp_path):
    target = tmp_path / "films"
    target.write_text("a file where a folder should be")

    stopped = batch(folder, target, "red")
    (line,) = results(folder)
    target.unlink()
    summary = batch(folder, target, "red")

    assert stopped.exit_code == DiskError.exit_code
    assert line["response"] is None
    assert line["error"]["code"] == "disk"
    assert "films" in line["error"]["message"]
    assert (summary.num_made, summary.exit_code) == (0, 0)
    assert files(target) == files(folder)


class Refusing(fsspec.AbstractFileSystem):
    """A store that lets nobody in, and says with which password."""

    protocol = "refusing"

    def put_file(self, lpath, rpath, callback=None, mode="overwrite", **kwargs):
        raise PermissionError("refusing://ada:secret-word@store/films?sig=signed-word: no access")


def test_no_password_of_the_url_is_written_anywhere(folder):
    fsspec.register_implementation("refusing", Refusing, clobber=True)

    summary = batch(folder, "refusing://ada:secret-word@store/films?sig=signed-word", "red")

    (line,) = results(folder)
    assert (summary.num_failed, line["error"]["code"]) == (1, "generation")
    assert "refusing://store/films" in line["error"]["message"]
    written = [one.read_bytes() for one in folder.rglob("*") if one.is_file()]
    assert not any(word in text for text in written for word in (b"secret-word", b"signed-word"))


def test_all_pictures_of_a_folder_are_copied(tmp_path):
    folder, target = tmp_path / "out", tmp_path / "films"
    (folder / "ball").mkdir(parents=True)
    for name in ("00000.png", "00001.png", "metadata.json"):
        (folder / "ball" / name).write_text(name)

    done = Publisher(str(target), folder).publish(Outcome("k", "ok", "ball"))

    assert sorted(one.name for one in (target / "ball").iterdir()) == [
        "00000.png",
        "00001.png",
        "metadata.json",
    ]
    assert done.published == "films/ball"


@pytest.mark.parametrize("target", ["nonsense://place", ""])
def test_a_target_that_cannot_be_is_told_before_anything_is_made(folder, target):
    with pytest.raises(RequestError, match="publish"):
        batch(folder, target or folder, "red")
    assert not list(folder.glob("*.mp4"))


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("ftp://ada:p/a@ss@host/films", "ftp://host/films"),
        ("https://token@host/films#part", "https://host/films"),
        ("file:///home/ada/films", "films"),
    ],
)
def test_what_is_told_of_a_url_holds_no_secret(url, public):
    assert public_url(url) == public
