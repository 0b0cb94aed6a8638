"""A file is whole or not there; what exists is kept; a crash leaves what was written."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from t2v.errors import DiskError, OutputExistsError
from t2v.media.probe import read_frames
from t2v.media.writer import open_writer
from tests.fresh import python
from tests.patience import patience

NAMES = ["clip.mp4", "clip.webm", "clip.mov", "clip.gif", "clip.webp", "clip.avif"]


def opened(path, **options):
    return open_writer(path, width=64, height=64, fps=Fraction(8), **options)


@pytest.mark.parametrize("name", [*NAMES, "frames/"])
def test_nothing_has_the_final_name_before_finish(name, frames, tmp_path):
    with opened(f"{tmp_path}/{name}") as writer:
        for frame in frames(64, 64, 4):
            writer.write(frame)
        assert not Path(tmp_path, name).exists()
        writer.finish()
    assert Path(tmp_path, name).exists()


@pytest.mark.parametrize("name", [*NAMES, "frames/"])
def test_an_exception_leaves_an_empty_folder(name, frames, tmp_path):
    with pytest.raises(KeyboardInterrupt), opened(f"{tmp_path}/{name}") as writer:  # noqa: PT012
        writer.write(frames(64, 64, 1)[0])
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_existing_file_is_kept(name, tmp_path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputExistsError, match="exists"):
        opened(tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"


def test_an_existing_file_is_replaced_when_told(frames, write, tmp_path):
    (tmp_path / "clip.mp4").write_text("mine")
    assert len(list(read_frames(write("clip.mp4", frames(64, 64, 3), overwrite=True)))) == 3


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_file_that_appears_meanwhile_is_kept_and_ours_too(kind, frames, tmp_path):
    with opened(tmp_path / "clip.mp4") as writer:
        writer.write(frames(64, 64, 1)[0])
        if kind == "file":
            (tmp_path / "clip.mp4").write_text("mine")
        else:
            (tmp_path / "clip.mp4").symlink_to(tmp_path / "nowhere")
        path = writer.finish()
    assert path.name == "clip-2.mp4"
    assert writer.notes == ["clip.mp4 appeared meanwhile; this one is clip-2.mp4"]
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_place_of_the_part_is_not_followed(frames, write, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".clip.mp4.part-{os.getpid()}").symlink_to(victim)
    write("clip.mp4", frames(64, 64, 2))
    assert victim.read_text() == "precious"


def test_overwriting_a_link_replaces_the_link_and_not_its_target(frames, write, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "clip.mp4").symlink_to(victim)
    path = write("clip.mp4", frames(64, 64, 2), overwrite=True)
    assert victim.read_text() == "precious"
    assert not path.is_symlink()


def test_a_device_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "clip.mp4")
    with pytest.raises(OutputExistsError, match="no ordinary file"):
        opened(tmp_path / "clip.mp4", overwrite=True)


def test_missing_folders_are_made(frames, write):
    assert write("a/b/clip.mp4", frames(64, 64, 2)).is_file()


def test_a_file_in_the_place_of_a_folder_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="is a file, not a folder"):
        opened(tmp_path / "file" / "clip.mp4")


def test_a_name_too_long_for_the_disk_is_a_clear_error(tmp_path):
    with pytest.raises(DiskError, match="longer than 224 bytes"):
        opened(tmp_path / ("é" * 200 + ".mp4"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_a_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DiskError, match="cannot be written to"):
        opened(tmp_path / "clip.mp4")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.mov", "clip.gif", "frames"])
@pytest.mark.parametrize("limit", [200, 20_000, 300_000])
def test_a_disk_that_takes_no_more_is_a_clear_error_and_leaves_nothing(name, limit, tmp_path):
    # A limit on the size of files is a full disk that needs no rights to set up.
    code = f"""
        import resource, numpy as np
        from fractions import Fraction
        from t2v.errors import DiskError
        from t2v.media.writer import open_writer
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        rng = np.random.default_rng(0)
        codec = "png" if {name!r} == "frames" else "auto"
        side = 512 if codec == "png" else 256
        try:
            with open_writer({str(tmp_path / name)!r}, width=side, height=side, fps=Fraction(8),
                             codec=codec) as writer:
                for _ in range(30):
                    writer.write(rng.integers(0, 255, (side, side, 3), dtype=np.uint8))
                writer.finish({{"seed": 1}})
        except DiskError as error:
            print(error)
        """
    result = run(code)
    assert "larger than this disk" in result.stdout
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif"])
def test_a_killed_writer_leaves_a_part_that_plays_and_no_final_file(name, tmp_path):
    kill_after(tmp_path / name, num_frames=60)
    (part,) = tmp_path.iterdir()
    assert part.name.startswith(f".{name}.part-")
    assert len(list(read_frames(part))) >= 10


def test_the_next_writer_clears_what_a_killed_one_left(frames, write, tmp_path):
    kill_after(tmp_path / "clip.mp4", num_frames=5)
    kill_after(tmp_path / "other.mp4", num_frames=5)
    write("clip.mp4", frames(64, 64, 2))
    names = sorted(entry.name.split(".part-")[0] for entry in tmp_path.iterdir())
    assert names == [".other.mp4", "clip.mp4"]


def test_the_next_writer_clears_a_half_sidecar_too(frames, tmp_path):
    (tmp_path / ".clip.json.part-1").write_text("{")
    with opened(tmp_path / "clip.mp4") as writer:
        for frame in frames(64, 64, 2):
            writer.write(frame)
        writer.finish({"seed": 1})
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["clip.json", "clip.mp4"]


def test_two_writers_of_one_name_do_not_disturb_each_other(frames, tmp_path):
    clip = frames(64, 64, 3)
    with opened(tmp_path / "clip.mp4") as first, opened(tmp_path / "clip.mp4") as second:
        for frame in clip:
            first.write(frame)
            second.write(frame)
        paths = [second.finish(), first.finish()]
    assert [path.name for path in paths] == ["clip.mp4", "clip-2.mp4"]
    assert [len(list(read_frames(path))) for path in paths] == [3, 3]


@pytest.mark.slow
def test_20_kills_at_random_moments_leave_no_broken_file(ffprobe, tmp_path):
    rng = np.random.default_rng(1)
    for number in range(20):
        path = tmp_path / f"clip{number}.mp4"
        process = start(path, num_frames=40, finish=True)
        with patience(process):
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.4))
            process.kill()
            process.wait()
        process.stdout.close()
        if path.exists():
            assert int(ffprobe(path)["video"]["nb_read_frames"]) == 40


@pytest.mark.slow
def test_memory_does_not_grow_with_the_clip(tmp_path):
    code = f"""
        import resource, numpy as np
        from fractions import Fraction
        from t2v.media.writer import open_writer
        rng = np.random.default_rng(0)
        loop = rng.integers(0, 255, (8, 240, 416, 3), dtype=np.uint8)
        peaks = []
        with open_writer({str(tmp_path / "clip.mp4")!r}, width=416, height=240, fps=Fraction(24),
                         crf=40) as writer:
            for index in range(600):
                writer.write(loop[index % 8])
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            writer.finish({{}})
        print(peaks[-1] - peaks[150])
        """
    assert int(run(code).stdout) < 8_000


def run(code):
    return python(textwrap.dedent(code), PYTHONPATH=str(Path(__file__).parents[2]))


def start(path, num_frames, finish=False):
    code = f"""
        import time, numpy as np
        from fractions import Fraction
        from t2v.media.writer import open_writer
        rng = np.random.default_rng(0)
        with open_writer({str(path)!r}, width=128, height=64, fps=Fraction(8)) as writer:
            print("open", flush=True)
            for _ in range({num_frames}):
                writer.write(rng.integers(0, 255, (64, 128, 3), dtype=np.uint8))
            print("written", flush=True)
            {"writer.finish(dict(seed=1))" if finish else "time.sleep(60)"}
        """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def kill_after(path, num_frames):
    process = start(path, num_frames)
    with patience(process):
        while process.stdout.readline().strip() != "written":
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    process.stdout.close()
