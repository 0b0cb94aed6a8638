"""Where the work on one video lies until it is finished, so that a crash costs little of it."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from t2v.api.latents import RUN, TENSORS, SavedRun, read_latents, save_latents
from t2v.api.work import is_windowed_as, read_work
from t2v.batch.jobs import Job
from t2v.batch.run_folder.folder import work_of
from t2v.errors import RequestError
from t2v.plan.longplan import with_long
from t2v.zoo.spec import ModelSpec

if TYPE_CHECKING:
    from t2v.runtime.adapter import Latents


class Workplace:
    """The folder of one job below `.work/` of the run folder; the driver deletes it in the end."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._job = job
        self._place = work_of(folder, job.id)
        self._latents = self._place / "latents"
        self.work = self._place / "work"
        """The work folder of a video under way."""

    @property
    def is_new(self) -> bool:
        """Whether no attempt has left anything to go on with."""
        return not self._place.exists()

    def kept(self, revision: str | None) -> "tuple[Latents, SavedRun] | None":
        """Latents that an earlier attempt had finished; None where there are none that fit."""
        if not (self._latents / TENSORS).is_file():
            return None
        try:
            latents, saved = read_latents(self._latents)
        except RequestError:
            saved = None
        if saved is None or not self._fits(saved, revision):
            shutil.rmtree(self._latents, ignore_errors=True)
            return None
        return latents, saved

    def keep(self, latents: "Latents", saved: SavedRun) -> None:
        """Put finished latents where a later attempt finds them.

        Raises:
            DiskError: There is no room.
        """
        save_latents(self._latents, latents, saved)

    def begun(self, spec: ModelSpec, revision: str | None) -> bool:
        """Whether an earlier attempt left a video to go on with; what does not fit is deleted."""
        if not (self.work / RUN).is_file():
            shutil.rmtree(self.work, ignore_errors=True)
            return False
        try:
            saved = read_work(self.work)
            fits = is_windowed_as(saved, with_long(spec, saved.request).long)
        except RequestError:
            fits = False
        if not fits or not self._fits(saved, revision):
            self.forget_work()
            return False
        return True

    def forget_work(self) -> None:
        """Begin the video anew."""
        shutil.rmtree(self.work, ignore_errors=True)

    def _fits(self, saved: SavedRun, revision: str | None) -> bool:
        return saved.request == self._job.request and saved.record.get("revision") == revision
