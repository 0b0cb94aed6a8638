"""What is made next and by whom, without a process."""

from dataclasses import replace
from typing import Any

import pytest

from t2v.batch.jobs import Group, Job
from t2v.batch.running.schedule import Schedule, may_share_a_call
from t2v.batch.workers.engine import Load, Make, Work
from tests.batch.quick_run import plan_of

PLAN = plan_of([f"ball {number}" for number in range(6)])
GROUPS: tuple[Group, ...] = tuple(replace(PLAN.groups[0], index=index) for index in range(3))


def jobs(*groups: int) -> list[Job]:
    """A job for each, of that group, with its place as its id."""
    return [
        replace(PLAN.jobs[place], group=group, id=str(place)) for place, group in enumerate(groups)
    ]


def with_workers(schedule: Schedule, *names: str) -> Schedule:
    for name in names:
        schedule.joined(name)
    return schedule


def loading(schedule: Schedule, worker: str, num_lanes: int = 1) -> int | None:
    """The group that a worker is told to load; it does."""
    work = schedule.work_for(worker)
    schedule.loaded(worker, num_lanes)
    return work.group.index if isinstance(work, Load) else None


def all_work(schedule: Schedule, worker: str) -> list[str]:
    """All that a worker is told to do, each finished before the next is asked for."""
    told = []
    while (work := schedule.work_for(worker)) is not None:
        if isinstance(work, Load):
            told.append(f"load {work.group.index}")
            schedule.loaded(worker, 1)
        else:
            told += [job.id for job in work.jobs]
            schedule.ended(worker, [job.key for job in work.jobs])
    return told


def ids(work: Work | None) -> list[str] | None:
    return [job.id for job in work.jobs] if isinstance(work, Make) else None


def test_a_worker_stays_with_a_model_until_its_jobs_are_done():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 1, 0, 1)), "a")
    assert all_work(schedule, "a") == ["load 0", "0", "2", "load 1", "1", "3"]


def test_workers_spread_over_the_models():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 0, 1, 2)), "a", "b", "c")
    assert [loading(schedule, name) for name in "abc"] == [0, 1, 2]


def test_a_worker_too_many_goes_where_the_most_is_left():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 1, 1, 1)), "a", "b", "c")
    assert [loading(schedule, name) for name in "abc"] == [0, 1, 1]


def test_a_worker_has_as_many_calls_as_lanes():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 0, 0)), "a")
    loading(schedule, "a", num_lanes=2)
    assert [ids(schedule.work_for("a")) for _ in range(3)] == [["0"], ["1"], None]


def test_nothing_is_given_out_while_a_worker_loads():
    schedule = with_workers(Schedule(GROUPS, jobs(0)), "a")
    assert isinstance(schedule.work_for("a"), Load)
    assert schedule.work_for("a") is None


def test_what_is_to_be_alone_comes_last_and_alone():
    all_jobs = jobs(0, 0, 0)
    schedule = with_workers(Schedule(GROUPS, all_jobs, alone=[all_jobs[0].key]), "a")
    loading(schedule, "a", num_lanes=4)
    first, second = schedule.work_for("a"), schedule.work_for("a")
    assert (ids(first), ids(second)) == (["1"], ["2"])
    assert schedule.work_for("a") is None
    schedule.ended("a", [job.key for job in all_jobs[1:2]])
    assert schedule.work_for("a") is None
    schedule.ended("a", [job.key for job in all_jobs[2:3]])
    assert ids(schedule.work_for("a")) == ["0"]
    schedule.put(jobs(0, 0, 0, 0)[3])
    assert schedule.work_for("a") is None


def test_a_worker_that_dies_gives_back_what_it_had():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 0)), "a")
    loading(schedule, "a", num_lanes=2)
    schedule.work_for("a"), schedule.work_for("a")
    assert [job.id for job in schedule.died("a")] == ["0", "1"]
    assert (schedule.num_in_work, schedule.num_waiting, schedule.workers()) == (0, 0, [])


def test_a_worker_that_could_not_load_a_model_is_not_asked_again_while_another_can():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 1)), "a", "b")
    schedule.work_for("a")
    schedule.not_loaded("a")
    assert loading(schedule, "a") == 1
    assert loading(schedule, "b") == 0


def test_the_last_worker_is_asked_again():
    schedule = with_workers(Schedule(GROUPS, jobs(0)), "a")
    schedule.work_for("a")
    schedule.not_loaded("a")
    assert loading(schedule, "a") == 0


def test_a_worker_that_leaves_gets_nothing():
    schedule = with_workers(Schedule(GROUPS, jobs(0)), "a")
    schedule.leaves("a")
    assert schedule.work_for("a") is None


def test_prompts_share_a_call_up_to_the_batch_size():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 0, 0), batch_size=2), "a")
    loading(schedule, "a", num_lanes=2)
    assert [ids(schedule.work_for("a")) for _ in range(2)] == [["0", "1"], ["2"]]


def test_what_is_tried_again_has_a_call_of_its_own():
    all_jobs = jobs(0, 0, 0)
    schedule = with_workers(Schedule(GROUPS, all_jobs[:1], batch_size=4), "a")
    schedule.put_again(all_jobs[1])
    schedule.put(all_jobs[2])
    loading(schedule, "a", num_lanes=3)
    assert [ids(schedule.work_for("a")) for _ in range(3)] == [["0"], ["1"], ["2"]]


def test_a_group_that_is_given_up_hands_back_its_jobs():
    schedule = Schedule(GROUPS, jobs(0, 1, 0))
    assert [job.id for job in schedule.give_up(0)] == ["0", "2"]
    assert schedule.num_waiting == 1


def test_texts_to_encode_are_told_once_in_their_order():
    schedule = with_workers(Schedule(GROUPS, jobs(0, 0)), "a")
    work = schedule.work_for("a")
    assert isinstance(work, Load)
    assert [text for text in work.prompts if text.startswith("ball")] == ["ball 0", "ball 1"]
    assert len(set(work.prompts)) == len(work.prompts)


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ({"seed": 5}, True),
        ({"prompt": "x"}, True),
        ({"negative_prompt": "x"}, True),
        ({"negative_prompt": None}, False),
        ({"width": 64}, False),
    ],
    ids=["seed", "prompt", "another negative", "no negative", "width"],
)
def test_videos_of_one_shape_may_share_a_call(change: dict[str, Any], may: bool):
    request = replace(PLAN.jobs[0].request, negative_prompt="blurry")
    assert may_share_a_call(request, replace(request, **change)) is may
