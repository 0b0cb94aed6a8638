"""What became of every item, for programs: `results.jsonl`, in the shape of OpenAI's batches.

```json
{"id": "a-red-ball-3fa2b1c0", "custom_id": "ball", "response": {"status_code": 200, "body": {}}, "error": null}
```

`body` is the record of the video, as its sidecar has it. The file is derived from the journal and
can be deleted. It holds the items of the last plan, in its order, as far as there is an outcome.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from t2v.batch.making import Outcome
from t2v.batch.run_folder.journal import MAX_LINE_BYTES, dump, split, unsealed
from t2v.batch.run_folder.standing import JobState, Place, Planned, State, Status
from t2v.media.parts import Part, disk_error

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
    with _Lines() as lines:
        for key, planned in _wanted(state).items():
            yield _entry(key, planned, state.of(key), lines)


def write_results(folder: Path, state: State) -> int:
    """Write `results.jsonl` in one step; returns its size.

    Raises:
        DiskError: The disk is full, or the folder cannot be written.
    """
    target = folder / RESULTS
    try:
        part = Part(target)
        try:
            for chunk in _chunks(state):
                part.write(chunk)
            num_bytes = part.tell()
            part.publish(overwrite=True)
        finally:
            part.discard()
    except OSError as error:
        raise disk_error(target, error) from error
    return num_bytes


def _chunks(state: State, min_bytes: int = 1 << 20) -> Iterator[bytes]:
    chunk = bytearray()
    with _Lines() as lines:
        for key, planned in _wanted(state).items():
            job = state.of(key)
            if job.place and job.outcome:
                chunk += _line(planned or job, job, job.outcome, lines.read(job.place))
            if len(chunk) >= min_bytes:
                yield bytes(chunk)
                chunk.clear()
    yield bytes(chunk)


def _wanted(state: State) -> dict[str, Planned | None]:
    """The jobs of the plan; all that were ever made where there is none."""
    return {**state.planned} if state.planned else dict.fromkeys(state.jobs)


def _line(named: Planned | JobState, job: JobState, outcome: Outcome, body: bytes) -> bytes:
    """The record goes from line to line as it is."""
    record = split(body)[1] if body else b""
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


def _entry(key: str, planned: Planned | None, job: JobState, lines: "_Lines") -> Entry:
    facts, _ = split(lines.read(planned.place) or b"{") if planned else ({}, b"")
    record: dict[str, Any] = {}
    if job.place and (body := lines.read(job.place)):
        record = json.loads(split(body)[1] or b"{}")
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


class _Lines:
    """Lines of journals, read where they stand; the files stay open between two of them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._files: dict[Path, IO[bytes]] = {}

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, place: Place) -> bytes:
        """The event of a line; empty where it is not whole any more."""
        file = self._files.get(place.journal)
        if file is None:
            file = self._stack.enter_context(place.journal.open("rb"))
            self._files[place.journal] = file
        file.seek(place.offset)
        return unsealed(file.readline(MAX_LINE_BYTES)) or b""
