"""Workers on a Ray cluster: one actor a GPU, which join as there is room and leave with their nodes.

Ray carries work and messages and says who died. It restarts nothing and tries nothing again: that is
the runner's, which knows what is done by the journal and the files.
"""

import contextlib
import re
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import t2v
from t2v.batch.making import Manner
from t2v.batch.run_folder.view import WORK
from t2v.batch.workers.actor import Actor, Said
from t2v.batch.workers.bringing import Found, bring
from t2v.batch.workers.cluster import Cluster, Gone, WorkerGone
from t2v.batch.workers.engine import Died, Ended, Heard, Message, Ready, Work
from t2v.batch.workers.rooms import Room
from t2v.errors import T2VError
from t2v.media.parts import disk_error
from t2v.plan.events import Event
from t2v.plan.machine import Machine

LOOK_S = 1.0
"""How often the cluster is asked what nodes it has."""
GONE_S = 10.0
"""How long a worker that was killed may take to be gone before it counts as dead anyway."""
LEAVING_S = 5.0
PATIENCE_S = 120.0
"""How long nobody may be at work before that is explained."""
_LAST_BYTES = 1 << 16


@dataclass(slots=True)
class _Remote:
    """The driver's side of one worker."""

    name: str
    actor: Any
    log: Path
    log_begins: int
    """Where in its log it begins; before that are workers of earlier runs."""
    call: Any = None
    """What `talk` will answer."""
    heard: int = 0
    errands: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    """Calls that hand over work, each with its method and arguments, until they have arrived."""
    num_sent: int = 0
    is_shared: bool = True
    killed_at: float | None = None


