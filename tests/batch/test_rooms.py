"""How many workers a cluster has room for."""

from typing import Any

import pytest

from t2v.batch.workers.rooms import Room, room_of


def node(*, alive: bool = True, **resources: float) -> dict[str, Any]:
    return {"Alive": alive, "Resources": resources}


def test_each_gpu_has_a_worker() -> None:
    nodes = [node(CPU=32, GPU=4), node(CPU=64, GPU=8), node(CPU=8)]
    assert room_of(nodes, num_workers=None, device="auto") == Room(12, 1, 1)


def test_a_node_that_left_has_no_room() -> None:
    nodes = [node(CPU=8, GPU=1), node(CPU=8, GPU=1, alive=False)]
    assert room_of(nodes, num_workers=None, device="auto") == Room(1, 1, 1)


def test_a_cluster_that_has_yet_to_grow_is_asked_for_gpus() -> None:
    assert room_of([node(CPU=0)], num_workers=4, device="cuda") == Room(4, 1, 1)


def test_requests_for_the_processor_leave_gpus_alone() -> None:
    assert room_of([node(CPU=32, GPU=4)], num_workers=None, device="cpu") == Room(1, 0, 32)


def test_a_worker_has_all_processors_of_the_smallest_node() -> None:
    nodes = [node(CPU=0), node(CPU=4), node(CPU=16)]
    assert room_of(nodes, num_workers=None, device="auto") == Room(5, 0, 4)


@pytest.mark.parametrize(("num_workers", "num_cpus"), [(1, 8), (2, 8), (3, 4), (100, 1)])
def test_workers_that_were_asked_for_share_the_processors(num_workers: int, num_cpus: int) -> None:
    nodes = [node(CPU=8), node(CPU=8)]
    found = room_of(nodes, num_workers=num_workers, device="auto")
    assert found == Room(num_workers, 0, num_cpus)


def test_a_cluster_without_nodes_has_no_room() -> None:
    assert room_of([], num_workers=None, device="auto") == Room(0, 0, 1)
