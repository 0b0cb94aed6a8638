"""Workers as processes of this machine: one a GPU, or as many as are asked for."""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from t2v.batch.making import Manner
from t2v.batch.run_folder.view import WORK
from t2v.batch.workers.devices import Gpus
from t2v.batch.workers.engine import Died, Message, Work
from t2v.batch.workers.spawned import Command, Start
from t2v.errors import BusyError
from t2v.media.parts import disk_error
from t2v.plan.machine import num_cpus

if os.name == "posix":
    import fcntl

GRACE_S = 10.0
"""How long a hanging worker has to answer SIGTERM."""
LEAVING_S = 3.0
ORPHANS_S = 10.0
"""How long workers of a driver that was killed may take to be gone."""
MAX_LOG_BYTES = 10_000_000


@dataclass(slots=True)
class _Spawned:
    """The driver's side of one process."""

    name: str
    slot: int
    process: "subprocess.Popen[bytes]"
    commands: "queue.SimpleQueue[Command | Start | None]"
    """What is to be written into its pipe; a process that reads nothing holds nobody up."""
    is_ended: bool = False
    """Whether this engine was told to end it."""


class LocalEngine:
    """An `Engine` of spawned processes.

    They hold a lock for as long as they live, so that a run that follows a killed one does not
    begin beside its workers.

    Args:
        num_workers: How many; None for one a GPU, or one where there is none. Several share a GPU
            where there are fewer of them.
        gpus: Those that there are.
        label: Of a share of a batch: `2-of-8`. Shares may run in one folder at the same time.
    """

    def __init__(
        self, num_workers: int | None = None, *, gpus: Gpus | None = None, label: str = ""
    ) -> None:
        self._gpus = gpus or Gpus()
        self._num_workers = num_workers or max(1, len(self._gpus.names))
        self._label = f"-{label}" if label else ""
        self._messages: queue.Queue[Message] = queue.Queue()
        self._spawned: dict[str, _Spawned] = {}
        self._num_started = 0
        self._lock: int | None = None
        self._manner: Manner | None = None
        self._maker = ""
        self._logs = Path()

    def open(self, manner: Manner, maker: str) -> None:
        """Wait until workers of an earlier run are gone."""
        self._manner, self._maker = manner, maker
        self._logs = manner.folder / WORK / "logs"
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(manner.folder / WORK / f"workers{self._label}.lock")
        except OSError as error:
            raise disk_error(self._logs, error) from error

    def grow(self, num_workers: int) -> None:
        """Start processes for which there is use and room."""
        for _ in range(min(num_workers, self._num_workers) - len(self._spawned)):
            self._start()

    def send(self, worker: str, work: Work) -> None:
        """Write work into the pipe of a process."""
        self._write(worker, work)

    def receive(self, timeout_s: float) -> Message | None:
        """The next message of any process."""
        try:
            message = self._messages.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if isinstance(message, Died):
            self._spawned.pop(message.worker, None)
        return message

    def interrupt(self) -> None:
        """Tell all processes to stop after the step they are at."""
        for name in self._spawned:
            self._write(name, "interrupt")

    def kill(self, worker: str) -> None:
        """SIGTERM, then SIGKILL."""
        spawned = self._spawned.get(worker)
        if spawned is None or spawned.is_ended:
            return
        spawned.is_ended = True
        spawned.process.terminate()
        timer = threading.Timer(GRACE_S, spawned.process.kill)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Let idle processes free what they have, and end all."""
        for name in self._spawned:
            self._write(name, "leave")
        deadline = time.monotonic() + LEAVING_S
        for spawned in self._spawned.values():
            try:
                spawned.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                spawned.process.kill()
                spawned.process.wait()
        self._spawned.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _start(self) -> None:
        assert self._manner is not None
        self._num_started += 1
        name = f"worker-{self._num_started}"
        slot = min(set(range(self._num_workers)) - {one.slot for one in self._spawned.values()})
        log = self._logs / f"{name}{self._label}.log"
        with _opened(log) as file:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "t2v.batch.workers.spawned"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=self._environment(slot),
                pass_fds=() if self._lock is None else (self._lock,),
            )
        spawned = _Spawned(name, slot, process, queue.SimpleQueue())
        self._spawned[name] = spawned
        self._write(name, Start(name, self._manner, self._maker, os.getpid()))
        for target in (self._speak, self._listen):
            threading.Thread(target=target, args=(spawned,), daemon=True).start()

    def _environment(self, slot: int) -> dict[str, str]:
        """The driver's own, with this worker's GPU and its share of the processors."""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {**os.environ, "PYTHONPATH": path} | self._gpus.environment(slot)
        if self._num_workers > 1:
            share = max(1, num_cpus() // self._num_workers)
            environment.setdefault("OMP_NUM_THREADS", str(share))
        return environment

    def _write(self, worker: str, command: Command | Start) -> None:
        if worker in self._spawned:
            self._spawned[worker].commands.put(command)

    def _speak(self, spawned: _Spawned) -> None:
        """Write what a process is told, until it is gone; runs in a thread of its own."""
        pipe = spawned.process.stdin
        assert pipe is not None
        with contextlib.suppress(OSError), pipe:
            while (command := spawned.commands.get()) is not None:
                pipe.write(pickle.dumps(command))
                pipe.flush()

    def _listen(self, spawned: _Spawned) -> None:
        """Take what a process says, until it is gone; runs in a thread of its own."""
        process, pipe = spawned.process, spawned.process.stdout
        assert pipe is not None
        # Cut off in the midst of a message, or at its end: either way it says nothing more.
        with contextlib.suppress(Exception), pipe:
            while True:
                self._messages.put(pickle.load(pipe))
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
        self._messages.put(Died(spawned.name, reason_of(process.wait())))
        spawned.commands.put(None)


def reason_of(code: int) -> str:
    """How a process ended, by its return code, in a few words."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


@contextlib.contextmanager
def _opened(log: Path) -> Generator[IO[bytes]]:
    try:
        is_large = log.exists() and log.stat().st_size > MAX_LOG_BYTES
        file = log.open("wb" if is_large else "ab")
    except OSError as error:
        raise disk_error(log, error) from error
    with file:
        yield file


def _locked(path: Path) -> int | None:
    """An open file whose lock lasts until this process and all that it spawns are gone."""
    if os.name != "posix":
        return None
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    deadline = time.monotonic() + ORPHANS_S
    while not _has_lock(fd):
        if time.monotonic() > deadline:
            os.close(fd)
            raise BusyError(
                f"Workers of an earlier run in {path.parent.parent} are still there. "
                f"Wait for them or end them: fuser {path}"
            )
        time.sleep(0.02)
    return fd


def _has_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a disk without locks
    return True
