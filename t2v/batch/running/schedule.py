"""What is made next and by whom. Knows neither processes nor clocks nor files."""

from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from t2v.batch.jobs import Group, Job
from t2v.batch.workers.engine import Load, Make, Work
from t2v.plan.request import Request


@dataclass(slots=True)
class _Waiting:
    """Jobs of one group that wait."""

    queue: deque[Job] = field(default_factory=deque)
    alone: deque[Job] = field(default_factory=deque)
    """To be made with nothing beside them; at the end, when nothing else can be hurt."""

    def __len__(self) -> int:
        return len(self.queue) + len(self.alone)

    def __iter__(self) -> Iterator[Job]:
        yield from self.queue
        yield from self.alone


@dataclass(slots=True)
class _Desk:
    """A worker and what it is at."""

    group: int | None = None
    num_lanes: int = 0
    """0 while it loads."""
    is_leaving: bool = False
    num_calls: int = 0
    is_alone: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    """Groups that it could not load."""

    @property
    def is_loading(self) -> bool:
        return self.group is not None and self.num_lanes == 0

    @property
    def is_busy(self) -> bool:
        return self.is_loading or self.num_calls > 0


class Schedule:
    """Hands out jobs in the order of the plan.

    A worker stays with the group whose model it has loaded while that has jobs; a worker without
    goes where nobody is yet, or to where the most is left for each.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        jobs: Sequence[Job],
        *,
        batch_size: int = 1,
        alone: Collection[str] = (),
    ) -> None:
        """Begin.

        Args:
            groups: Those of the plan.
            jobs: What is to be made.
            batch_size: How many jobs may share a call of the pipeline.
            alone: Keys of jobs that are to be made with nothing beside them.
        """
        self._groups = {group.index: group for group in groups}
        self._waiting = {group.index: _Waiting() for group in groups}
        self._desks: dict[str, _Desk] = {}
        self._batch_size = batch_size
        self._single: set[str] = set()
        for job in jobs:
            self.put(job, alone=job.key in alone)

    @property
    def num_waiting(self) -> int:
        """Jobs that nobody has begun."""
        return sum(map(len, self._waiting.values()))

    @property
    def num_in_work(self) -> int:
        """Jobs that workers are at."""
        return sum(len(desk.jobs) for desk in self._desks.values())

    @property
    def num_useful(self) -> int:
        """How many workers would have something to do."""
        return sum(desk.is_busy for desk in self._desks.values()) + self.num_waiting

    def workers(self) -> list[str]:
        """All that have joined and have not died."""
        return list(self._desks)

    def group_of(self, worker: str) -> int | None:
        """What a worker has loaded or is loading."""
        return self._desks[worker].group if worker in self._desks else None

    def is_loading(self, worker: str) -> bool:
        """Whether a worker is loading."""
        return worker in self._desks and self._desks[worker].is_loading

    def put(self, job: Job, *, alone: bool = False) -> None:
        """Let a job wait behind those of its group."""
        waiting = self._waiting[job.group]
        (waiting.alone if alone else waiting.queue).append(job)

    def put_again(self, job: Job, *, alone: bool = False) -> None:
        """As `put`, for a job that was tried: from here on it has a call of its own."""
        self._single.add(job.key)
        self.put(job, alone=alone)

    def joined(self, worker: str) -> None:
        """A worker is there."""
        self._desks[worker] = _Desk()

    def leaves(self, worker: str) -> None:
        """A worker will be gone soon and gets nothing more."""
        if worker in self._desks:
            self._desks[worker].is_leaving = True

    def died(self, worker: str) -> tuple[Job, ...]:
        """A worker is gone; returns what it was making."""
        desk = self._desks.pop(worker, _Desk())
        return tuple(desk.jobs.values())

    def loaded(self, worker: str, num_lanes: int) -> None:
        """A worker has loaded what it was told to."""
        if worker in self._desks:
            self._desks[worker].num_lanes = num_lanes

    def not_loaded(self, worker: str) -> None:
        """A worker could not load its group; others are asked before it is asked again."""
        desk = self._desks.get(worker)
        if desk is not None and desk.group is not None:
            desk.refused.add(desk.group)
            desk.group = None

    def ended(self, worker: str, keys: Collection[str]) -> tuple[Job, ...]:
        """A call of a worker is over; returns its jobs."""
        desk = self._desks.get(worker, _Desk())
        jobs = tuple(desk.jobs.pop(key) for key in keys if key in desk.jobs)
        desk.num_calls = max(0, desk.num_calls - 1)
        desk.is_alone = desk.is_alone and desk.num_calls > 0
        return jobs

    def is_attended(self, group: int) -> bool:
        """Whether a worker has a group loaded, or is loading it."""
        return any(desk.group == group for desk in self._desks.values())

    def give_up(self, group: int) -> tuple[Job, ...]:
        """Take away all that waits for a group that cannot be loaded."""
        jobs = tuple(self._waiting[group])
        self._waiting[group] = _Waiting()
        return jobs

    def work_for(self, worker: str) -> Work | None:
        """What a worker is to do now; None where it has enough, or where nothing is left."""
        desk = self._desks[worker]
        if desk.is_loading or desk.is_leaving or desk.is_alone:
            return None
        work = self._next_of_its_group(desk)
        return work if work or desk.is_busy else self._load(desk)

    def _next_of_its_group(self, desk: _Desk) -> Make | None:
        if desk.group is None or desk.num_calls >= desk.num_lanes:
            return None
        waiting = self._waiting[desk.group]
        if waiting.queue:
            return self._begin(desk, self._take(waiting.queue))
        if waiting.alone and not desk.is_busy:
            desk.is_alone = True
            return self._begin(desk, [waiting.alone.popleft()])
        return None

    def _take(self, queue: deque[Job]) -> list[Job]:
        jobs = [queue.popleft()]
        while queue and len(jobs) < self._batch_size and self._fit(jobs[0], queue[0]):
            jobs.append(queue.popleft())
        return jobs

    def _fit(self, job: Job, other: Job) -> bool:
        is_tried = job.key in self._single or other.key in self._single
        return not is_tried and may_share_a_call(job.request, other.request)

    def _begin(self, desk: _Desk, jobs: list[Job]) -> Make:
        desk.jobs.update({job.key: job for job in jobs})
        desk.num_calls += 1
        return Make(tuple(jobs))

    def _load(self, desk: _Desk) -> Load | None:
        index = self._group_for(desk)
        if index is None:
            return None
        desk.group, desk.num_lanes = index, 0
        return Load(self._groups[index], texts_of(self._waiting[index]))

    def _group_for(self, desk: _Desk) -> int | None:
        crowd = Counter(other.group for other in self._desks.values())
        open_to = [index for index in self._groups if self._may_load(desk, index)]
        free = [index for index in open_to if not crowd[index]]
        if free:
            return free[0]
        return max(open_to, key=lambda one: len(self._waiting[one]) / crowd[one], default=None)

    def _may_load(self, desk: _Desk, index: int) -> bool:
        if not self._waiting[index]:
            return False
        others = (other for other in self._desks.values() if other is not desk)
        return index not in desk.refused or all(index in other.refused for other in others)


def may_share_a_call(one: Request, other: Request) -> bool:
    """Whether two videos differ in prompt and seed alone, so that one call can make both."""
    if one.long or other.long or one.endless or other.endless:
        return False
    if (one.negative_prompt is None) != (other.negative_prompt is None):
        return False
    negative = other.negative_prompt
    return replace(one, prompt=other.prompt, negative_prompt=negative, seed=other.seed) == other


def texts_of(jobs: Sequence[Job] | _Waiting) -> tuple[str, ...]:
    """The distinct texts that are encoded for jobs, in the order in which they are needed."""
    found: dict[str | None, None] = {}
    for job in jobs:
        request = job.request
        cues = (text for cue in request.story for text in (cue.prompt, cue.negative_prompt))
        found.update(dict.fromkeys((request.prompt, *cues, request.negative_prompt)))
    return tuple(text for text in found if text)