class RayEngine:
    """An `Engine` whose workers are actors of a cluster, this machine's own or one that runs.

    Args:
        address: Of a cluster that runs; None takes that of `RAY_ADDRESS`, else makes one of this
            machine for as long as the batch takes.
        num_workers: How many there are to be, also before there is room for them; None for one a
            GPU, or one a node where there is none, as nodes come and go.
        device: As requests have it; `cpu` leaves GPUs alone.
        label: Of a share of a batch: `2-of-8`. Shares may run in one folder at the same time.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        num_workers: int | None = None,
        device: str = "auto",
        label: str = "",
    ) -> None:
        self._num_workers = num_workers
        self._label = f"-{label}" if label else ""
        self._device = device
        self._cluster = Cluster(address, device)
        self._remotes: dict[str, _Remote] = {}
        self._messages: deque[Message] = deque()
        self._num_started = self._num_joined = 0
        self._opened_at = 0.0
        self._has_complained = False
        self._looked_at = float("-inf")
        self._mark = f"{WORK}/shared-{secrets.token_hex(8)}"
        self._manner: Manner | None = None
        self._maker = ""
        self._folder = self._logs = Path()

    def machine(self) -> Machine:
        """What a worker of the cluster has; batches are planned for it, not for the driver's."""
        return self._cluster.machine(self._num_workers)

    def presumed(self) -> Machine:
        """A worker as long as nobody has asked the cluster: enough to name and count videos."""
        kind = "cpu" if self._device == "cpu" else "cuda"
        return Machine(kind, "a worker of the cluster", None, None, None, None, 1)

    def open(self, manner: Manner, maker: str) -> None:
        """Join the cluster, and leave a mark by which workers know whether they see the folder."""
        self._manner, self._maker, self._folder = manner, maker, manner.folder
        self._logs = self._folder / WORK / "logs"
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            (self._folder / self._mark).touch()
        except OSError as error:
            raise disk_error(self._logs, error) from error
        self._cluster.join()
        self._opened_at = time.monotonic()

    def grow(self, num_workers: int) -> None:
        """Start actors for which there is use and room."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return
        self._looked_at = time.monotonic()
        room = self._cluster.room(self._num_workers)
        alive = sum(remote.killed_at is None for remote in self._remotes.values())
        for _ in range(min(num_workers, room.num_workers) - alive):
            self._start(room)
        self._complain(room)

    def send(self, worker: str, work: Work) -> None:
        """Hand work to an actor."""
        remote = self._remotes.get(worker)
        if remote is not None:
            _run(remote, remote.actor.take, remote.num_sent, work)
            remote.num_sent += 1

    def receive(self, timeout_s: float) -> Message | None:
        """The next message of any actor."""
        deadline = time.monotonic() + timeout_s
        while not self._messages:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._listen(min(left, LOOK_S))
        return self._messages.popleft()

    def interrupt(self) -> None:
        """Tell all actors to stop after the step they are at."""
        for remote in self._remotes.values():
            _run(remote, remote.actor.interrupt)

    def kill(self, worker: str) -> None:
        """End the process of an actor."""
        remote = self._remotes.get(worker)
        if remote is not None and remote.killed_at is None:
            remote.killed_at = time.monotonic()
            self._cluster.kill(remote.actor)

    def close(self) -> None:
        """End all actors, and the cluster where it was made for this batch."""
        with contextlib.suppress(OSError):
            (self._folder / self._mark).unlink()
        apart = [remote for remote in self._remotes.values() if not remote.is_shared]
        leaving = [remote.actor.leave.remote() for remote in apart]
        self._cluster.wait(leaving, num=len(leaving), timeout_s=LEAVING_S)
        for remote in self._remotes.values():
            self._cluster.kill(remote.actor)
        calls = [remote.call for remote in self._remotes.values()]
        self._cluster.wait(calls, num=len(calls), timeout_s=GONE_S)
        self._remotes.clear()
        self._cluster.leave()

    def _complain(self, room: Room) -> None:
        """Say once what a worker needs, where none comes to work."""
        if self._num_joined or self._has_complained:
            return
        if time.monotonic() - self._opened_at > PATIENCE_S:
            self._has_complained = True
            text = (
                f"No worker of the Ray cluster has begun yet. Each needs {room.num_gpus} GPUs and "
                f"{room.num_cpus} processors; `ray status` says what is free."
            )
            self._messages.append(Heard("", Event("warning", message=text)))

    def _start(self, room: Room) -> None:
        self._num_started += 1
        name = f"ray-{self._num_started}"
        log = self._logs / f"{name}{self._label}.log"
        log.touch()
        arguments = (name, self._manner, self._maker, self._mark, log.name, t2v.__version__)
        actor = self._cluster.start(Actor, arguments, room)
        remote = self._remotes[name] = _Remote(name, actor, log, log.stat().st_size)
        self._ask(remote)

    def _ask(self, remote: _Remote) -> None:
        remote.call = remote.actor.talk.remote(remote.heard)

    def _listen(self, timeout_s: float) -> None:
        """Take in what actors said, if only that they are no more."""
        remotes = {
            call: remote
            for remote in self._remotes.values()
            for call in (remote.call, *remote.errands)
        }
        if not remotes:
            time.sleep(timeout_s)
            return
        self._cluster.wait(list(remotes), num=1, timeout_s=timeout_s)
        for call in self._cluster.wait(list(remotes), num=len(remotes), timeout_s=0):
            self._hear(remotes[call], call)
        for remote in list(self._remotes.values()):
            if remote.killed_at and time.monotonic() - remote.killed_at > GONE_S:
                self._bury(remote, Gone("did not end when it was killed"))

    def _hear(self, remote: _Remote, call: Any) -> None:
        errand = remote.errands.pop(call, None)
        try:
            answer = self._cluster.answer(call)
            if errand is not None:
                if answer is None:
                    _run(remote, *errand)
                return
            if answer is not None:
                self._take_in(remote, answer)
            self._ask(remote)
        except WorkerGone as gone:
            self._bury(remote, gone.why)
        except T2VError as error:
            # It cannot say what it has to say.
            self._cluster.kill(remote.actor)
            self._bury(remote, Gone(f"was killed, since it failed: {error}"))

    def _take_in(self, remote: _Remote, said: Said) -> None:
        remote.is_shared = said.is_shared
        if said.log:
            with contextlib.suppress(OSError), remote.log.open("ab") as log:
                log.write(said.log)
        for message in said.messages[remote.heard - said.first :]:
            remote.heard += 1
            self._num_joined += isinstance(message, Ready)
            self._messages.append(self._with_files(remote, message))

    def _with_files(self, remote: _Remote, message: Message) -> Message:
        """The message, once the files that it tells of are in the run folder."""
        if remote.is_shared or not isinstance(message, Ended):
            return message
        source = _FromActor(self._cluster, remote.actor)
        outcomes = tuple(bring(outcome, self._folder, source) for outcome in message.outcomes)
        return Ended(message.worker, outcomes)

    def _bury(self, remote: _Remote, why: Gone) -> None:
        if self._remotes.pop(remote.name, None) is None:
            return
        reason = _last_words(remote.log, remote.log_begins) or why.reason
        self._messages.append(Died(remote.name, reason, why.is_blameless))


@dataclass(frozen=True, slots=True)
class _FromActor:
    """The files on the disk of a worker."""

    cluster: Cluster
    actor: Any

    def files(self, output: str) -> list[Found]:
        found: list[Found] = self.cluster.ask(self.actor.files, output)
        return found

    def read(self, path: str, offset: int, num_bytes: int) -> bytes:
        piece: bytes = self.cluster.ask(self.actor.read, path, offset, num_bytes)
        return piece

    def forget(self, output: str) -> None:
        self.cluster.ask(self.actor.forget, output)


def _run(remote: _Remote, method: Any, *arguments: Any) -> None:
    """Call a method of an actor, again when the call did not arrive."""
    remote.errands[method.remote(*arguments)] = (method, *arguments)


def _last_words(log: Path, begins: int) -> str | None:
    """What Python says when a signal ends it, where that is what ended the worker."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(begins, log.stat().st_size - _LAST_BYTES))
        words = re.findall(rb"^Fatal Python error: ([^\n]+)", file.read(), re.MULTILINE)
        if words:
            return "crashed: " + str(words[-1], "utf-8", "replace")[:100]
    return None
