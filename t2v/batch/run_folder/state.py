"""What the journals of a run folder add up to: for each video, how far it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from t2v.batch.making import Failure, Kind, Outcome
from t2v.batch.making import Status as OutcomeStatus
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.journal import (
    check_version,
    journals_of,
    lines_of,
    shard_of,
    split,
    unsealed,
)
from t2v.batch.run_folder.standing import JobState, Place, Planned, State
from t2v.errors import RequestError

_STATUSES = frozenset(get_args(OutcomeStatus))
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_OUTCOME = [one.name for one in fields(Outcome) if one.name not in ("failure", "record")]
_RANK: dict[str, int] = {"new": 0, "started": 1, "interrupted": 2, "failed": 3, "done": 4}


def read_state(folder: Path) -> State:
    """The state of a run folder, from all of its journals; an empty one where there are none.

    Raises:
        RequestError: A newer t2v wrote a journal, or something else did.
        DiskError: A journal cannot be read.
    """
    paths = journals_of(folder)
    for path in paths:
        check_version(path)
    return merged([replay(path) for path in paths])


@dataclass(slots=True)
class Replayed:
    """What one journal says."""

    path: Path
    state: State = field(default_factory=State)
    fresh: list[tuple[int, Shard | None]] = field(default_factory=list)
    """Generation and share of each time that it was started over."""
    _pending: dict[str, Planned] = field(default_factory=dict)

    def add(self, offset: int, event: Mapping[str, Any]) -> None:
        """Take in the next event; one that is not known is left alone."""
        match event["event"]:
            case "started":
                self.state.begin(
                    event["key"], event["id"], event.get("custom_id"), event["generation"]
                )
            case "done" | "failed" | "interrupted":
                self.state.end(event["key"], self._ended(offset, event))
            case "job":
                self._pending[event["key"]] = Planned(
                    event["id"], event.get("custom_id"), event["output"], Place(self.path, offset)
                )
            case "plan":
                self.state.planned, self._pending = self._pending, {}
                self.state.plans[self.path.name] = (int(event["number"]), event["digest"])
            case "fresh":
                shard = event.get("shard")
                self.fresh.append((event["generation"], Shard.parse(shard) if shard else None))
            case "finished":
                self.state.results = event.get("results") or {}

    def _ended(self, offset: int, event: Mapping[str, Any]) -> JobState:
        said = event.get
        failure = said("failure")
        if event["status"] not in _STATUSES:
            raise ValueError(event["status"])
        outcome = Outcome(
            event["key"],
            event["status"],
            said("output"),
            said("num_bytes"),
            said("sha256"),
            said("frames_sha256"),
            failure=_failure(failure) if failure else None,
            seconds=said("seconds", 0.0),
            published=said("published"),
        )
        return JobState(
            event["event"],
            self.state.attempts(event["key"], event["generation"]),
            outcome,
            said("media"),
            event["id"],
            said("custom_id"),
            event["generation"],
            Place(self.path, offset),
        )


def _failure(facts: Mapping[str, Any]) -> Failure:
    kind = _KINDS.get(facts["kind"], "generation")
    return Failure(kind, str(facts["type"]), str(facts["message"]), int(facts["exit_code"]))


def replay(path: Path) -> Replayed:
    """One journal from its first line to its last."""
    found = Replayed(path)
    for offset, line in lines_of(path):
        body = unsealed(line)
        try:
            if body is None:
                found.state.num_damaged += line.endswith(b"\n")  # a cut last line is no damage
            else:
                found.add(offset, split(body)[0])
        except (ValueError, LookupError, TypeError, AttributeError, RequestError):
            found.state.num_damaged += 1
    return found


def merged(journals: Iterable[Replayed]) -> State:
    """The journals of all shares as one; no clock has a say in it."""
    journals = list(journals)
    fresh = [entry for one in journals for entry in one.fresh]
    whole = State(generation=max((generation for generation, _ in fresh), default=1))
    for one in journals:
        for key, job in one.state.jobs.items():
            if not (fresh and _is_forgotten(key, job, fresh)):
                known = whole.jobs.get(key)
                whole.jobs[key] = _further(known, job) if known else job
        whole.num_outcomes += one.state.num_outcomes
        whole.num_damaged += one.state.num_damaged
        whole.plans |= one.state.plans
        if one.state.results:
            whole.results = max(whole.results, one.state.results, key=_progress)
    for one in sorted(journals, key=lambda one: one.state.num_plans):
        if one.state.plans:
            whole.planned = replanned(whole.planned, one.state.planned, shard_of(one.path))
    return whole


def replanned(
    old: Mapping[str, Planned], new: Mapping[str, Planned], shard: Shard | None
) -> dict[str, Planned]:
    """What is wanted when there is a new plan of a share: the rest of the old one, and the new."""
    return {key: one for key, one in old.items() if shard and not shard.has(key)} | dict(new)


def _is_forgotten(key: str, job: JobState, fresh: Iterable[tuple[int, Shard | None]]) -> bool:
    return any(
        generation > job.generation and (shard is None or shard.has(key))
        for generation, shard in fresh
    )


def _progress(results: Mapping[str, Any]) -> int:
    return int(results.get("num_outcomes", 0))


def _further(one: JobState, other: JobState) -> JobState:
    """What two journals say of the same video: the one that is further, with all attempts."""
    best = max(one, other, key=lambda job: (job.generation, _RANK[job.status]))
    if one.generation != other.generation:
        return best
    return replace(best, attempts=one.attempts + other.attempts)


def outcome_facts(outcome: Outcome) -> dict[str, Any]:
    """An outcome as it goes into a line, less its record."""
    facts = {name: getattr(outcome, name) for name in _OUTCOME}
    return {name: value for name, value in facts.items() if value is not None}
