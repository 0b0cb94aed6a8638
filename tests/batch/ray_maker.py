"""A maker without torch: real small videos, and a line for each that it began."""

import json
import os
import sys
import time
from pathlib import Path

from t2v.batch.jobs import Group, Job
from t2v.batch.making import Manner, Outcome
from t2v.batch.run_folder.finished import num_bytes_of, sha256_of
from t2v.plan.events import Event, Listener
from tests.batch.small_runs import write_clip

NUM_STEPS = 4
STEP_S = 0.05


class RayMaker:
    def __init__(self, manner: Manner) -> None:
        self.folder = manner.folder

    def load(self, group: Group, prompts: object, listener: Listener) -> int:
        listener(Event("stage", stage="load"))
        return 1

    def make(self, jobs: list[Job], listener: Listener) -> list[Outcome]:
        return [self._make(job, listener) for job in jobs]

    def close(self) -> None:
        pass

    def _make(self, job: Job, listener: Listener) -> Outcome:
        sys.stdout.write(f"began {job.id}\n")
        sys.stdout.flush()
        for step in range(1, NUM_STEPS + 1):
            time.sleep(STEP_S)
            listener(Event("step", item=job.id, step=step, of=NUM_STEPS))
        if "segfault" in job.request.prompt:
            os.kill(os.getpid(), 11)
        place = self.folder / job.output
        if not place.suffix:
            _write_frames(place)
        else:
            write_clip(place, (job.request.seed % 256, 90, 40), (32, 32), 4)
            place.with_suffix(".json").write_text(json.dumps({"key": job.key}))
        return Outcome(
            job.key, "ok", job.output, num_bytes_of(place), sha256_of(place), record={"id": job.id}
        )


def _write_frames(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number:05d}.png").write_bytes(os.urandom(100))
    (folder / "metadata.json").write_text("{}")


def open_maker(manner: Manner) -> RayMaker:
    return RayMaker(manner)
