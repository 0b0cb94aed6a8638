"""Long videos on the command line: plans, refusals, resuming, and the end of what has none."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from t2v.longvideo.checkpoint import MANIFEST
from t2v_cli.timeline import timeline
from tests.cli.conftest import environment
from tests.cli.test_plan import rows
from tests.patience import patience

STORY = """\
- a red ball
- {at: 3s, prompt: rain}
- {at: 6s, prompt: a blue cube, cut: true, seed: 5}
"""


def drawn(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("seconds ")) :]


def test_a_plan_draws_its_timeline(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "story.yaml").write_text(STORY)
    plan = cli("plan", "--story", "story.yaml", "--seconds", "9", "--seed", "1")
    assert drawn(plan.out) == [
        "seconds  0               2              4               6              8",
        "prompts  a red ball            |rain                   |a blue cube",
        "shots    seed 1                                        |seed 5",
        "windows  [======1=======]    [======3======]           [=======5=======]",
        "                 [======2=======]        [=====4======]         [======6======]",
    ]


def test_a_loop_draws_every_prompt_of_its_story(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    plan = cli("plan", "a ball", "--seconds", "3", "--at", "2s: rain", "--loop", "--seed", "1")
    assert drawn(plan.out) == [
        "seconds  0           0.5        1           1.5         2          2.5         3",
        "prompts  a ball                                  |rain                   |a ba…",
        "windows                                     [================1================]",
        "                                                                   [====2=====>",
        "         [=====================3======================]",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_a_timeline_fits_its_width(cli, tmp_path, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    (tmp_path / "story.yaml").write_text(STORY)
    lines = drawn(cli("plan", "--story", "story.yaml", "--seconds", "30", "--seed", "1").out)
    assert max(map(len, lines)) <= columns


def test_a_thousand_windows_are_counted_and_not_drawn(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = drawn(cli("plan", "a ball", "--num-frames", "20000", "--seed", "1").out)
    assert lines[-1].startswith("windows  1667, too many to draw")


def test_a_clip_and_a_video_without_an_end_have_no_timeline(cli):
    for arguments in (["plan", "a ball"], ["plan", "a ball", "--endless"]):
        assert "seconds  " not in cli(*arguments).out


def test_a_plan_without_an_end_has_no_number_of_frames(cli):
    plan = cli("plan", "a ball", "--endless")
    assert "num_frames" not in rows(plan.out)
    assert rows(plan.out)["duration"] == ["until it is stopped", "num_frames / fps"]


def test_a_clip_is_printed_without_what_makes_long_videos(cli):
    names = rows(cli("plan", "a ball").out)
    assert not {"method", "window", "overlap", "order", "noise", "loop", "story", "made as"} & {
        *names
    }


def test_a_long_plan_says_the_method_and_its_cost(cli):
    plan = cli("plan", "a ball", "--seconds", "10", "--steps", "10")
    assert rows(plan.out)["made as"] == ["windows", "one clip of doodle-128 has 17 frames"]
    assert rows(plan.out)["steps in all"] == ["70", "windows x steps"]
    assert rows(plan.out)["cost"] == ["1.67", "frames computed for each one shown"]
    assert "--method windows: 7 windows of 17 frames" in plan.err


WRONG = {
    "an overlap as long as the window": (
        ["a ball", "--seconds", "9", "--overlap", "17"],
        "error: --overlap 17 leaves nothing of a window of 17 frames; a third of it, 8, is usual",
    ),
    "a time without a prompt": (
        ["a ball", "--seconds", "9", "--at", "5s"],
        "error: --at: must look like '5s: what is shown from then on', not '5s'",
    ),
    "a prompt beyond the end": (
        ["a ball", "--seconds", "9", "--at", "10s: rain"],
        "error: The prompt at 10s begins after the last frame of the video (9 s, 72 frames); make it longer "
        "with --seconds, or leave the prompt out.",
    ),
    "a story that is not there": (
        ["--story", "none.yaml"],
        "error: Cannot read none.yaml: No such file or directory.",
    ),
    "a method that is none": (
        ["a ball", "--method", "magic"],
        "error: --method must be auto, native, windows, continue or cut, not 'magic'",
    ),
    "a story out of order": (
        ["--story", "story.yaml", "--seconds", "9"],
        "error: The story is out of order: 5s comes after 6s. Sort its entries by time.",
    ),
    "a cut in a loop": (
        ["--story", "cut.yaml", "--seconds", "9", "--loop"],
        "error: A loop goes on into its own beginning, which a cut would end; leave --loop or the cuts "
        "out",
    ),
    "clips that go on from nothing": (
        ["a ball", "--seconds", "9", "--method", "continue", "--overlap", "0"],
        "error: --method continue goes on from the end of the clip before; --overlap 0 leaves nothing "
        "of it. For shots of their own there is --method cut",
    ),
    "a window as long as the video": (
        ["a ball", "--seconds", "9", "--window", "80"],
        "error: --window 80: one window holds all of a shot, which is one call of the pipeline; ask "
        "for that by --method native",
    ),
    "no seconds": (
        ["a ball", "--seconds", "0"],
        "error: --seconds must be more than 0, not 0",
    ),
    "no end, twice": (
        ["a ball", "--endless", "--num-videos", "2"],
        "error: --endless makes one video; leave --num-videos out",
    ),
    "an order of a clip": (
        ["a ball", "--order", "lockstep"],
        "error: --order changes nothing here: one clip holds all of it (17 frames = 2.125 s); "
        "leave it out",
    ),
}


@pytest.fixture
def stories(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("story.yaml").write_text("- a\n- {at: 6s, prompt: b}\n- {at: 5s, prompt: c}\n")
    Path("cut.yaml").write_text("- a\n- {at: 2s, prompt: b, cut: true}\n")


@pytest.mark.usefixtures("stories")
@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_one_line_that_says_what_to_do(cli, arguments, message):
    result = cli("generate", *arguments)
    assert (result.code, result.out) == (74 if "Cannot read" in message else 2, "")
    assert result.err.splitlines() == [message]


def test_hours_that_do_not_fit_on_the_disk_are_refused_before_loading(cli):
    result = cli(
        "generate", "a ball", "--num-frames", "1000000", "--size", "8192x8192", "-o", "frames/"
    )
    assert (result.code, result.out) == (2, "")
    assert "1,000,000 frames of 8192x8192 take at least" in result.err
    assert "make it shorter or smaller, or write to another disk" in result.err


@pytest.mark.parametrize(
    "extra", [("a ball",), ("--seed", "3"), ("--save-latents",), ("--no-metadata",), ("--no-loop",)]
)
def test_what_is_resumed_is_not_asked_for_again(cli, extra):
    result = cli("generate", *extra, "--resume", "a.mp4.work")
    assert result.code == 2
    assert "goes on as it was begun; leave" in result.err


def test_a_folder_without_an_unfinished_video_is_said(cli):
    result = cli("generate", "--resume", "a.mp4.work")
    assert result.code == 2
    assert "a.mp4.work holds no unfinished video" in result.err


TOLD = ("--progress", "json", "--json")
RUN = ("--size", "64x64", "--steps", "2", "--seed", "3", *TOLD)


def run_until(tmp_path, arguments, is_time, number, options=RUN):
    """Run the program and send it a signal when an event comes: exit code and stdout."""
    with (
        subprocess.Popen(
            [sys.executable, "-m", "t2v_cli", "generate", *arguments, *options],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(),
        ) as child,
        patience(child),
    ):
        sent = False
        for line in child.stderr:
            if not sent and is_time(json.loads(line)):
                child.send_signal(number)
                sent = True
        out = child.stdout.read()
        child.wait()
    return child.returncode, out


def frame(number):
    """Whether an event is that this frame is written."""
    return lambda event: event["event"] == "frames" and event["step"] == number


@pytest.mark.slow
def test_ctrl_c_completes_a_video_without_an_end(tmp_path):
    code, out = run_until(
        tmp_path,
        ["a ball", "--endless", "-o", "a.mp4"],
        frame(20),
        signal.SIGINT,
    )
    video = json.loads(out)
    assert (code, video["status"]) == (0, "ok")
    assert video["num_frames"] >= 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp4"]


@pytest.mark.slow
def test_a_killed_video_without_an_end_goes_on_until_it_is_stopped(tmp_path):
    checkpoint = tmp_path / "a.mp4.work" / MANIFEST
    arguments = ["a ball", "--endless", "-o", "a.mp4"]
    code, _ = run_until(tmp_path, arguments, lambda event: checkpoint.exists(), signal.SIGKILL)
    assert code == -signal.SIGKILL
    # Windows are three latent frames apart, of four frames each; the first latent is one frame.
    num_made = 4 * 3 * json.loads(checkpoint.read_text())["num_out"] - 3

    code, out = run_until(tmp_path, ["--resume", "a.mp4.work"], frame(1), signal.SIGINT, TOLD)

    video = json.loads(out)
    assert (code, video["status"]) == (0, "ok")
    assert video["num_frames"] == num_made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["windows", "cut"])
def test_a_killed_video_is_gone_on_with(tmp_path, program, method):
    arguments = ["a ball", "--seconds", "6", "--method", method, "-o", "a.mp4"]
    code, _ = run_until(
        tmp_path,
        arguments,
        frame(20),
        signal.SIGKILL,
    )
    assert code == -signal.SIGKILL
    resumed = program("generate", "--resume", "a.mp4.work", "--json")
    whole = program("generate", *arguments[:-1], "b.mp4", *RUN)
    assert resumed.code == 0
    assert resumed.json()["frames_sha256"] == whole.json()["frames_sha256"]
    assert resumed.json()["output"] == "a.mp4"
    assert not (tmp_path / "a.mp4.work").exists()


@pytest.mark.slow
def test_a_killed_clip_is_gone_on_with(tmp_path, program):
    arguments = ["a ball", "--steps", "900", "--seed", "3", "-o", "a.mp4"]
    work = tmp_path / "a.mp4.work"
    code, _ = run_until(
        tmp_path, arguments, lambda event: any(work.glob("evaluations-*")), signal.SIGKILL, TOLD
    )
    assert code == -signal.SIGKILL

    again = program("generate", *arguments)
    assert again.code == 74
    assert "holds an unfinished video. Go on with --resume a.mp4.work" in again.err
    resumed = program("generate", "--resume", "a.mp4.work", "--json")
    whole = program("generate", *arguments[:-1], "b.mp4", "--json")

    assert resumed.json()["frames_sha256"] == whole.json()["frames_sha256"]
    assert resumed.json()["timings_s"]["denoise"] < whole.json()["timings_s"]["denoise"]
    assert not work.exists()


def test_a_prompt_in_a_timeline_cannot_move_the_cursor(cli):
    plan = cli("plan", "a \x1b[31mball", "--seconds", "9", "--json").json()
    assert not any("\x1b" in line for line in timeline(plan))
