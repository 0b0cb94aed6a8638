"""A worker in an actor of Ray: takes work, keeps what it has to say until the driver has heard it.

Nothing here imports Ray, and the driver imports nothing from here but the class itself.
"""

import contextlib
import faulthandler
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import t2v
from t2v.batch.making import Manner
from t2v.batch.run_folder.finished import sidecars_of
from t2v.batch.run_folder.view import WORK
from t2v.batch.workers.bringing import Found
from t2v.batch.workers.engine import Message, Work
from t2v.batch.workers.worker import Worker
from t2v.errors import RequestError

SILENCE_S = 5.0
"""Longest time between two answers to `talk`."""
LOG_BYTES = 1 << 16
_PREFIX = "t2v-ray-"


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to `talk`."""

    first: int
    """Number of the first of `messages`; they are counted from 0 for the life of the worker."""
    messages: tuple[Message, ...]
    is_shared: bool
    """Whether its run folder is the driver's own, on a disk that both have."""
    log: bytes = b""
    """What was added to its log, where the driver does not see the file."""


class Actor:
    """Its methods are called from several threads of the actor at once."""

    def __init__(
        self, name: str, manner: Manner, maker: str, mark: str, log: str, version: str
    ) -> None:
        if version != t2v.__version__:
            raise RequestError(
                f"This node has t2v {t2v.__version__}, the driver {version}. "
                "Install the same on all nodes."
            )
        self._is_shared = (manner.folder / mark).is_file()
        self._folder = manner.folder if self._is_shared else _own_folder()
        self._log = self._folder / WORK / "logs" / log
        _write_to(self._log)
        self._unheard: list[Message] = []
        self._first = 0
        self._log_bytes = 0
        self._taken: set[int] = set()
        self._news = threading.Condition()
        self._worker = Worker(name, replace(manner, folder=self._folder), maker, self._say)

    def take(self, number: int, work: Work) -> None:
        """Begin with work, once: what got lost on the way comes again with the same number."""
        with self._news:
            is_new = number not in self._taken
            self._taken.add(number)
        if is_new:
            self._worker.take(work)

    def talk(self, heard: int) -> Said:
        """What there is to say after the first `heard` messages, as soon as there is something."""
        with self._news:
            del self._unheard[: max(0, heard - self._first)]
            self._first = max(self._first, heard)
            self._news.wait_for(lambda: self._unheard, timeout=SILENCE_S)
            said = tuple(self._unheard)
            first = self._first
        return Said(first, said, self._is_shared, b"" if self._is_shared else self._new_log())

    def interrupt(self) -> None:
        """Stop after the step that is being made."""
        self._worker.interrupt()

    def files(self, output: str) -> list[Found]:
        """The files of an output: the sidecar, then the video or the images of a folder."""
        path = self._folder / output
        inside = sorted(path.rglob("*")) if path.is_dir() else [sidecars_of(path)[0], path]
        return [
            Found(file.relative_to(self._folder).as_posix(), file.stat().st_size)
            for file in inside
            if file.is_file()
        ]

    def read(self, path: str, offset: int, num_bytes: int) -> bytes:
        """A piece of a file of this worker."""
        with (self._folder / path).open("rb") as file:
            file.seek(offset)
            return file.read(num_bytes)

    def forget(self, output: str) -> None:
        """Delete an output that the driver has got."""
        path = self._folder / output
        if self._is_shared:
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            sidecars_of(path)[0].unlink(missing_ok=True)
            path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Delete what only this worker has, before its process is ended."""
        if not self._is_shared:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _say(self, message: Message) -> None:
        with self._news:
            self._unheard.append(message)
            self._news.notify_all()

    def _new_log(self) -> bytes:
        with self._log.open("rb") as file:
            file.seek(self._log_bytes)
            new = file.read(LOG_BYTES)
        self._log_bytes += len(new)
        return new


def _own_folder() -> Path:
    """A folder on this machine; those of workers that were killed are deleted."""
    root = Path(tempfile.gettempdir())
    for folder in _left_behind(root):
        shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def _left_behind(root: Path) -> Iterator[Path]:
    for folder in root.glob(f"{_PREFIX}*"):
        match = re.match(rf"{_PREFIX}(\d+)-", folder.name)
        if match and not _is_alive(int(match[1])):
            yield folder


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _write_to(log: Path) -> None:
    """Let all that this process prints, and its last words, go into a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)
    for stream in (1, 2):
        os.dup2(fd, stream)
    os.close(fd)
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.enable(file=2)
