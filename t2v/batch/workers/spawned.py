"""What a spawned process of this machine runs: a worker, its commands on stdin, its answers on stdout.

Libraries that print do so into the worker's log: the streams of the protocol are moved out of reach.
"""

import contextlib
import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import threading
from dataclasses import dataclass
from typing import IO, Literal

from t2v.batch.making import Manner
from t2v.batch.workers.engine import Ended, Load, Loaded, Make, Message, NotLoaded, Work
from t2v.batch.workers.worker import Worker

_PR_SET_PDEATHSIG = 1
_TERMINATED = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Start:
    """The first thing that a process is told."""

    name: str
    manner: Manner
    maker: str
    driver_pid: int


Command = Work | Literal["interrupt", "leave"]


class _Answers:
    """Sends messages to the driver; ends the process when there is none any more."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._num_open = 0

    @property
    def is_busy(self) -> bool:
        """Whether work was taken that is not answered yet."""
        return self._num_open > 0

    def expect_one(self) -> None:
        """Work was taken."""
        with self._lock:
            self._num_open += 1

    def tell(self, message: Message) -> None:
        """Send one."""
        data = pickle.dumps(message)
        with self._lock:
            self._num_open -= isinstance(message, Loaded | NotLoaded | Ended)
            try:
                self._stream.write(data)
                self._stream.flush()
            except OSError:
                os._exit(1)


def main() -> None:
    """Work until told to leave, or until the driver is gone."""
    # Ctrl-C reaches all processes of a terminal; what it means, the driver decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    commands, stream = _private_streams()
    start: Start = pickle.load(commands)
    _die_with(start.driver_pid)
    answers = _Answers(stream)
    worker = Worker(start.name, start.manner, start.maker, answers.tell)
    signal.signal(signal.SIGTERM, lambda *_: _end(worker))
    _serve(worker, commands, answers)


def _serve(worker: Worker, commands: IO[bytes], answers: _Answers) -> None:
    while True:
        try:
            command: Command = pickle.load(commands)
        except (EOFError, pickle.UnpicklingError, OSError):
            os._exit(1)  # the driver is gone: nobody would record what is being made
        match command:
            case Load() | Make():
                answers.expect_one()
                with contextlib.suppress(RuntimeError):  # it is about to end: `Died` is the answer
                    worker.take(command)
            case "interrupt":
                worker.interrupt()
            case "leave":
                if not answers.is_busy:
                    worker.close()
                os._exit(0)


def _end(worker: Worker) -> None:
    """On SIGTERM: stop after the step, answer, and go."""
    worker.interrupt()

    def leave() -> None:
        worker.close()
        os._exit(_TERMINATED)

    threading.Thread(target=leave, daemon=True).start()


def _private_streams() -> tuple[IO[bytes], IO[bytes]]:
    commands = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return commands, answers


def _die_with(driver_pid: int) -> None:
    """Have the kernel end this process with the driver, also where it hangs in a library."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != driver_pid:
        os._exit(1)


if __name__ == "__main__":
    main()
