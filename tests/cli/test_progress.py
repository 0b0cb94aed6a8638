"""How a run is shown: a bar, lines, JSON, or nothing."""

import json

import pytest
import typer

import t2v
from t2v_cli.output import out
from t2v_cli.phrases import duration, pace
from t2v_cli.progress import Bar, JsonLines, Lines, Talk, display

RUN = [
    t2v.Event("plan", message="doodle-128: 128x128"),
    t2v.Event("stage", stage="load", message="Loading [bold]doodle[/x] \x1b[31m"),
    t2v.Event("stage", stage="denoise"),
    t2v.Event("step", stage="denoise", step=0, of=2),
    t2v.Event("step", stage="denoise", step=1, of=2, seconds_per_step=1.25, eta_s=75.0),
    t2v.Event("warning", message="2 frames are odd"),
    t2v.Event("step", stage="denoise", step=2, of=2, seconds_per_step=1.25, eta_s=0.0),
    t2v.Event("stage", stage="decode"),
    t2v.Event("frames", stage="decode", step=5, of=5),
    t2v.Event("done"),
]


@pytest.fixture(autouse=True)
def _fresh_output():
    out.quiet = out.json_talk = False
    yield
    out.quiet = out.json_talk = False


def shown(how, capsys) -> str:
    for event in RUN:
        how(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_lines_name_each_stage_once_and_its_end(capsys):
    assert shown(Lines(), capsys).splitlines() == [
        "doodle-128: 128x128",
        "Loading [bold]doodle[/x] �[31m ...",
        "denoising ...",
        "warning: 2 frames are odd",
        "denoising 2/2, 1.25 s/it, 0 s left",
        "decoding ...",
        "decoding 5/5",
    ]


def test_frames_that_come_while_others_are_denoised_are_no_lines(capsys):
    lines = Lines()
    for event in (
        t2v.Event("stage", stage="denoise"),
        t2v.Event("step", stage="denoise", step=1, of=2),
        t2v.Event("frames", stage="decode", step=1, of=1),
        t2v.Event("step", stage="denoise", step=2, of=2),
    ):
        lines(event)
    assert capsys.readouterr().err.splitlines() == ["denoising ...", "denoising 2/2"]


def test_json_lines_have_the_fields_that_apply(capsys):
    events = [json.loads(line) for line in shown(display("json"), capsys).splitlines()]
    assert events[4] == {
        "event": "step",
        "stage": "denoise",
        "step": 1,
        "of": 2,
        "seconds_per_step": 1.25,
        "eta_s": 75.0,
    }
    assert events[-1] == {"event": "done"}


def test_a_bar_draws_stage_steps_and_pace_and_leaves_nothing_behind(capsys):
    seen = shown(Bar(), capsys)
    assert "denoising" in seen
    assert "Loading [bold]doodle[/x] �[31m" in seen
    assert "\x1b[31m" not in seen
    assert seen.endswith("\x1b[2K")


def test_without_progress_words_are_still_said(capsys):
    assert shown(Talk(), capsys).splitlines() == [
        "doodle-128: 128x128",
        "warning: 2 frames are odd",
    ]


def test_a_pipe_gets_lines_and_quiet_gets_words_only(capsys):
    assert type(display("auto")) is Lines
    assert type(display("auto", quiet=True)) is Talk
    assert type(display("none")) is Talk
    assert type(display("json")) is JsonLines
    assert type(display("bar")) is Bar


def test_an_unknown_way_is_refused():
    with pytest.raises(typer.BadParameter):
        display("loud")


def test_the_pace_of_a_step():
    assert pace(RUN[4]) == "1/2, 1.25 s/it, 1:15 min left"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.42 s"), (9.96, "10 s"), (59.7, "1:00 min"), (75, "1:15 min"), (3700, "1:01 h")],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said


def test_a_download_is_said_in_gigabytes():
    event = t2v.Event("stage", stage="load", step=1_500_000_000, of=14_700_000_000)
    assert pace(event) == "1.5 GB of 14.7 GB"
