"""Ctrl-C and SIGTERM: what is finished is kept, what is half done is not left behind."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import t2v
from t2v_cli.progress import Talk
from t2v_cli.stopping import Stopping
from tests.cli.conftest import environment
from tests.patience import patience

LONG = ("generate", "a ball", "--steps", "400", "--seed", "3", "--progress", "json")


def interrupted(
    tmp_path: Path, when: Callable[[dict[str, Any]], bool], *numbers: int, extra: Sequence[str] = ()
) -> tuple[int, list[dict[str, Any]], str]:
    """Run a long generation, send the signals when the event comes; exit code, events, stdout."""
    with (
        subprocess.Popen(
            [sys.executable, "-m", "t2v_cli", *LONG, *extra],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(),
        ) as child,
        patience(child),
    ):
        assert child.stderr is not None
        assert child.stdout is not None
        events = []
        for line in child.stderr:
            events.append(json.loads(line))
            if numbers and when(events[-1]):
                for number in numbers:
                    child.send_signal(number)
                    time.sleep(0.05)
                numbers = ()
        out = child.stdout.read()
        child.wait()
    return child.returncode, events, out


def is_third_step(event: dict[str, Any]) -> bool:
    return event["event"] == "step" and event["step"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_after_the_step_and_leaves_no_file(tmp_path, number):
    code, events, out = interrupted(tmp_path, is_third_step, number)
    assert (code, out) == (130, "")
    assert {
        "event": "warning",
        "message": "stopping after this step; once more stops at once",
    } in events
    assert events[-1]["event"] == "error"
    assert events[-1]["message"].startswith("Stopped")
    assert list(tmp_path.glob("*")) == []


@pytest.mark.slow
def test_two_signals_stop_at_once(tmp_path):
    code, _, _ = interrupted(tmp_path, is_third_step, signal.SIGINT, signal.SIGINT)
    assert code == 130
    assert list(tmp_path.glob("*")) == []


def test_a_signal_while_loading_stops_at_once(tmp_path):
    code, events, _ = interrupted(tmp_path, lambda event: event["event"] == "stage", signal.SIGINT)
    assert code == 130
    assert not any(event["event"] == "step" for event in events)


@pytest.mark.slow
def test_finished_videos_are_kept_and_named(tmp_path):
    code, events, out = interrupted(
        tmp_path,
        lambda event: event["event"] == "step" and event.get("item") == "1.mp4",
        signal.SIGINT,
        extra=("--steps", "2", "--num-frames", "5", "--num-videos", "50", "-o", "{index}.mp4"),
    )
    assert code == 130
    assert (tmp_path / "0.mp4").is_file()
    assert out.splitlines()[0] == "0.mp4"
    assert "Finished and kept: 0.mp4" in events[-1]["message"]


def test_the_handlers_of_the_caller_come_back():
    before = signal.getsignal(signal.SIGINT)
    with Stopping(Talk()):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_video_is_no_place_to_stop():
    with Stopping(Talk()) as listener:
        listener.is_asked = True
        listener(t2v.Event("done"))
        with pytest.raises(KeyboardInterrupt):
            listener(t2v.Event("step", stage="denoise", step=1, of=2))
