"""A run folder: what is finished, what is found, what is moved and what is never deleted."""

import json
import os
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from t2v.batch.making import Outcome
from t2v.batch.run_folder.finished import num_bytes_of, place_of, sha256_of
from t2v.batch.run_folder.folder import open_run, read_run, work_of
from t2v.batch.run_folder.journal import Journal
from t2v.errors import DiskError, RequestError
from t2v.media.writer import open_writer
from tests.batch.runs import failed, finished_run, make, make_jobs, names, write_video
from tests.fresh import python


def with_suffix(job, suffix: str, **values):
    output = str(Path(job.output).with_suffix(suffix))
    return replace(job, output=output, request=replace(job.request, **values))


def test_a_finished_video_is_done_for_every_later_run(tmp_path: Path):
    jobs = make_jobs(2)
    finished_run(tmp_path, jobs[:1])
    with open_run(tmp_path) as run:
        assert [run.is_done(job) for job in jobs] == [True, False]
    assert [read_run(tmp_path).is_done(job) for job in jobs] == [True, False]


def test_a_video_whose_file_is_gone_is_not_done(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    (tmp_path / job.output).unlink()
    with open_run(tmp_path) as run:
        assert not run.is_done(job)


def test_a_video_of_another_size_is_not_done_and_is_moved_aside(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    os.truncate(tmp_path / job.output, 5)
    with open_run(tmp_path) as run:
        assert not run.is_done(job)
        make(run, job)
        assert run.is_done(job)
    assert (tmp_path / "ball-0.old-1.mp4").read_bytes() == b"movin"


def test_a_changed_byte_is_found_by_verifying_alone(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    data = (tmp_path / job.output).read_bytes()
    (tmp_path / job.output).write_bytes(b"M" + data[1:])
    view = read_run(tmp_path)
    assert view.is_done(job)
    assert not view.is_done(job, verify=True)


def test_a_failed_video_is_not_done(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        run.ended(job, failed(job))
        assert not run.is_done(job)


def test_a_suspect_video_is_done(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        run.ended(job, replace(write_video(tmp_path, job), status="suspect"))
    outcome = read_run(tmp_path).state.of(job.key).outcome
    assert read_run(tmp_path).is_done(job)
    assert outcome is not None
    assert outcome.status == "suspect"


@pytest.mark.parametrize("changed", [{"crf": 30}, {"codec": "hevc"}])
def test_a_video_wanted_in_another_format_is_made_again(tmp_path: Path, changed: dict):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    other = with_suffix(job, ".mp4", **changed)
    with open_run(tmp_path) as run:
        assert not run.is_done(other)
        make(run, other)
        assert run.is_done(other)
    assert names(tmp_path)[:2] == ["ball-0.json", "ball-0.mp4"]
    assert (tmp_path / "ball-0.old-1.mp4").exists()


def test_a_video_wanted_in_another_container_is_made_again(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    assert not read_run(tmp_path).is_done(with_suffix(job, ".webm"))


@pytest.mark.parametrize("ends", ["started", "interrupted"])
def test_a_whole_video_that_nobody_recorded_is_found(tmp_path: Path, ends: str):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        write_video(tmp_path, job)
        if ends == "interrupted":
            run.ended(job, Outcome(job.key, "interrupted"))
    assert read_run(tmp_path).is_done(job)
    with open_run(tmp_path) as run:
        assert run.is_done(job, verify=True)
        outcome = run.state.of(job.key).outcome
    assert outcome is not None
    assert (outcome.num_bytes, outcome.frames_sha256) == (21, "f" * 64)
    assert outcome.sha256 == sha256_of(tmp_path / job.output)
    assert read_run(tmp_path).state.of(job.key).status == "done"


def test_videos_are_known_again_when_the_journal_is_lost(tmp_path: Path):
    jobs = make_jobs(2)
    finished_run(tmp_path, jobs)
    (tmp_path / "journal.jsonl").unlink()
    with open_run(tmp_path) as run:
        assert [run.is_done(job) for job in jobs] == [True, True]


def test_a_video_of_another_request_under_the_same_name_is_not_taken_for_it(tmp_path: Path):
    [job], [other] = make_jobs(1), make_jobs(1, "fox")
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        write_video(tmp_path, replace(other, output=job.output))
        assert not run.is_done(job)


def test_a_video_that_nobody_recorded_is_not_taken_in_another_format(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        write_video(tmp_path, job)
        assert not run.is_done(with_suffix(job, ".mp4", crf=30))


def test_a_real_video_without_a_sidecar_is_known_by_what_is_in_it(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        record = {"key": job.key, "status": "suspect", "request": job.request.to_dict()}
        with open_writer(tmp_path / job.output, width=64, height=64, fps=job.request.fps) as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8))
            writer.finish(record)
        (tmp_path / "ball-0.json").unlink()
        assert run.is_done(job)
        outcome = run.state.of(job.key).outcome
    assert outcome is not None
    assert outcome.status == "suspect"
    assert json.loads((tmp_path / "ball-0.json").read_text())["key"] == job.key


def test_a_fresh_start_keeps_the_old_video_under_another_name(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    for number in (1, 2):
        with open_run(tmp_path, fresh=True) as run:
            assert not run.is_done(job)
            make(run, job, b"take %d" % number)
    videos = {path.name: path.read_bytes() for path in tmp_path.glob("*.mp4")}
    assert videos == {
        "ball-0.old-1.mp4": b"moving picturesball-0",
        "ball-0.old-2.mp4": b"take 1ball-0",
        "ball-0.mp4": b"take 2ball-0",
    }
    assert {path.name for path in tmp_path.glob("*.json")} == {
        *["ball-0.old-1.json", "ball-0.old-2.json", "ball-0.json"]
    }


def test_a_fresh_start_does_not_go_on_from_old_latents(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        work_of(tmp_path, job.id).mkdir()
        run.ended(job, failed(job))
        run.started(job, "worker 1")
        assert work_of(tmp_path, job.id).exists()
    with open_run(tmp_path, fresh=True) as run:
        run.started(job, "worker 1")
        assert not work_of(tmp_path, job.id).exists()


def test_a_file_of_the_user_that_is_in_the_way_is_kept(tmp_path: Path):
    [job] = make_jobs(1)
    (tmp_path / job.output).write_text("holidays")
    with open_run(tmp_path) as run:
        assert not run.is_done(job)
        make(run, job)
    assert (tmp_path / "ball-0.old-1.mp4").read_text() == "holidays"
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    [started] = [line for line in lines if '"started"' in line]
    assert json.loads(started)["aside"] == "ball-0.old-1.mp4"


def test_the_work_on_a_video_is_deleted_when_it_is_finished(tmp_path: Path):
    jobs = make_jobs(2)
    with open_run(tmp_path) as run:
        for job in jobs:
            run.started(job, "worker 1")
            work_of(tmp_path, job.id).mkdir()
        run.ended(jobs[0], write_video(tmp_path, jobs[0]))
        run.ended(jobs[1], failed(jobs[1]))
    assert [work_of(tmp_path, job.id).exists() for job in jobs] == [False, True]


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "a\\b", "a\0b"])
def test_an_id_that_leads_elsewhere_names_no_work(tmp_path: Path, name: str):
    with pytest.raises(RequestError, match="cannot name a folder"):
        work_of(tmp_path, name)


@pytest.mark.parametrize("name", ["logs", "gate", "owner-all.json", "workers.lock"])
def test_an_id_like_our_own_files_does_not_meet_them(tmp_path: Path, name: str):
    assert work_of(tmp_path, name) == tmp_path / ".work" / f"{name}-work"


def test_a_video_wanted_under_another_name_gets_that_one_as_well(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    renamed = replace(job, output="a ball-0.mp4")
    with open_run(tmp_path) as run:
        assert run.is_done(renamed)
        run.finished({})
    assert (tmp_path / "a ball-0.mp4").samefile(tmp_path / "ball-0.mp4")
    assert (tmp_path / "a ball-0.json").exists()
    outcome = read_run(tmp_path).state.of(job.key).outcome
    assert outcome is not None
    assert outcome.output == "a ball-0.mp4"
    [line] = (tmp_path / "results.jsonl").read_text().splitlines()
    assert json.loads(line)["response"]["body"]["key"] == job.key


def test_a_name_that_is_taken_is_not_given_away(tmp_path: Path):
    [job] = make_jobs(1)
    finished_run(tmp_path, [job])
    (tmp_path / "fox.mp4").write_text("a fox")
    with open_run(tmp_path) as run:
        assert run.is_done(replace(job, output="fox.mp4"))
    assert (tmp_path / "fox.mp4").read_text() == "a fox"


def test_a_folder_of_pictures_is_measured_as_a_whole(tmp_path: Path):
    [job] = make_jobs(1)
    job = replace(job, output="frames", request=replace(job.request, codec="png"))
    frames = tmp_path / "frames"
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        frames.mkdir()
        for number in range(3):
            (frames / f"{number:05}.png").write_bytes(b"picture %d" % number)
        (frames / "metadata.json").write_text(json.dumps({"key": job.key}))
        run.ended(job, Outcome(job.key, "ok", "frames"))
        assert run.is_done(job, verify=True)
        (frames / "00001.png").write_bytes(b"picture X")
        assert run.is_done(job)
        assert not run.is_done(job, verify=True)
        (frames / "00001.png").unlink()
        assert not run.is_done(job)
        run.started(job, "worker 1")
    assert names(tmp_path / "frames.old-1") == ["00000.png", "00002.png", "metadata.json"]


@pytest.mark.parametrize("output", ["", "/etc/passwd", "../x.mp4", "a/../../x.mp4", "x\0.mp4"])
def test_an_output_outside_of_the_folder_is_nowhere(tmp_path: Path, output: str):
    assert place_of(tmp_path, output) is None


def test_a_pipe_is_no_video(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert num_bytes_of(tmp_path / "pipe.mp4") is None


def test_a_journal_from_elsewhere_cannot_point_out_of_the_folder(tmp_path: Path):
    [job] = make_jobs(1)
    (tmp_path / "secret.mp4").write_text("secret")
    with open_run(tmp_path / "out") as run:
        run.started(job, "worker 1")
        run.ended(job, replace(write_video(tmp_path / "out", job), output="../secret.mp4"))
    assert not read_run(tmp_path / "out").is_done(job, verify=True)


def test_damaged_lines_are_told(tmp_path: Path):
    finished_run(tmp_path, make_jobs(2))
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"worker 1"', b'"worker 7"', 1))
    with open_run(tmp_path) as run:
        [note] = run.notes
    assert note.startswith("1 damaged lines in the journal of ")


def test_a_folder_whose_place_is_taken_by_a_file_is_named(tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DiskError, match="is a file, not a folder"), open_run(tmp_path / "out"):
        pass


def test_looking_at_a_folder_changes_nothing(tmp_path: Path):
    [job] = make_jobs(1)
    with open_run(tmp_path) as run:
        run.started(job, "worker 1")
        write_video(tmp_path, job)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert read_run(tmp_path).is_done(job)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_the_driver_needs_no_heavy_library():
    code = (
        "import sys, t2v.batch.run_folder.folder, t2v.batch.run_folder.results\n"
        "print({'torch', 'diffusers', 'transformers', 'numpy', 'av'} & set(sys.modules))"
    )
    assert python(code).stdout == "set()\n"


@pytest.mark.slow
def test_ten_thousand_finished_videos_are_known_again_within_a_second(tmp_path: Path):
    jobs = make_jobs(10_000)
    with open_run(tmp_path) as run:
        run.planned(jobs)
    journal = Journal(tmp_path / "journal.jsonl")
    begin = {"event": "started", "generation": 1, "worker": "worker 1"}
    end = {"event": "done", "generation": 1, "status": "ok", "num_bytes": 5, "sha256": "e" * 64}
    record = {"prompt": "a ball", "more": "x" * 4000}  # as large as that of a real video
    for job in jobs:
        (tmp_path / job.output).write_bytes(b"12345")
    journal.append(
        *(
            one
            for job in jobs
            for what in ({"key": job.key, "id": job.id},)
            for one in (
                {**begin, **what},
                {**end, **what, "output": job.output, "media": "mp4 auto None", "record": record},
            )
        )
    )
    journal.close()
    with open_run(tmp_path) as run:
        run.finished({})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with open_run(tmp_path) as run:
        run.planned(jobs)
        assert all(run.is_done(job) for job in jobs)
        run.finished({})
    # Of the processor: other programs may be at work on the machine that tests run on.
    assert time.process_time() - began < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@pytest.mark.parametrize("name", ["index.html", "results.jsonl"])
def test_a_file_of_somebody_else_is_never_written_over(tmp_path: Path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(RequestError, match=f"holds {name} and no journal"), open_run(tmp_path):
        pass
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]
