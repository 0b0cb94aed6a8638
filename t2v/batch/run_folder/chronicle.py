"""The events of a run, as the journal has them: without folders and secrets of this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from t2v.api.record import public_name, public_text, versions
from t2v.batch.jobs import Job
from t2v.batch.making import Outcome
from t2v.batch.planning.identity import media_of_job
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.standing import Status
from t2v.batch.run_folder.state import outcome_facts
from t2v.text import redacted

END: Mapping[str, Status] = {
    "ok": "done",
    "suspect": "done",
    "failed": "failed",
    "interrupted": "interrupted",
}
"""Status of an outcome -> the event, and what the job is from then on."""

Event = dict[str, Any]


def begun(shard: Shard | None) -> Event:
    """A run writes for the first time."""
    return {"event": "run", "shard": shard and str(shard), "versions": versions()}


def begun_again(generation: int, shard: Shard | None) -> Event:
    """What was made before does not count any more."""
    return {"event": "fresh", "generation": generation, "shard": shard and str(shard)}


def plan_digest(jobs: Sequence[Job]) -> str:
    """By which the same plan is known again."""
    text = repr([(job.key, job.id, job.custom_id, job.output) for job in jobs])
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def planned(jobs: Sequence[Job], number: int, digest: str) -> list[Event]:
    """All jobs that are wanted, and that these were all."""
    end: Event = {"event": "plan", "number": number, "num_jobs": len(jobs), "digest": digest}
    return [*map(_job, jobs), end]


def started(job: Job, generation: int, worker: str, aside: Path | None) -> Event:
    """A worker begins; `aside` is what had the name before, and has now."""
    return {
        "event": "started",
        "generation": generation,
        "key": job.key,
        "id": job.id,
        "custom_id": job.custom_id,
        "worker": worker,
        "aside": aside and aside.name,
    }


def ended(job: Job, outcome: Outcome, generation: int) -> Event:
    """What became of a job."""
    event = {
        "event": END[outcome.status],
        "generation": generation,
        "id": job.id,
        "custom_id": job.custom_id,
        **outcome_facts(outcome),
        "media": media_of_job(job),
        "failure": outcome.failure and asdict(outcome.failure),
    }
    # Last, as the journal wants it.
    return event | {"record": outcome.record} if outcome.record else event


def public(outcome: Outcome) -> Outcome:
    """The outcome with nothing in its reason that is nobody's business."""
    if outcome.failure is None:
        return outcome
    message = redacted(public_text(outcome.failure.message))
    return replace(outcome, failure=replace(outcome.failure, message=message))


def finished(summary: Mapping[str, Any], results: Mapping[str, Any]) -> Event:
    """A run is over; `results` says what its `results.jsonl` was made of."""
    return {"event": "finished", "summary": summary, "results": results}


def _job(job: Job) -> Event:
    return {
        "event": "job",
        "key": job.key,
        "id": job.id,
        "custom_id": job.custom_id,
        "output": job.output,
        "source": public_text(public_name(job.source)),
        "prompt": job.request.prompt,
        "model": public_name(job.request.model),
        "seed": job.request.seed,
    }
