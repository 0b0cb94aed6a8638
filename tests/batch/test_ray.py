"""Batches on a Ray cluster of virtual nodes: whoever is killed, everything is made, and once."""

import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from t2v.batch.run_folder.finished import sha256_of
from tests.batch.ray_rig import Driver, Rig
from tests.patience import wait_for

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

FAULTS = (
    '{"CoreWorkerService.grpc_client.PushTask":'
    '{"num_failures": 8, "req_failure_prob": 25, "resp_failure_prob": 25}}'
)
"""Ray loses calls on their way to an actor, and answers on their way back."""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def balls(number: int) -> list[str]:
    return [f"ball {index}" for index in range(number)]


def check_each_is_made_once(driver: Driver, folder: Path, number: int) -> None:
    done = driver.events("done")
    assert Counter(Counter(event["key"] for event in done).values()) == {1: number}
    assert len(list(folder.glob("*.mp4"))) == number
    assert all(sha256_of(folder / event["output"]) == event["sha256"] for event in done)


def test_forty_items_are_made_once_though_an_actor_a_node_and_the_driver_are_killed(
    rig: Rig, tmp_path: Path
) -> None:
    nodes = rig.have_nodes(2)
    first = rig.drive(tmp_path, balls(40))
    first.wait_until_done(5)
    rig.actors()[0].kill()
    first.wait_until_done(12)
    rig.kill_node(nodes[0])
    first.wait_until_done(20)
    first.kill()
    second = rig.drive(tmp_path, balls(40))
    facts, code = second.end()
    assert (code, facts["made"] + facts["there"], facts["reasons"]) == (0, 40, [])
    assert facts["there"] >= 20
    check_each_is_made_once(second, tmp_path, 40)
    assert len(second.events("started")) <= 40 + 4  # what was in work at each death


def test_a_node_that_comes_late_takes_items(rig: Rig, tmp_path: Path) -> None:
    rig.have_nodes(1)
    driver = rig.drive(tmp_path, balls(40))
    driver.wait_until_done(3)
    assert {event["worker"] for event in driver.events("started")} == {"ray-1"}
    rig.add_node()
    facts, _ = driver.end()
    assert facts["made"] == 40
    assert {event["worker"] for event in driver.events("started")} == {"ray-1", "ray-2"}


def test_files_come_from_workers_that_do_not_see_the_run_folder(rig: Rig, tmp_path: Path) -> None:
    rig.have_nodes(1)
    wishes = ["a ball", ["a cube", "cubes/a.mp4"], ["a cone", "cone/"]]
    driver = rig.drive(tmp_path, wishes, "--apart")
    facts, code = driver.end()
    assert (code, facts["made"]) == (0, 3)
    outputs = [event["output"] for event in driver.events("done")]
    assert all(
        sha256_of(tmp_path / event["output"]) == event["sha256"] for event in driver.events("done")
    )
    assert sorted(output for output in outputs if not output.startswith("a-ball")) == [
        "cone",
        "cubes/a.mp4",
    ]
    assert (tmp_path / "cubes/a.json").is_file()
    assert (tmp_path / "cone/metadata.json").is_file()
    assert "began" in (tmp_path / ".work/logs/ray-1.log").read_text()
    assert not list(Path(tempfile.gettempdir()).glob("t2v-ray-*"))


def test_an_item_that_crashes_its_workers_fails_alone(rig: Rig, tmp_path: Path) -> None:
    rig.have_nodes(2)
    driver = rig.drive(tmp_path, [*balls(4), "segfault", *balls(0)])
    facts, code = driver.end()
    assert (code, facts["made"]) == (3, 4)
    assert "crashed: Segmentation fault" in facts["reasons"][0]


def test_nothing_is_made_twice_where_calls_and_answers_get_lost(rig: Rig, tmp_path: Path) -> None:
    rig.have_nodes(2)
    driver = rig.drive(tmp_path, balls(12), RAY_testing_rpc_failure=FAULTS)
    facts, _ = driver.end()
    if "RpcFailureManager" not in driver.errors:
        pytest.skip("this version of Ray loses nothing on purpose")
    assert facts["made"] == 12
    logs = "".join(log.read_text() for log in (tmp_path / ".work/logs").iterdir())
    assert logs.count("began") == 12
    check_each_is_made_once(driver, tmp_path, 12)


def test_ctrl_c_ends_the_run_after_the_step_and_the_workers_with_it(
    rig: Rig, tmp_path: Path
) -> None:
    rig.have_nodes(2)
    driver = rig.drive(tmp_path, balls(40))
    driver.wait_until_done(2)
    driver.process.send_signal(signal.SIGINT)
    facts, code = driver.end()
    assert code == 130
    assert 2 <= facts["made"] < 40
    assert len(driver.events("interrupted")) <= 2
    wait_for(lambda: not rig.actors(), "the end of the workers")


def test_workers_end_with_a_driver_that_is_killed_where_the_cluster_is_its_own(
    tmp_path: Path,
) -> None:
    driver = Driver(tmp_path, balls(40))
    driver.wait_until_done(1)
    family = psutil.Process(driver.process.pid).children(recursive=True)
    ours = [one for one in family if one.name() in ("gcs_server", "raylet", "ray::Actor")]
    assert len(ours) == 3
    driver.kill()
    wait_for(lambda: not any(one.is_running() for one in ours), "their end")
