"""All that is asked of Ray: to join a cluster, start and end actors on it, and say who died."""

import contextlib
import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from t2v.api.record import public_text
from t2v.batch.workers.rooms import Room, room_of
from t2v.errors import DependencyMissingError, GenerationError, RequestError
from t2v.plan.machine import Machine, probe_machine
from t2v.text import redacted

try:
    import ray
    from ray import exceptions
except ImportError as error:
    raise DependencyMissingError(
        "--engine ray needs Ray, which is not installed. pip install 't2v[ray]'"
    ) from error

logger = logging.getLogger(__name__)

OBJECT_STORE_BYTES = 256 << 20
"""Of a cluster that is made here. Videos go to the disk or in pieces, not through the store."""
NUM_THREADS = 8
"""Calls that an actor answers at once: one of them listens, the others hand over work and files."""
REACH_S = 10.0
ROOM_S = 300.0
"""How long to wait for a free GPU to look at."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An actor that answers no more."""

    reason: str
    is_blameless: bool = False


class WorkerGone(Exception):  # noqa: N818 - it is told to whoever asked, it is no fault
    """An actor ended before it answered."""

    def __init__(self, why: Gone) -> None:
        super().__init__(why.reason)
        self.why = why


class Cluster:
    """A cluster of Ray: one that runs, or this machine alone for as long as it is needed."""

    def __init__(self, address: str | None, device: str) -> None:
        self._address = address or os.environ.get("RAY_ADDRESS") or "local"
        self._device = device
        self._is_ours = False

    def join(self) -> None:
        """Connect, or begin a cluster; nothing where this process is connected already.

        Raises:
            RequestError: There is no cluster at the address, or it does not let us in.
        """
        if ray.is_initialized():
            return
        # Ray reports how it is used to its makers unless it is told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        own = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        with _own_signals():
            try:
                _reach(self._address)
                ray.init(
                    address=self._address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **(own if self._address == "local" else {}),
                )
            except (OSError, RuntimeError, ValueError, exceptions.RayError) as error:
                raise RequestError(self._refusal(error)) from error
        self._is_ours = True
        _mute()

    def _refusal(self, error: BaseException) -> str:
        if self._address == "local":
            return f"Ray does not start on this machine: {_first_line(error)}"
        return (
            f"Cannot join the Ray cluster at {self._address}: {_first_line(error)} "
            "See `ray status` on one of its nodes, and give --address HOST:PORT."
        )

    def room(self, num_workers: int | None) -> Room:
        """What the nodes that are alive have room for."""
        return room_of(ray.nodes(), num_workers=num_workers, device=self._device)

    def machine(self, num_workers: int | None) -> Machine:
        """What a node that workers would run on has."""
        self.join()
        room = self.room(num_workers)
        # A sliver, so that it fits beside whatever runs there; it only looks, so it may look again.
        sliver = 0.001 * room.num_gpus
        probe = ray.remote(num_cpus=0, num_gpus=sliver, max_retries=20)(probe_machine)
        try:
            machine: Machine = ray.get(probe.remote(self._device), timeout=ROOM_S)
        except exceptions.GetTimeoutError as error:
            raise RequestError(
                f"The Ray cluster at {self._address} had no free GPU for {ROOM_S:.0f} s. "
                "See `ray status`, or use processors with --device cpu."
            ) from error
        return machine

    def start(self, kind: type, arguments: tuple[Any, ...], room: Room) -> Any:
        """Begin an actor wherever there is room, at once or later."""
        actor: Any = ray.remote(kind).options(
            num_gpus=room.num_gpus,
            num_cpus=room.num_cpus,
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=NUM_THREADS,
            scheduling_strategy="SPREAD",
        )
        return actor.remote(*arguments)

    def kill(self, actor: Any) -> None:
        """End the process of an actor, whatever it is at; returns at once."""
        with contextlib.suppress(exceptions.RayError, ValueError):
            ray.kill(actor)

    def wait(self, calls: Sequence[Any], *, num: int, timeout_s: float) -> list[Any]:
        """Those of `calls` that are answered, once `num` are or the time is over."""
        if not calls:
            return []
        done, _ = ray.wait(list(calls), num_returns=num, timeout=timeout_s, fetch_local=False)
        return list(done)

    def answer(self, call: Any) -> Any:
        """What a method of an actor returned, `True` for nothing; None where it was not reached.

        Raises:
            WorkerGone: The actor is no more.
            GenerationError: The method raised something.
        """
        try:
            value = ray.get(call)
        except exceptions.ActorUnavailableError:
            return None
        except exceptions.RayTaskError as error:
            raise GenerationError(
                f"A worker on the cluster failed: {_raised(str(error))}"
            ) from error
        except exceptions.RayError as error:
            raise WorkerGone(_gone(error)) from error
        return True if value is None else value

    def ask(self, method: Any, *arguments: Any) -> Any:
        """The answer of a method of an actor, asked for until it is reached.

        Raises:
            WorkerGone: The actor is no more.
            GenerationError: The method raised something.
        """
        while (answer := self.answer(method.remote(*arguments))) is None:
            pass
        return answer

    def leave(self) -> None:
        """Disconnect; a cluster that was begun here ends."""
        if self._is_ours:
            self._is_ours = False
            with _own_signals():
                ray.shutdown()


def _gone(error: "exceptions.RayError") -> Gone:
    text = str(error)
    if getattr(error, "preempted", False) or "its node has died" in text:
        return Gone("left with its node", is_blameless=True)
    if isinstance(error, exceptions.OutOfMemoryError):
        return Gone("was killed by Ray, since its node was low on memory")
    if "error raised in its creation task" in text:
        return Gone(f"could not start: {_raised(text)}")
    return Gone("was killed" if "ray.kill" in text else "ended without a word")


def _reach(address: str) -> None:
    """Raise where nobody listens: Ray would try for a minute and a half."""
    match = re.fullmatch(r"([\w.-]+):(\d+)", address)
    if match:
        try:
            socket.create_connection((match[1], int(match[2])), REACH_S).close()
        except OSError as error:
            raise OSError(error.strerror or "nobody answers") from error


def _first_line(error: BaseException) -> str:
    line = re.split(r"(?<=[.!])\s|\n", str(error).strip())[0].rstrip(".")
    return f"{line or type(error).__name__}."


def _raised(text: str) -> str:
    """The last line of a traceback: class and message."""
    lines = re.findall(r"^(?:\w+\.)*(\w+: .+)$", text, re.MULTILINE)
    return redacted(public_text(lines[-1] if lines else text.strip().splitlines()[-1]))


def _mute() -> None:
    """Keep what Ray prints about workers off stdout, which is for data; no setting does it."""
    import ray._private.worker as inner  # noqa: PLC0415

    def log(data: dict[str, Any], **_: Any) -> None:
        logger.debug("%s: %s", data.get("pid"), "\n".join(map(str, data.get("lines", ()))))

    inner.print_to_stdstream = log


@contextlib.contextmanager
def _own_signals() -> Generator[None]:
    """Keep our ways to end a run: Ray puts its own in their place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            if handler is not None:
                signal.signal(number, handler)
