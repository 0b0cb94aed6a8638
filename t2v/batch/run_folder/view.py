"""A run folder as it is: which videos are there, by the journal and by what they say of themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2v.batch.jobs import Job
from t2v.batch.making import Outcome
from t2v.batch.planning.identity import media_of, media_of_job
from t2v.batch.run_folder.finished import num_bytes_of, place_of, record_of, sha256_of
from t2v.batch.run_folder.standing import State
from t2v.batch.run_folder.state import read_state
from t2v.errors import RequestError

WORK = ".work"
_OURS = ("logs", "gate", "owner", "workers")
"""What else lies there begins with one of these."""


def work_of(folder: Path, job_id: str) -> Path:
    """Where the unfinished work on a job lies; gone when its video is finished.

    Raises:
        RequestError: The id is no name of a folder.
    """
    if job_id in ("", "..") or Path(job_id).name != job_id or not {"\0", "\\"}.isdisjoint(job_id):
        raise RequestError(f"{job_id!r:.80} cannot name a folder. Give the item another id.")
    is_taken = job_id.startswith(_OURS)
    return folder / WORK / (f"{job_id}-work" if is_taken else job_id)


class RunView:
    """A run folder for looking at; changes nothing."""

    def __init__(self, folder: Path, state: State) -> None:
        self.folder = folder
        self.state = state

    def is_done(self, job: Job, *, verify: bool = False) -> bool:
        """Whether its video is there: recorded, in the wanted format, and with the recorded size.

        A whole video that a run did not live to record counts, too.

        Args:
            job: The job.
            verify: Whether to read the file and compare its hash as well.
        """
        return self._is_recorded(job, verify=verify) or self._unrecorded(job) is not None

    def _is_recorded(self, job: Job, *, verify: bool) -> bool:
        now = self.state.of(job.key)
        outcome = now.outcome
        if now.status != "done" or outcome is None or now.media != media_of_job(job):
            return False
        path = place_of(self.folder, outcome.output or "")
        if path is None or num_bytes_of(path) != outcome.num_bytes or outcome.num_bytes is None:
            return False
        return not verify or sha256_of(path) == outcome.sha256

    def _unrecorded(self, job: Job) -> Outcome | None:
        """The outcome of a video that was begun and is there, by what it says of itself.

        Files appear under their name when they are whole, so that being there is enough.
        """
        status, is_first = self.state.of(job.key).status, self.state.generation == 1
        # Where all was started over, what lies there untouched is the old one.
        if not (status in ("started", "interrupted") or (status == "new" and is_first)):
            return None
        path = place_of(self.folder, job.output)
        size = num_bytes_of(path) if path else None
        record = record_of(path, job.key) if path and size else None
        if path is None or record is None or _media_in(record, job.output) != media_of_job(job):
            return None
        return Outcome(
            job.key,
            "suspect" if record.get("status") == "suspect" else "ok",
            job.output,
            size,
            sha256_of(path),
            record.get("frames_sha256"),
            record,
        )


def read_run(folder: Path) -> RunView:
    """A run folder as it is now; it may be one that is at work, or read-only.

    Raises:
        DiskError: It cannot be read.
        RequestError: A newer t2v wrote the journal, or something else did.
    """
    return RunView(folder, read_state(folder))


def _media_in(record: Mapping[str, Any], output: str) -> str:
    request = record.get("request")
    values = request if isinstance(request, dict) else {}
    said = {name: one.get("value") for name, one in values.items() if isinstance(one, dict)}
    return media_of(output, said.get("codec"), said.get("crf"))
