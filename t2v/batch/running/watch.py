"""Which worker hangs: by what it was last heard of, and how long it may be silent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from t2v.batch.jobs import Job

SILENCE_S = 600.0
"""A step of the largest models on the smallest devices is shorter."""
LOADING_S = 1800.0
"""Loading, and the first step after it, in which kernels are compiled, have no pace yet."""
TIMES_LONGEST = 10


@dataclass(slots=True)
class _Call:
    """One call of a maker: jobs that are made together."""

    jobs: tuple[Job, ...]
    heard_at: float
    num_ended_beside: int = 0
    """Calls that ended on its worker since it was last heard of."""


@dataclass(slots=True)
class _Pulse:
    heard_at: float
    is_loading: bool = False
    has_stepped: bool = False
    calls: list[_Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hang:
    """A worker that has been silent for too long."""

    worker: str
    silence_s: float
    culprits: tuple[str, ...]
    """Keys of the jobs that hang; all it has where that cannot be told."""


class Watch:
    """Times are given, in seconds of a clock that never jumps."""

    def __init__(self, timeout_s: float | None) -> None:
        """`timeout_s` is the longest silence; None has it follow the pace that is seen."""
        self._timeout_s = timeout_s
        self._longest_s = 0.0
        self._pulses: dict[str, _Pulse] = {}

    def loads(self, worker: str, now: float) -> None:
        """A worker was told to load."""
        self._pulses[worker] = _Pulse(now, is_loading=True)

    def loaded(self, worker: str, now: float) -> None:
        """It answered."""
        self._pulses[worker] = _Pulse(now)

    def begins(self, worker: str, jobs: Sequence[Job], now: float) -> None:
        """A worker was given a call."""
        pulse = self._pulses.setdefault(worker, _Pulse(now))
        if not pulse.calls:
            pulse.heard_at = now
        pulse.calls.append(_Call(tuple(jobs), now))

    def heard(self, worker: str, job_id: str | None, now: float, *, is_step: bool = False) -> None:
        """A worker told something."""
        pulse = self._pulses.get(worker)
        if pulse is None:
            return
        if not pulse.is_loading and pulse.has_stepped:
            self._longest_s = max(self._longest_s, now - pulse.heard_at)
        pulse.heard_at = now
        pulse.has_stepped = pulse.has_stepped or is_step
        for call in pulse.calls:
            if any(job.id == job_id for job in call.jobs):
                call.heard_at, call.num_ended_beside = now, 0

    def ended(self, worker: str, keys: Sequence[str], now: float) -> None:
        """A call is over."""
        self.heard(worker, None, now)
        pulse = self._pulses.get(worker)
        if pulse is None:
            return
        pulse.calls = [
            call for call in pulse.calls if not any(job.key in keys for job in call.jobs)
        ]
        for call in pulse.calls:
            call.num_ended_beside += 1

    def died(self, worker: str) -> None:
        """A worker is gone."""
        self._pulses.pop(worker, None)

    def hangs(self, now: float) -> list[Hang]:
        """All that have been silent for too long."""
        return [
            hang
            for worker, pulse in self._pulses.items()
            if (hang := self._hang(worker, pulse, now))
        ]

    def _hang(self, worker: str, pulse: _Pulse, now: float) -> Hang | None:
        limit_s = self._limit_s(pulse)
        silence_s = now - pulse.heard_at
        if (pulse.calls or pulse.is_loading) and silence_s > limit_s:
            keys = [job.key for call in pulse.calls for job in call.jobs]
            return Hang(worker, silence_s, tuple(keys))
        # Lanes may wait for one another, but not while two others come and go.
        stuck = [
            call
            for call in pulse.calls
            if call.num_ended_beside >= 2 and now - call.heard_at > limit_s
        ]
        if not stuck:
            return None
        silence_s = max(now - call.heard_at for call in stuck)
        return Hang(worker, silence_s, tuple(job.key for call in stuck for job in call.jobs))

    def _limit_s(self, pulse: _Pulse) -> float:
        if pulse.is_loading:
            return max(LOADING_S, self._timeout_s or 0)
        if self._timeout_s is not None:
            return self._timeout_s
        first = 0.0 if pulse.has_stepped else LOADING_S
        return max(SILENCE_S, TIMES_LONGEST * self._longest_s, first)
