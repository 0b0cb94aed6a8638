"""A worker in an actor, without Ray: what it is told and says arrives, and once."""

import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import t2v
from t2v.batch.items import Item
from t2v.batch.making import Manner
from t2v.batch.planning.plan import plan_batch
from t2v.batch.workers.actor import Actor
from t2v.batch.workers.engine import Ended, Load, Loaded, Make, Ready
from t2v.errors import RequestError
from t2v.plan.options import Options

MARK = ".work/shared-1"
MAKER = "tests.batch.ray_maker:open_maker"


def in_a_process(scene: Any, *arguments: Any) -> Any:
    """What `scene` returns in a process of its own: an actor takes its stdout and stderr."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(scene, arguments)


def an_actor(folder: Path, *, sees_the_mark: bool = True) -> Actor:
    (folder / ".work").mkdir(exist_ok=True)
    if sees_the_mark:
        (folder / MARK).touch()
    return Actor("ray-1", Manner(folder), MAKER, MARK, "ray-1.log", t2v.__version__)


def work(num_items: int) -> tuple[Load, list[Make]]:
    plan = plan_batch([Item(f"ball {number}", Options(seed=1)) for number in range(num_items)])
    return Load(plan.groups[0], ()), [Make((job,)) for job in plan.jobs]


def hear(actor: Actor, heard: int, number: int) -> list[Any]:
    """Messages from the first unheard one on, as soon as there are so many."""
    deadline = time.monotonic() + 20
    while len(said := actor.talk(heard).messages) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return list(said)


def _work_twice(folder: Path) -> tuple[list[str], str]:
    actor = an_actor(folder)
    load, (make,) = work(1)
    for number, one in [(0, load), (0, load), (1, make), (1, make)]:
        actor.take(number, one)
    messages = hear(actor, 0, 8)  # ready, stage, loaded, four steps, ended
    time.sleep(0.5)
    messages = hear(actor, 0, 8)
    kinds = [type(one).__name__ for one in messages]
    return kinds, (folder / ".work/logs/ray-1.log").read_text()


def test_work_that_arrives_twice_is_done_once(tmp_path: Path) -> None:
    kinds, log = in_a_process(_work_twice, tmp_path)
    assert log.count("began") == 1
    assert kinds.count("Loaded") == 1
    assert kinds.count("Ended") == 1


def _talk_again(folder: Path) -> list[bool]:
    actor = an_actor(folder)
    first, lost = actor.talk(0), actor.talk(0)
    actor.take(0, work(1)[0])
    hear(actor, 1, 2)
    after = actor.talk(1)
    return [
        first.messages == lost.messages == (Ready("ray-1"),),
        after.first == 1,
        isinstance(after.messages[-1], Loaded),
    ]


def test_what_was_not_heard_is_said_again_and_what_was_heard_is_not(tmp_path: Path) -> None:
    assert in_a_process(_talk_again, tmp_path) == [True, True, True]


def _make_apart(folder: Path) -> list[Any]:
    actor = an_actor(folder, sees_the_mark=False)
    load, (make,) = work(1)
    actor.take(0, load)
    actor.take(1, make)
    ended = hear(actor, 0, 8)[-1]
    assert isinstance(ended, Ended)
    output = ended.outcomes[0].output or ""
    found = actor.files(output)
    pieces = [actor.read(file.path, 0, file.num_bytes) for file in found]
    actor.forget(output)
    left = actor.files(output)
    actor.leave()
    return [[file.path for file in found], [len(piece) for piece in pieces], left]


def test_an_actor_that_does_not_see_the_folder_serves_its_files_itself(tmp_path: Path) -> None:
    paths, sizes, left = in_a_process(_make_apart, tmp_path)
    assert [path.rpartition(".")[2] for path in paths] == ["json", "mp4"]
    assert all(sizes)
    assert left == []
    assert [path.name for path in tmp_path.iterdir()] == [".work"]


def test_a_node_with_another_version_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"This node has t2v .*, the driver 0\.0\.9\. Install"):
        Actor("ray-1", Manner(tmp_path), MAKER, MARK, "ray-1.log", "0.0.9")
