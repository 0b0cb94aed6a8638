"""Makes the videos of a plan: hands out work, writes down what became of it, and knows when to stop.

One process drives a run and alone writes its journal. What is begun is written down before a worker
hears of it, what is finished after its file is on the disk: whatever is killed, the same command
again makes what is missing and nothing twice.
"""

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from t2v.batch.jobs import BatchPlan, Job
from t2v.batch.making import Failure, Manner
from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.folder import Run, open_run
from t2v.batch.run_folder.vbench import gather_videos
from t2v.batch.running.driving import Drive, Limits
from t2v.batch.running.publishing import Publishing
from t2v.batch.running.schedule import Schedule
from t2v.batch.running.signals import Signals
from t2v.batch.running.summary import Summary
from t2v.batch.running.tally import Tally
from t2v.batch.sheet.page_file import write_sheet
from t2v.batch.workers.devices import visible_gpus
from t2v.batch.workers.engine import Engine
from t2v.batch.workers.local import LocalEngine
from t2v.errors import DiskError, T2VError
from t2v.media.parts import remove_stale_parts
from t2v.plan.events import Listener, silent

MAKER = "t2v.batch.makers.maker:open_maker"
MANY_STARTS = 3
"""A job that was begun so often and never ended may be what killed the runs: it comes last, alone."""
_UNKNOWN = Failure("generation", "Unknown", "It failed in an earlier run.")


def run_batch(
    plan: BatchPlan,
    *,
    folder: Path,
    manner: Manner,
    retry: int = 1,
    retry_failed: bool = False,
    max_failures: int | None = None,
    timeout_s: float | None = None,
    workers: int | None = None,
    fresh: bool = False,
    shard: Shard | None = None,
    verify: bool = False,
    engine: Engine | None = None,
    maker: str = MAKER,
    listener: Listener = silent,
) -> Summary:
    """Make what is missing of a plan.

    Args:
        plan: What there is to be.
        folder: Where videos, journal and results go.
        manner: How videos are made; its folder is taken from `folder`.
        retry: How many further tries an item has that failed for a reason that may pass.
        retry_failed: Whether to try again what earlier runs gave up.
        max_failures: After how many failures nothing new is begun.
        timeout_s: How long a worker may be silent; None follows the pace of the model.
        workers: How many processes of this machine; None for one a GPU.
        fresh: Whether to make everything again; finished videos are kept under another name.
        shard: The share of the batch that `plan` is of; others may run at the same time.
        verify: Whether to compare the hashes of the videos that are there.
        engine: Who keeps the workers; None for processes of this machine.
        maker: `module:function` that opens a `Maker` in a worker.
        listener: Hears of items, and what workers tell of them.

    Raises:
        BusyError: Another run is at work in the folder.
        DiskError: The folder cannot be written; nothing was begun.
        RequestError: The journal is of a newer version.
    """
    manner = replace(manner, folder=folder.absolute())
    tally = Tally(len(plan.jobs), listener)
    with Signals() as signals, open_run(manner.folder, shard=shard, fresh=fresh) as run:
        for note in run.notes:
            tally.warn(note)
        before = _progress(run)
        there = There(run, tally, Publishing(run, manner.publish, retry=retry), verify=verify)
        missing = _missing(there, plan.jobs, retry_failed=retry_failed)
        run.planned(plan.jobs)
        tally.start()
        if missing:
            limits = Limits(retry, max_failures, timeout_s)
            with _opened(engine or _local(plan, workers, shard), manner, maker) as opened:
                # What workers of a killed run were still finishing is there by now.
                missing = [job for job in missing if not there.has(job)]
                schedule = _schedule(run, plan, missing, manner)
                drive = Drive(run, schedule, opened, tally, signals, limits, there.publishing)
                _drive(drive, tally)
        for place in {(manner.folder / job.output).parent for job in plan.jobs}:
            remove_stale_parts(place)
        summary = tally.summary(is_strict=manner.strict)
        _close(run, plan, summary, tally, is_same=_progress(run) == before)
    return tally.summary(is_strict=manner.strict)


@dataclass(frozen=True, slots=True)
class There:
    """What earlier runs made."""

    run: Run
    tally: Tally
    publishing: Publishing
    verify: bool

    def has(self, job: Job) -> bool:
        """Whether nothing is to be made; then it is counted, and copied where that is missing."""
        if not self.run.is_done(job, verify=self.verify):
            return False
        now = self.run.state.of(job.key)
        failure = self.publishing.settle(job)
        if failure is None:
            self.tally.there(is_suspect=now.outcome is not None and now.outcome.status == "suspect")
        elif failure.kind == "disk":
            raise DiskError(failure.message)
        else:
            self.tally.failed(job, None, failure, now.attempts)
        return True


def _missing(there: There, jobs: Sequence[Job], *, retry_failed: bool) -> list[Job]:
    """What is to be made; what failed before comes last, so that it holds nothing up."""
    new, failed = [], []
    for job in jobs:
        now = there.run.state.of(job.key)
        if there.has(job):
            continue
        if now.status != "failed":
            new.append(job)
        elif retry_failed:
            failed.append(job)
        else:
            known = now.outcome.failure if now.outcome else None
            there.tally.failed_earlier(job, known or _UNKNOWN, now.attempts)
    return new + failed


def _progress(run: Run) -> tuple[int, dict[str, object]]:
    """What a contact sheet depends on."""
    return run.state.num_outcomes, dict(run.state.plans)


def _schedule(run: Run, plan: BatchPlan, missing: Sequence[Job], manner: Manner) -> Schedule:
    suspects = set()
    for job in missing:
        now = run.state.of(job.key)
        if now.status == "started" and now.attempts >= MANY_STARTS:
            suspects.add(job.key)
    return Schedule(plan.groups, missing, batch_size=manner.batch_size, alone=suspects)


def _local(plan: BatchPlan, workers: int | None, shard: Shard | None) -> LocalEngine:
    devices = [group.request.device for group in plan.groups]
    gpus = visible_gpus(plan.groups[0].machine.device, devices)
    return LocalEngine(workers, gpus=gpus, label=shard.label if shard else "")


@contextlib.contextmanager
def _opened(engine: Engine, manner: Manner, maker: str) -> Generator[Engine]:
    try:
        engine.open(manner, maker)
        yield engine
    finally:
        engine.close()


def _drive(drive: Drive, tally: Tally) -> None:
    try:
        drive.until_done()
    except DiskError as error:
        # Videos of workers may be whole that nobody has recorded: the next run finds them.
        tally.ended("disk", str(error))


def _close(run: Run, plan: BatchPlan, summary: Summary, tally: Tally, *, is_same: bool) -> None:
    """Write what is derived from the journal; what cannot be written now, the next run writes."""
    try:
        run.finished(summary.to_dict())
        if not (is_same and (run.folder / "index.html").exists()):
            write_sheet(run.folder)
        if plan.layout == "vbench":
            gather_videos(run.folder, run.state)
    except T2VError as error:
        tally.ended("disk", str(error)) if isinstance(error, DiskError) else tally.warn(str(error))
