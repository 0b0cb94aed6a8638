"""Kills batches of tiny videos at random moments until all are there, and looks for what is wrong.

`python -m tests.batch.killing --kills 500` does what the test does, for longer, and
`python -m tests.batch.killing --real --kills 100 --items 10` with videos of the embedded model.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.looking import frames_in

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120


@dataclass(frozen=True)
class Kind:
    """What is made, and how long the moments may be at which it is killed."""

    num_frames: int
    start_s: float
    work_s: float
    options: tuple[str, ...] = ()


QUICK = Kind(5, start_s=1.5, work_s=0.4)
REAL = Kind(17, start_s=6, work_s=8, options=("--maker", "t2v.batch.makers.maker:open_maker"))


@dataclass
class Found:
    """What came of it."""

    num_kills: Counter[str] = field(default_factory=Counter)
    num_runs: int = 0
    num_folders: int = 0
    num_items: int = 0
    num_starts: int = 0
    num_done_records: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def num_redone(self) -> int:
        """Items that were begun more than once."""
        return self.num_starts - self.num_items


class Driver:
    """A batch in a process group of its own."""

    def __init__(self, folder: Path, prompts: list[str], *options: str) -> None:
        # Files, not pipes: nobody has to read while it is being killed.
        self._events = folder.parent / f"{folder.name}.events"
        self._errors = folder.parent / f"{folder.name}.errors"
        asked = folder.parent / f"{folder.name}.prompts"
        asked.write_text("\n".join(prompts))
        command = [sys.executable, "-m", "tests.batch.quick_run", str(folder), *options]
        with asked.open() as stdin, self._events.open("w") as out, self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=stdin,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )

    def events(self) -> list[dict[str, Any]]:
        """What it told up to now."""
        lines = self._events.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_until_begun(self) -> None:
        """Until the first item is being made, or there is nothing to make."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and '"begun"' not in self._events.read_text():
            assert time.monotonic() < deadline, self.errors()
            time.sleep(0.01)

    def workers(self) -> list[int]:
        """Processes that it has spawned."""
        place = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError):
            return [int(pid) for pid in place.read_text().split()]
        return []

    def send(self, number: int) -> None:
        """A signal for the driver."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def kill_all(self) -> None:
        """SIGKILL for the driver and all its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Until it has ended; its exit code."""
        return self.process.wait(PATIENCE_S)

    def errors(self) -> str:
        """The end of what it wrote to stderr."""
        return self._errors.read_text()[-300:]


def kill_until(
    num_kills: int,
    folder: Path,
    *,
    num_items: int = 200,
    seed: int = 0,
    kind: Kind = QUICK,
    log: Any = None,
) -> Found:
    """Make folders of videos, one after another, under so many kills in all."""
    dice = random.Random(seed)
    found = Found()
    while found.num_kills.total() < num_kills:
        place = folder / f"run-{found.num_folders}"
        prompts = [f"ball {found.num_folders} {number}" for number in range(num_items)]
        lanes = dice.choice([1, 2])
        options = ("--lanes", str(lanes), "--workers", str(dice.choice([1, 1, 2])), *kind.options)
        killing = _Killing(found, place, prompts, options, kind, dice)
        killing.kill_until(num_kills)
        _check(found, place, prompts, kind)
        found.num_folders += 1
        if log:
            log.write(
                f"{dict(found.num_kills)}, {found.num_items} items, wrong: {found.wrong[-9:]}\n"
            )
            log.flush()
    return found


@dataclass
class _Killing:
    found: Found
    place: Path
    prompts: list[str]
    options: tuple[str, ...]
    kind: Kind
    dice: random.Random

    def kill_until(self, num_kills: int) -> None:
        """Until all is made, or there were so many."""
        while self.found.num_kills.total() < num_kills:
            self.found.num_runs += 1
            driver = Driver(self.place, self.prompts, "--retry-failed", *self.options)
            if self.dice.random() < 0.25:
                time.sleep(self.dice.uniform(0, self.kind.start_s))
            else:
                driver.wait_until_begun()
                self._work()
            if driver.process.poll() is not None:
                if driver.wait() != 0:
                    self.found.wrong.append(f"exit code {driver.wait()}: {driver.errors()}")
                return
            if self.dice.random() < 0.3:
                self._kill_a_worker(driver)
            self._kill_the_driver(driver)

    def _work(self) -> None:
        time.sleep(self.dice.uniform(0, self.kind.work_s))

    def _kill_a_worker(self, driver: Driver) -> None:
        if workers := driver.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.dice.choice(workers), signal.SIGKILL)
                self.found.num_kills["a worker"] += 1
            self._work()

    def _kill_the_driver(self, driver: Driver) -> None:
        if driver.process.poll() is not None:
            return
        if self.dice.random() < 0.5:
            driver.kill_all()
            self.found.num_kills["driver and workers"] += 1
        else:
            driver.send(signal.SIGKILL)  # workers notice by themselves
            self.found.num_kills["driver"] += 1
        driver.wait()


def _check(found: Found, place: Path, prompts: list[str], kind: Kind) -> None:
    """The last run is left alone; then all has to be there, whole and once."""
    driver = Driver(place, prompts, "--retry-failed", *kind.options)
    found.num_runs += 1
    code = driver.wait()
    if code != 0:
        found.wrong.append(f"exit code {code}: {driver.events()[-1:]} {driver.errors()}")
        return
    events = list(journal(place))
    done = [event for event in events if event["event"] == "done"]
    found.num_items += len(prompts)
    found.num_starts += sum(event["event"] == "started" for event in events)
    found.num_done_records += len(done)
    found.wrong += [
        f"done twice: {key}" for key, n in Counter(e["key"] for e in done).items() if n > 1
    ]
    if len(done) != len(prompts):
        found.wrong.append(f"{len(done)} of {len(prompts)} are done")
    found.wrong += [wrong for event in done if (wrong := _wrong(place, event))]
    found.wrong += [f"left: {path}" for path in place.rglob(".*.part-*")]
    videos = {path.name for path in place.glob("*.mp4")}
    found.wrong += [f"nobody's: {name}" for name in videos - {event["output"] for event in done}]
    found.wrong += [f"rejected by ffprobe: {name}" for name in rejected(place, kind.num_frames)]
    results = (place / "results.jsonl").read_text().splitlines()
    if len(results) != len(prompts):
        found.wrong.append(f"{len(results)} results of {len(prompts)}")


def _wrong(place: Path, event: dict[str, Any]) -> str | None:
    path = place / event["output"]
    if not path.is_file():
        return f"lost: {path.name}"
    if hashlib.sha256(path.read_bytes()).hexdigest() != event["sha256"]:
        return f"not what was recorded: {path.name}"
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        return f"no sidecar: {path.name}"
    if json.loads(sidecar.read_text())["key"] != event["key"]:
        return f"somebody else's sidecar: {path.name}"
    return None


def journal(folder: Path) -> Iterator[dict[str, Any]]:
    """The events of a run folder; a line that was cut is left out, as t2v does."""
    for line in (folder / "journal.jsonl").read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def rejected(folder: Path, num_frames: int = QUICK.num_frames) -> list[str]:
    """Videos that ffprobe does not find whole."""
    return [path.name for path in folder.glob("*.mp4") if frames_in(path) != num_frames]


def main() -> int:
    """Run it for long."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_until(
            given.kills,
            Path(folder),
            num_items=given.items,
            seed=given.seed,
            kind=REAL if given.real else QUICK,
            log=sys.stdout,
        )
    sys.stdout.write(
        f"{found.num_kills.total()} kills {dict(found.num_kills)} over {found.num_items} items in "
        f"{found.num_folders} folders, {found.num_runs} runs, {time.monotonic() - began:.0f} s: "
        f"{found.num_redone} begun again, {found.num_done_records} recorded as done, "
        f"{len(found.wrong)} wrong\n"
    )
    sys.stdout.writelines(f"{line}\n" for line in found.wrong)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
