"""How many workers a cluster has room for, and how much of a node each of them takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class Room:
    """Workers that there may be, all alike."""

    num_workers: int
    num_gpus: int
    """Of each worker."""
    num_cpus: int
    """Of each worker; Ray gives it as many threads."""


def room_of(nodes: Iterable[Mapping[str, Any]], *, num_workers: int | None, device: str) -> Room:
    """What fits on nodes, as `ray.nodes()` tells of them.

    Args:
        nodes: Those that are alive and those that were.
        num_workers: As many as were asked for, also where they do not fit yet: what waits for room
            is what makes a cluster grow that can. None for as many as fit now.
        device: As a request has it. Where there are GPUs, each worker has one, unless it is `cpu`.

    ```
    >>> room_of([{"Alive": True, "Resources": {"CPU": 8.0}}], num_workers=None, device="auto")
    Room(num_workers=1, num_gpus=0, num_cpus=8)
    >>> room_of([{"Alive": True, "Resources": {"CPU": 8.0}}], num_workers=3, device="auto")
    Room(num_workers=3, num_gpus=0, num_cpus=2)

    ```
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    num_gpus = sum(int(node.get("GPU", 0)) for node in alive)
    if device != "cpu" and (num_gpus or device != "auto"):
        return Room(num_gpus if num_workers is None else num_workers, 1, 1)
    # A node that lends no processor, as heads of clusters do, has no worker either.
    cpus = [int(node["CPU"]) for node in alive if node.get("CPU", 0) >= 1]
    if not cpus:
        return Room(num_workers or 0, 0, 1)
    on_one_node = 1 if num_workers is None else ceil(num_workers / len(cpus))
    share = max(1, min(cpus) // on_one_node)
    fitting = sum(count // share for count in cpus)
    return Room(fitting if num_workers is None else num_workers, 0, share)
