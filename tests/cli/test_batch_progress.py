"""What is seen of a batch while it works, and at its end."""

import json
from pathlib import Path

import pytest

from t2v.batch.items import Item
from t2v.batch.making import Failure
from t2v.batch.planning.plan import plan_batch
from t2v.batch.running.summary import FailedItem, Summary
from t2v.plan.events import Event
from t2v.plan.options import Options
from t2v_cli import batch_progress
from t2v_cli.batch_bars import BatchBars
from t2v_cli.batch_progress import MOST_SAID, BatchLines, BatchTalk
from t2v_cli.batch_summary import show_paths, show_summary
from t2v_cli.batch_tally import Tally
from t2v_cli.output import out
from t2v_cli.progress import display


@pytest.fixture(autouse=True)
def _loud():
    out.quiet = out.json_talk = False


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def item(name: str, status: str, step: int, worker: str = "worker-1", **more: object) -> Event:
    return Event("item", item=name, status=status, step=step, of=10, worker=worker, **more)


def test_a_tally_knows_pace_and_time_left():
    clock = Clock()
    tally = Tally(clock)
    for number in range(4):
        tally.take(item(str(number), "begun", number))
        clock.now += 3
        tally.take(item(str(number), "ok", number + 1))
    assert (tally.count(), tally.seconds_each, tally.eta_s) == ("4/10", 3.0, 18.0)
    assert tally.pace() == "3 s each, 18 s left"


def test_the_pace_is_that_of_late():
    clock = Clock()
    tally = Tally(clock)
    for number, seconds in enumerate([100.0] * 10 + [1.0] * 60):
        clock.now += seconds
        tally.take(item(str(number), "ok", number + 1))
    assert tally.seconds_each == 1.0


def test_videos_that_were_there_do_not_make_the_pace_faster():
    tally = Tally(Clock())
    tally.take(Event("plan", step=7, of=10))
    assert (tally.count(), tally.pace()) == ("7/10", "")


def test_what_is_in_the_making_comes_and_goes():
    tally = Tally(Clock())
    tally.take(Event("stage", stage="load", worker="worker-1"))
    assert list(tally.active) == ["worker-1"]
    tally.take(item("fox", "begun", 0))
    assert list(tally.active) == ["fox"]
    tally.take(Event("step", item="fox", stage="denoise", step=1, of=4, worker="worker-1"))
    assert tally.active["fox"].event.step == 1
    tally.take(item("fox", "failed", 1))
    assert not tally.active
    assert tally.faults() == "1 failed"


def test_failures_are_told_when_they_happen(capsys):
    show = BatchTalk()
    show(item("fox", "again", 0, message="out of memory"))
    show(item("fox", "failed", 1, message="out of\x1b[31m memory"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "warning: fox is tried again: out of memory"
    assert lines[1].startswith("warning: fox failed: out of")
    assert "\x1b" not in lines[1]


def test_a_flood_of_failures_does_not_drown_the_rest(capsys):
    show = BatchTalk()
    for number in range(200):
        show(item(f"fox {number}", "failed", number, message="no"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_SAID + 1
    assert lines[-1] == "warning: what fails from here on is in results.jsonl"


def test_in_a_pipe_there_is_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(batch_progress, "PATIENCE_S", 1000.0)
    show = BatchLines()
    show(Event("plan", step=0, of=10))
    show(Event("stage", stage="load", message="Loading doodle-128", worker="worker-1"))
    show(Event("stage", stage="load", message="Loading doodle-128", worker="worker-2"))
    for number in range(10):
        show(item(str(number), "ok", number + 1))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Loading doodle-128 ..."
    assert len(lines) == 2
    assert lines[1].startswith("10/10 finished, ")


def test_bars_leave_nothing_behind_and_show_who_makes_what(capsys):
    show = BatchBars()
    show(Event("plan", step=0, of=10))
    show(item("fox", "begun", 0))
    show(item("dog", "begun", 0, worker="worker-2"))
    show(Event("stage", item="dog", stage="denoise", of=4, step=0, worker="worker-2"))
    show(Event("step", item="dog", stage="denoise", of=4, step=2, worker="worker-2"))
    show.rest()
    drawn = capsys.readouterr().err
    assert "worker-2 dog" in drawn
    assert "denoising" in drawn
    assert "0/10 finished" in drawn
    assert drawn.endswith("\x1b[2K")


def test_as_json_every_event_is_a_line(capsys):
    show = display("json")
    show(item("fox", "ok", 1))
    assert json.loads(capsys.readouterr().err) == {
        "event": "item",
        "item": "fox",
        "status": "ok",
        "step": 1,
        "of": 10,
        "worker": "worker-1",
    }


def test_the_paths_of_finished_videos_are_printed(capsys):
    plan = plan_batch([Item("a fox", Options(), custom_id="fox")], config=False)
    listener = show_paths(plan, Path("out"), BatchTalk())
    for status in ("begun", "again", "failed", "interrupted", "ok"):
        listener(item("fox", status, 1))
    assert capsys.readouterr().out == "out/fox.mp4\n"


def failed(number: int) -> FailedItem:
    reason = Failure("generation", "GenerationError", "NaN in the latents")
    return FailedItem(f"fox-{number}", f"p.txt:{number}", reason, 2)


def test_a_summary_says_what_failed_and_what_to_do(capsys):
    summary = Summary(5, num_made=3, num_there=1, num_failed=1, seconds=75, failures=(failed(4),))
    show_summary(summary, Path("out"), json=False)
    assert capsys.readouterr().err.splitlines() == [
        "failed: p.txt:4 (2 tries): NaN in the latents",
        "5 videos: 3 made in 1:15 min, 1 there already, 1 failed",
        "out/index.html shows them, out/results.jsonl has every record",
        "try again what failed: the same command with --retry-failed",
    ]


def test_of_many_failures_the_rest_is_counted_by_kind(capsys):
    failures = tuple(failed(number) for number in range(50))
    show_summary(Summary(50, num_failed=50, failures=failures), Path("out"), json=False)
    assert "and 30 more: 30 GenerationError" in capsys.readouterr().err


def test_a_summary_as_json_has_every_failure(capsys):
    summary = Summary(2, num_made=1, num_failed=1, failures=(failed(4),))
    show_summary(summary, Path("out"), json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["num_made"], document["exit_code"]) == (1, 3)
    assert document["failures"][0]["source"] == "p.txt:4"
    assert document["failures"][0]["kind"] == "generation"


def test_an_early_stop_is_told_with_its_reason(capsys):
    summary = Summary(9, num_made=1, num_untried=8, stop="disk", reason="the disk is full")
    show_summary(summary, Path("out"), json=False)
    err = capsys.readouterr().err
    assert "stopped early: the disk is full" in err
    assert "go on: the same command" in err
