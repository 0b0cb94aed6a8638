"""Ctrl-C, SIGTERM and SIGKILL for a batch: what was finished is kept, the rest is made later."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.batch.killing import Driver, journal, kill_until
from tests.crash.looking import needs_ffprobe
from tests.patience import wait_for

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.usefixtures("importable"),
]

PROMPTS = ["red", "slow 1", "slow 2", "green"]


def started_slowly(folder: Path, *options: str) -> Driver:
    """A batch that is at its first slow item, and the others not yet."""
    driver = Driver(folder, PROMPTS, *options)
    wait_for(lambda: "slow-1" in driver._events.read_text())
    return driver


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_one_signal_ends_the_run_after_the_step_and_keeps_what_is_finished(
    folder: Path, number: int
):
    driver = started_slowly(folder)
    driver.send(number)
    began = time.monotonic()
    assert driver.wait() == 130, driver.errors()
    assert time.monotonic() - began < 10
    summary = driver.events()[-1]
    assert (summary["num_made"], summary["num_interrupted"], summary["num_untried"]) == (1, 1, 2)
    assert [event["event"] for event in journal(folder) if "key" in event][-1] == "interrupted"
    assert (folder / "results.jsonl").exists()
    assert (folder / "index.html").exists()
    rest = Driver(folder, PROMPTS)
    assert rest.wait() == 0
    assert rest.events()[-1]["num_made"] == 3


def test_ctrl_c_of_a_terminal_reaches_workers_too_and_is_the_drivers_to_answer(folder: Path):
    driver = started_slowly(folder)
    os.killpg(driver.process.pid, signal.SIGINT)
    assert driver.wait() == 130, driver.errors()
    assert driver.events()[-1]["num_interrupted"] == 1


def test_a_second_signal_ends_it_at_once(folder: Path):
    driver = Driver(folder, ["hang"], "--timeout", "600")
    driver.wait_until_begun()
    workers = driver.workers()
    driver.send(signal.SIGINT)
    time.sleep(0.5)
    assert driver.process.poll() is None
    driver.send(signal.SIGINT)
    began = time.monotonic()
    assert driver.wait() == 130, driver.errors()
    assert time.monotonic() - began < 10
    assert not any(map(is_alive, workers))


def test_workers_end_with_a_driver_that_is_killed(folder: Path):
    driver = Driver(folder, ["hang"])
    driver.wait_until_begun()
    [worker] = driver.workers()
    driver.send(signal.SIGKILL)
    driver.wait()
    wait_for(lambda: not is_alive(worker))


@needs_ffprobe
@pytest.mark.slow
def test_nothing_is_lost_or_made_twice_under_random_kills(tmp_path: Path):
    found = kill_until(24, tmp_path, num_items=60, seed=int.from_bytes(os.urandom(4)))
    assert found.wrong == []
    assert found.num_done_records == found.num_items
    assert found.num_redone <= 4 * found.num_kills.total()
