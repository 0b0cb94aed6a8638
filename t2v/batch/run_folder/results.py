"""What became of every item, for programs: `results.jsonl`, in the shape of OpenAI's batches.

```json
{"id": "a-red-ball-3fa2b1c0", "custom_id": "ball", "response": {"status_code": 200, "body": {}}, "error": null}
```

`body` is the record of the video, as its sidecar has it. The file is derived from the journal and
can be deleted. It holds the items of the last plan, in its order, as far as there is an outcome.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2v.batch.making import Outcome
from t2v.batch.run_folder.derived import write_anew
from t2v.batch.run_folder.journal import dump
from t2v.batch.run_folder.standing import JobState, Lines, Planned, State, Status

RESULTS = "results.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a run, wanted or made."""

    key: str
    id: str
    custom_id: str | None
    output: str
    """Path below the run folder: where the video is, or will be."""
    prompt: str
    model: str
    seed: int | None
    status: Status
    attempts: int
    outcome: Outcome | None
    """With its record."""


def entries(state: State) -> Iterator[Entry]:
    """All items of a run, in the order of its plan, one after another from the journals.

    Raises:
        DiskError: A journal cannot be read.
    """
    with Lines() as lines:
        for key in state.wanted:
            yield _entry(key, state.planned.get(key), state.of(key), lines)


def write_results(folder: Path, state: State) -> int:
    """Write `results.jsonl` in one step; returns its size.

    Raises:
        DiskError: The disk is full, or the folder cannot be written.
    """
    return write_anew(folder / RESULTS, _lines(state))


def _lines(state: State) -> Iterator[bytes]:
    with Lines() as lines:
        for key in state.wanted:
            planned, job = state.planned.get(key), state.of(key)
            if job.place and job.outcome:
                yield _line(planned or job, job, job.outcome, lines.read(job.place)[1])


def _line(named: Planned | JobState, job: JobState, outcome: Outcome, record: bytes) -> bytes:
    """The record goes from line to line as it is."""
    head = dump({"id": named.id, "custom_id": named.custom_id})[:-1]
    if job.status == "done":
        return b'%s,"response":{"status_code":200,"body":%s},"error":null}\n' % (
            head,
            record or b"{}",
        )
    return b'%s,"response":null,"error":%s}\n' % (head, dump(_error(job.status, outcome)))


def _error(status: Status, outcome: Outcome) -> dict[str, str]:
    if outcome.failure is None:
        return {"code": status, "message": "Stopped before it was finished."}
    return {"code": outcome.failure.kind, "message": outcome.failure.message}


def _entry(key: str, planned: Planned | None, job: JobState, lines: Lines) -> Entry:
    facts = lines.read(planned.place)[0] if planned else {}
    text = lines.read(job.place)[1] if job.place else b""
    record: dict[str, Any] = json.loads(text) if text else {}
    outcome = job.outcome
    made = outcome.output if outcome else None
    return Entry(
        key,
        planned.id if planned else job.id,
        planned.custom_id if planned else job.custom_id,
        made or (planned.output if planned else ""),
        str(facts.get("prompt", record.get("prompt", ""))),
        str(facts.get("model", record.get("model", ""))),
        facts.get("seed", record.get("seed")),
        job.status,
        job.attempts,
        outcome and replace(outcome, record=record),
    )
