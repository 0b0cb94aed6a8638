"""A child that hangs is a failure that says where, and a child is never forked by pytest."""

import multiprocessing.forkserver
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from t2v.plan.events import Event
from tests.crash.children import needs_children, started

pytestmark = needs_children
Tell = Callable[[Event], None]


def sleep(tell: Tell) -> None:
    """Say one thing, then nothing."""
    tell(Event("stage", stage="denoise"))
    time.sleep(600)


def hold_on(tell: Tell) -> None:
    """Say the end, and do not end."""
    threading.Thread(target=time.sleep, args=(600,)).start()
    tell(Event("done"))


def write_two_ids(tell: Tell, path: Path) -> None:
    path.write_text(f"{os.getppid()} {os.environ['T2V_CACHE_HOME']}")


def end_with(tell: Tell, code: int) -> int:
    return code


def fail(tell: Tell) -> None:
    raise RuntimeError("it is broken")


@pytest.mark.parametrize(
    ("work", "where", "wait"),
    [
        (sleep, "in sleep", lambda child: child.wait_for(2)),
        (sleep, "in sleep", lambda child: child.wait_for_stage("write")),
        (sleep, "in sleep", lambda child: child.wait()),
        (sleep, "in sleep", lambda child: child.kill(signal.SIGCONT)),
        (hold_on, "in _shutdown", lambda child: child.wait()),
    ],
    ids=["an event", "a stage", "the end", "a signal it takes no notice of", "a thread"],
)
def test_a_child_that_hangs_is_killed_and_says_where(tmp_path, work, where, wait):
    with started(work, log=tmp_path / "log") as child:
        child.wait_for(1)
        child.patience_s = 1
        with pytest.raises(pytest.fail.Exception, match=rf"(?s)of a child in 1 s.*{where}"):
            wait(child)
        child.process.join(10)
        assert child.process.exitcode == -signal.SIGABRT


def test_a_child_that_is_left_is_killed(tmp_path):
    with started(sleep, log=tmp_path / "log") as child:
        child.wait_for(1)
    assert child.process.exitcode == -signal.SIGKILL


def test_children_come_from_a_server_of_one_thread_in_the_home_of_their_test(tmp_path):
    with started(write_two_ids, tmp_path / "ids", log=tmp_path / "log") as child:
        assert child.wait() == 0, child.log.read_text()
    parent, home = (tmp_path / "ids").read_text().split()
    assert int(parent) != os.getpid()
    assert int(parent) == multiprocessing.forkserver._forkserver._forkserver_pid
    assert psutil.Process(int(parent)).num_threads() == 1
    assert home == os.environ["T2V_CACHE_HOME"]


@pytest.mark.parametrize("code", [0, 3, 130])
def test_a_code_is_the_code_of_the_child(tmp_path, code):
    with started(end_with, code, log=tmp_path / "log") as child:
        assert child.wait() == code


def test_an_exception_of_a_child_is_in_its_log(tmp_path):
    with started(fail, log=tmp_path / "log") as child:
        assert child.wait() == 1
    assert re.search(r"RuntimeError: it is broken\n\Z", child.log.read_text())
