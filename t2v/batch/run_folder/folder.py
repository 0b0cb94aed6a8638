"""The folder of a run: what is in it already, and the one run that may write to it.

```
OUT/journal.jsonl       the only truth; `journal.2-of-8.jsonl` of a share
OUT/results.jsonl       derived from it
OUT/ball-3fa2b1c0.mp4   finished videos with their sidecars
OUT/.work/              who is at work, logs, and `<id>/` of what is in the making
```
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from t2v.batch.jobs import Job
from t2v.batch.making import Outcome
from t2v.batch.planning.identity import media_of_job
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder import chronicle
from t2v.batch.run_folder.finished import (
    also_named,
    move_aside,
    num_bytes_of,
    place_of,
    restore_sidecar,
    sha256_of,
)
from t2v.batch.run_folder.journal import Journal, journals_of
from t2v.batch.run_folder.locks import held_journal, one_at_a_time
from t2v.batch.run_folder.results import RESULTS, write_results
from t2v.batch.run_folder.standing import JobState, Place, Planned, State, record_at
from t2v.batch.run_folder.state import read_state, replanned
from t2v.batch.run_folder.view import WORK
from t2v.batch.run_folder.view import RunView as RunView
from t2v.batch.run_folder.view import read_run as read_run
from t2v.batch.run_folder.view import work_of as work_of
from t2v.batch.sheet.page_file import SHEET_NAME
from t2v.errors import RequestError
from t2v.media.parts import disk_error


class Run(RunView):
    """A run folder that this process alone writes to. Every method returns when it is on the disk.

    All may be called from one thread, the runner's.
    """

    def __init__(
        self,
        folder: Path,
        state: State,
        journal: Journal,
        shard: Shard | None,
        notes: Sequence[str],
    ) -> None:
        super().__init__(folder, state)
        self.notes = tuple(notes)
        """What has to be said once, a line each."""
        self._journal = journal
        self._shard = shard
        self._has_begun = False

    def planned(self, jobs: Sequence[Job]) -> None:
        """Say which videos are wanted: all others of the folder are left out of the results."""
        state, path = self.state, self._journal.path
        digest, last = chronicle.plan_digest(jobs), state.num_plans
        if state.plans.get(path.name) == (last, digest):
            return
        offsets = self._append(*chronicle.planned(jobs, last + 1, digest))
        state.plans[path.name] = (last + 1, digest)
        new = {
            job.key: Planned(job.id, job.custom_id, job.output, Place(path, offset))
            for job, offset in zip(jobs, offsets, strict=False)
        }
        state.planned = replanned(state.planned, new, self._shard)

    def is_done(self, job: Job, *, verify: bool = False) -> bool:
        """Whether its video is there, under its name where that is free.

        One that a run did not live to record is recorded now: ask again after a worker died.
        """
        if self._is_recorded(job, verify=verify):
            self._give_name(job)
            return True
        outcome = self._unrecorded(job)
        if outcome is not None:
            restore_sidecar(self.folder / job.output, outcome.record)
            self.ended(job, outcome)
        return outcome is not None

    def started(self, job: Job, worker: str) -> None:
        """Say that a worker begins with it. What is at its place is moved aside, never deleted."""
        now = self.state.of(job.key)
        path = place_of(self.folder, job.output)
        aside = move_aside(path) if path else None
        if now.status == "new" and self.state.generation > 1:
            shutil.rmtree(work_of(self.folder, job.id), ignore_errors=True)
        self._append(chronicle.started(job, self.state.generation, worker, aside))
        self.state.begin(job.key, job.id, job.custom_id, self.state.generation)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Say what became of it; the file of a finished one is on the disk by then."""
        outcome = chronicle.public(self._measured(outcome))
        generation = self.state.generation
        [offset] = self._append(chronicle.ended(job, outcome, generation))
        self.state.end(
            job.key,
            JobState(
                chronicle.END[outcome.status],
                self.state.attempts(job.key, generation),
                replace(outcome, record={}),
                media_of_job(job),
                job.id,
                job.custom_id,
                generation,
                Place(self._journal.path, offset),
            ),
        )
        if chronicle.END[outcome.status] == "done":
            shutil.rmtree(work_of(self.folder, job.id), ignore_errors=True)

    def record_of(self, key: str) -> dict[str, Any]:
        """The record of a video that is done."""
        place = self.state.of(key).place
        text = record_at(place) if place else b""
        record: dict[str, Any] = json.loads(text) if text else {}
        return record

    def finished(self, summary: Mapping[str, Any]) -> None:
        """Say that the run is over, and write `results.jsonl` anew if it tells less than is known."""
        with one_at_a_time(self.folder / WORK):
            is_behind = self._write_results()
        if is_behind or self._has_begun:
            self._append(chronicle.finished(summary, self.state.results))

    def _write_results(self) -> bool:
        state = self.state
        if self._has_begun and len(journals_of(self.folder)) > 1:
            # Other shares may have gone on meanwhile.
            state = read_state(self.folder)
        plans = hashlib.sha256(repr(sorted(state.plans.items())).encode()).hexdigest()
        made_of = {"num_outcomes": state.num_outcomes, "plans": plans}
        size = num_bytes_of(self.folder / RESULTS)
        is_behind = state.results != {**made_of, "num_bytes": size}
        if is_behind:
            size = write_results(self.folder, state)
        self.state.results = {**made_of, "num_bytes": size}
        return is_behind

    def begin_again(self) -> None:
        """Forget what was made, of this share; finished videos stay on the disk."""
        if not self.state.jobs:
            return
        generation, shard = self.state.generation + 1, self._shard
        self._append(chronicle.begun_again(generation, shard))
        self.state.generation = generation
        self.state.jobs = {k: v for k, v in self.state.jobs.items() if shard and not shard.has(k)}

    def _give_name(self, job: Job) -> None:
        """A finished video that is now wanted under another name gets that one as well."""
        now = self.state.of(job.key)
        if now.outcome is None or now.outcome.output == job.output:
            return
        old, new = (
            place_of(self.folder, now.outcome.output or ""),
            place_of(self.folder, job.output),
        )
        if old and new and also_named(old, new):
            record = self.record_of(job.key)
            record.pop("published", None)
            self.ended(job, replace(now.outcome, output=job.output, record=record, published=None))

    def _measured(self, outcome: Outcome) -> Outcome:
        """With the size and hash of the file, where its maker did not tell them."""
        path = place_of(self.folder, outcome.output or "")
        size = num_bytes_of(path) if path else None
        if path is None or size is None or (outcome.num_bytes and outcome.sha256):
            return outcome
        return replace(outcome, num_bytes=size, sha256=outcome.sha256 or sha256_of(path))

    def _append(self, *events: Mapping[str, Any]) -> list[int]:
        """Write events; where each of them begins."""
        if not self._has_begun:
            self._journal.append(chronicle.begun(self._shard))
            self._has_begun = True
        return self._journal.append(*events)


