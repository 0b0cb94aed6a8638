"""Files of a worker with a disk of its own: fetched in pieces, whole or not at all."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from t2v.batch.making import Outcome
from t2v.batch.run_folder.finished import sha256_of
from t2v.batch.workers import bringing
from t2v.batch.workers.bringing import Found, bring

VIDEO = bytes(range(256)) * 40


class Disk:
    """A worker's folder, served as an actor does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.forgotten: list[str] = []

    def files(self, output: str) -> list[Found]:
        path = self.folder / output
        found = path.rglob("*") if path.is_dir() else [path.with_suffix(".json"), path]
        return [
            Found(one.relative_to(self.folder).as_posix(), one.stat().st_size)
            for one in found
            if one.is_file()
        ]

    def read(self, path: str, offset: int, num_bytes: int) -> bytes:
        return (self.folder / path).read_bytes()[offset : offset + num_bytes]

    def forget(self, output: str) -> None:
        self.forgotten.append(output)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(bringing, "PIECE_BYTES", 1000)
    folder = tmp_path / "worker"
    (folder / "stills").mkdir(parents=True)
    (folder / "ball.mp4").write_bytes(VIDEO)
    (folder / "ball.json").write_text('{"key": "1"}')
    (folder / "stills" / "00000.png").write_bytes(b"a picture")
    (folder / "stills" / "metadata.json").write_text("{}")
    return Disk(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


BALL = Outcome("k", "ok", "ball.mp4", len(VIDEO), sha256(VIDEO).hexdigest())


def names(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(found)


def test_a_video_comes_with_its_sidecar_and_is_forgotten_where_it_was(
    disk: Disk, folder: Path
) -> None:
    assert bring(BALL, folder, disk) == BALL
    assert (folder / "ball.mp4").read_bytes() == VIDEO
    assert (folder / "ball.json").read_text() == '{"key": "1"}'
    assert names(folder) == ["ball.json", "ball.mp4"]
    assert disk.forgotten == ["ball.mp4"]


def test_a_folder_of_pictures_comes_as_one(disk: Disk, folder: Path) -> None:
    stills = Outcome("k", "ok", "stills", 9, sha256_of(disk.folder / "stills"))
    assert bring(stills, folder, disk) == stills
    assert names(folder) == ["stills/00000.png", "stills/metadata.json"]


def test_what_another_wrote_meanwhile_stays(disk: Disk, folder: Path) -> None:
    (folder / "ball.mp4").write_bytes(b"mine")
    assert bring(BALL, folder, disk).output == "ball-2.mp4"
    assert (folder / "ball.mp4").read_bytes() == b"mine"
    assert (folder / "ball-2.mp4").read_bytes() == VIDEO


def test_what_was_brought_before_the_driver_was_killed_is_not_brought_again(
    disk: Disk, folder: Path
) -> None:
    bring(BALL, folder, disk)
    assert bring(BALL, folder, disk).output == "ball.mp4"
    assert names(folder) == ["ball.json", "ball.mp4"]


def test_bytes_that_changed_on_the_way_are_no_video(disk: Disk, folder: Path) -> None:
    damaged = bring(replace(BALL, sha256="0" * 64), folder, disk)
    assert damaged.status == "failed"
    assert damaged.failure is not None
    assert damaged.failure.kind == "generation"
    assert "was damaged on its way" in damaged.failure.message
    assert names(folder) == []
    assert disk.forgotten == []


@pytest.mark.parametrize("output", ["../ball.mp4", "/tmp/ball.mp4", "a/../../ball.mp4"])
def test_a_worker_cannot_name_a_place_outside_the_run_folder(
    output: str, disk: Disk, folder: Path, tmp_path: Path
) -> None:
    brought = bring(replace(BALL, output=output), folder, disk)
    assert brought.status == "failed"
    assert names(folder) == []
    assert not (tmp_path / "ball.mp4").exists()


def test_a_file_that_is_cut_short_is_no_video(disk: Disk, folder: Path) -> None:
    class Cut(Disk):
        def read(self, path: str, offset: int, num_bytes: int) -> bytes:
            return super().read(path, offset, num_bytes) if offset < 5000 else b""

    assert bring(BALL, folder, Cut(disk.folder)).status == "failed"
    assert names(folder) == []


def test_an_outcome_without_a_file_has_nothing_to_bring(disk: Disk, folder: Path) -> None:
    lost = Outcome("k", "interrupted")
    assert bring(lost, folder, disk) == lost


def test_a_disk_that_takes_nothing_ends_the_run(disk: Disk, folder: Path) -> None:
    folder.rmdir()
    folder.write_text("a file where the run folder was")
    brought = bring(BALL, folder, disk)
    assert brought.failure is not None
    assert brought.failure.kind == "disk"
