"""How long a batch takes, by what earlier videos took on this machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapreplace

from t2v.batch.jobs import BatchPlan, Group, Job
from t2v.plan.forecast import forecast, workload_of
from t2v.plan.history import Estimate, Run, Workload, read_runs


@dataclass(frozen=True, slots=True)
class BatchEstimate:
    """What one worker needs for some videos of a batch."""

    seconds: float
    """With the loading of each model."""
    num_at_once: int
    """Videos that it makes side by side, at most."""


def estimate_batch(
    plan: BatchPlan, jobs: Iterable[Job], *, lanes: int | None = None
) -> BatchEstimate | None:
    """How long one worker takes for some jobs of a plan; None where that is not known of one of them.

    Args:
        plan: The plan.
        jobs: Those of its jobs that are to be made.
        lanes: Videos in the making at once; None for as many as in the last batch of their model.
    """
    runs = read_runs()
    by_group: dict[int, list[Job]] = {}
    for job in jobs:
        by_group.setdefault(job.group, []).append(job)
    parts = [_of_group(plan.groups[group], made, runs, lanes) for group, made in by_group.items()]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    most = max((part.num_at_once for part in known), default=0)
    return BatchEstimate(sum(part.seconds for part in known), most)


def _of_group(
    group: Group, jobs: Sequence[Job], runs: Sequence[Run], lanes: int | None
) -> BatchEstimate | None:
    # Where no batch had as many lanes, one video after the other is at least not too short.
    for num_lanes in dict.fromkeys((lanes or _last_lanes(group, runs), 1)):
        expected = _expected(group, jobs, runs, num_lanes)
        if expected is None:
            continue
        ends = [0.0] * min(num_lanes, len(jobs))
        for one in expected:
            heapreplace(ends, ends[0] + one.total_s - one.load_s)
        return BatchEstimate(expected[0].load_s + max(ends), len(ends))
    return None


def _last_lanes(group: Group, runs: Sequence[Run]) -> int:
    """How many the last batch of the model had, of those with several."""
    own = group.spec.name, group.machine.device_name
    for made in (run.workload for run in reversed(runs)):
        if (made.model, made.device_name) == own and made.num_lanes > 1:
            return made.num_lanes
    return 1


def _expected(
    group: Group, jobs: Sequence[Job], runs: Sequence[Run], num_lanes: int
) -> list[Estimate] | None:
    """What each job takes in its lane; None where earlier runs do not tell it of one."""
    spec, device_name = group.spec, group.machine.device_name
    known: dict[tuple[Workload, int], Estimate | None] = {}
    expected = []
    for job in jobs:
        alike = workload_of(spec, job.request, device_name, num_lanes), job.request.num_frames
        if alike not in known:
            known[alike] = forecast(spec, job.request, device_name, runs, num_lanes)
        one = known[alike]
        if one is None:
            return None
        expected.append(one)
    return expected
