"""Workers as processes: what they are told, what they answer, how they end."""

import contextlib
import signal
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import pytest

from t2v.batch.making import Manner
from t2v.batch.workers import local
from t2v.batch.workers.devices import Gpus, parse_list, visible_gpus
from t2v.batch.workers.engine import Died, Ended, Heard, Load, Loaded, Make, Message, Ready
from t2v.batch.workers.local import LocalEngine
from t2v.errors import BusyError
from tests.batch.quick_run import MAKER, plan_of

PATIENCE_S = 60


pytestmark = pytest.mark.usefixtures("importable")


@contextlib.contextmanager
def opened(
    folder: Path, num_workers: int | None = None, *, gpus: Gpus | None = None, label: str = ""
) -> Generator[LocalEngine]:
    engine = LocalEngine(num_workers, gpus=gpus, label=label)
    engine.open(Manner(folder.absolute()), MAKER)
    try:
        yield engine
    finally:
        engine.close()


def told(engine: LocalEngine, wanted: Callable[[Message], bool]) -> Message:
    """The next message that is wanted; what workers tell while they work is passed over."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        message = engine.receive(0.1)
        if message is not None and not isinstance(message, Heard):
            assert wanted(message), message
            return message
    pytest.fail("nothing was told")


def is_ready(message: Message) -> bool:
    return isinstance(message, Ready)


def is_loaded(message: Message) -> bool:
    return isinstance(message, Loaded)


def died(engine: LocalEngine) -> Died:
    message = told(engine, lambda message: isinstance(message, Died))
    assert isinstance(message, Died)
    return message


def working(engine: LocalEngine, *prompts: str) -> str:
    """The name of a worker that was told to make prompts."""
    plan = plan_of(prompts)
    engine.grow(1)
    worker = told(engine, is_ready).worker
    engine.send(worker, Load(plan.groups[0], prompts))
    told(engine, is_loaded)
    for job in plan.jobs:
        engine.send(worker, Make((job,)))
    return worker


def wait_until_heard(engine: LocalEngine) -> None:
    """Until a worker is at a job."""
    deadline = time.monotonic() + PATIENCE_S
    while not isinstance(engine.receive(0.1), Heard):
        assert time.monotonic() < deadline


def workers_of_this_process() -> list[int]:
    """Other tests have children, too, such as the server that forks."""
    mine = psutil.Process().children()
    return [one.pid for one in mine if "t2v.batch.workers.spawned" in one.cmdline()]


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def test_a_worker_loads_makes_and_leaves(tmp_path: Path):
    with opened(tmp_path) as engine:
        working(engine, "red")
        ended = told(engine, lambda message: isinstance(message, Ended))
        assert isinstance(ended, Ended)
        assert [outcome.status for outcome in ended.outcomes] == ["ok"]
    assert workers_of_this_process() == []


def test_what_libraries_print_goes_into_the_log(tmp_path: Path):
    with opened(tmp_path) as engine:
        working(engine, "print")
        told(engine, lambda message: isinstance(message, Ended))
    said = (tmp_path / ".work" / "logs" / "worker-1.log").read_text()
    assert said == "a library has something to say\n"


def test_the_log_of_a_crash_has_the_stack(tmp_path: Path):
    with opened(tmp_path) as engine:
        working(engine, "segfault")
        assert died(engine).reason == "killed by SIGSEGV"
    assert "quick_maker.py" in (tmp_path / ".work" / "logs" / "worker-1.log").read_text()


def test_a_dead_worker_is_replaced_under_another_name(tmp_path: Path):
    with opened(tmp_path, 1) as engine:
        assert working(engine, "exit") == "worker-1"
        assert died(engine) == Died("worker-1", "ended with exit code 3")
        engine.send("worker-1", Make(plan_of(["red"]).jobs))
        assert working(engine, "red") == "worker-2"


def test_an_interrupted_worker_answers_for_all_it_has(tmp_path: Path):
    with opened(tmp_path) as engine:
        working(engine, "slow")
        wait_until_heard(engine)
        engine.interrupt()
        ended = told(engine, lambda message: isinstance(message, Ended))
        assert isinstance(ended, Ended)
        assert [outcome.status for outcome in ended.outcomes] == ["interrupted"]


def test_a_worker_that_hangs_is_killed_when_it_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "GRACE_S", 0.5)
    with opened(tmp_path) as engine:
        worker = working(engine, "hang")
        wait_until_heard(engine)
        engine.kill(worker)
        assert died(engine).reason == "killed by SIGKILL"


def test_workers_are_ended_however_busy_they_are(tmp_path: Path):
    with opened(tmp_path) as engine:
        working(engine, "hang")
        wait_until_heard(engine)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert workers_of_this_process() == []


def test_no_run_begins_beside_workers_of_a_killed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "ORPHANS_S", 0.2)
    with opened(tmp_path), pytest.raises(BusyError, match="Workers of an earlier run"):
        LocalEngine().open(Manner(tmp_path), MAKER)
    with opened(tmp_path):
        pass


def test_shares_of_a_batch_have_workers_of_their_own(tmp_path: Path):
    with opened(tmp_path, label="1-of-2"), opened(tmp_path, label="2-of-2") as second:
        working(second, "print")
        told(second, lambda message: isinstance(message, Ended))
    assert (tmp_path / ".work" / "logs" / "worker-1-2-of-2.log").exists()


def test_each_worker_is_shown_one_gpu_and_its_share_of_the_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with opened(tmp_path, gpus=Gpus("CUDA_VISIBLE_DEVICES", ("5", "GPU-7"))) as engine:
        engine.grow(9)
        seen = [environment_of(pid) for pid in workers_of_this_process()]
    assert sorted(one["CUDA_VISIBLE_DEVICES"] for one in seen) == ["5", "GPU-7"]
    assert all(int(one["OMP_NUM_THREADS"]) >= 1 for one in seen)


def test_more_workers_than_gpus_share_them():
    gpus = Gpus("CUDA_VISIBLE_DEVICES", ("0", "1"))
    shown = [gpus.environment(slot)["CUDA_VISIBLE_DEVICES"] for slot in range(4)]
    assert shown == ["0", "1", "0", "1"]


def test_gpus_that_a_user_has_chosen_are_those_there_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 1")
    assert visible_gpus("cuda", ["auto"]) == Gpus("CUDA_VISIBLE_DEVICES", ("3", "1"))
    assert visible_gpus("cuda", ["cuda:1"]) == Gpus()
    assert visible_gpus("cpu", ["auto"]) == Gpus()


def test_gpus_are_counted_by_their_driver():
    listed = "GPU 0: NVIDIA H100 (UUID: GPU-1)\nGPU 1: NVIDIA H100 (UUID: GPU-2)\n"
    assert parse_list(listed) == ("0", "1")


def test_signals_have_names_and_codes_have_numbers():
    assert local.reason_of(-signal.SIGKILL) == "killed by SIGKILL"
    assert local.reason_of(7) == "ended with exit code 7"