@contextlib.contextmanager
def open_run(folder: Path, *, shard: Shard | None = None, fresh: bool = False) -> Generator[Run]:
    """Hold a run folder for as long as the run takes; it is made where there is none.

    Args:
        folder: The run folder.
        shard: The share that is made here; others may run at the same time.
        fresh: Whether to make everything again. Finished videos stay, under another name.

    Raises:
        BusyError: Another run is at work there; nothing was changed.
        DiskError: The folder cannot be written.
        RequestError: A newer t2v wrote the journal, or something else did.
    """
    folder = folder.absolute()
    _refuse_strange(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(folder / RESULTS, error) from error
    with held_journal(folder, folder / WORK, shard) as (journal, has_locks):
        state = read_state(folder)
        run = Run(folder, state, journal, shard, _notes(folder, state, has_locks=has_locks))
        if fresh:
            run.begin_again()
        yield run


def _refuse_strange(folder: Path) -> None:
    """A run would write over these; without a journal they may be somebody else's."""
    there = [name for name in (SHEET_NAME, RESULTS) if (folder / name).is_file()]
    if not there or journals_of(folder) or _is_of_a_run(folder / RESULTS):
        return
    raise RequestError(
        f"{folder.name} holds {there[0]} and no journal: no run made it, and one would write over "
        "it. Name another folder."
    )


def _is_of_a_run(results: Path) -> bool:
    """Whether these are results of a run that lost its journal."""
    try:
        with results.open("rb") as file:
            return file.read(6) in (b'{"id":', b"")
    except OSError:
        return False


def _notes(folder: Path, state: State, *, has_locks: bool) -> list[str]:
    notes = []
    if state.num_damaged:
        notes.append(
            f"{state.num_damaged} damaged lines in the journal of {folder.name}; what they told is "
            "made again"
        )
    if not has_locks:
        notes.append(f"the disk of {folder.name} has no locks; let no other run use the folder")
    return notes
