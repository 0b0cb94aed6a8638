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
from t2v.batch.actor import Actor, Said
from t2v.batch.bringing import Found, bring
from t2v.batch.cluster import Cluster, Gone, WorkerGone
from t2v.batch.engine import Died, Ended, Load, Loaded, Make, Message, NotLoaded, Work
from t2v.batch.making import Manner
from t2v.batch.rooms import Room
from t2v.plan.machine import Machine

LOOK_S = 1.0
"""How often the cluster is asked what nodes it has."""
GONE_S = 10.0
"""How long a worker that was killed may take to be gone before it counts as dead anyway."""
LEAVING_S = 5.0
_LAST_BYTES = 1 << 16


@dataclass(slots=True)
class _Remote:
    """The driver's side of one worker."""

    name: str
    actor: Any
    call: Any = None
    """What `talk` will answer."""
    heard: int = 0
    num_sent: int = 0
    unanswered: dict[int, Work] = field(default_factory=dict)
    is_doubtful: bool = False
    """Whether the line to it broke, so that work may have been lost on the way."""
    killed_at: float | None = None


class RayEngine:
    """An `Engine` whose workers are actors of a cluster, this machine's own or one that runs.

    Args:
        address: Of a cluster that runs; None takes that of `RAY_ADDRESS`, else makes one of this
            machine for as long as the batch takes.
        num_workers: How many there are to be, also before there is room for them; None for one a
            GPU, or one a node where there is none, as nodes come and go.
        device: As requests have it; `cpu` leaves GPUs alone.
    """

    def __init__(
        self, address: str | None = None, *, num_workers: int | None = None, device: str = "auto"
    ) -> None:
        self._num_workers = num_workers
        self._cluster = Cluster(address, device)
        self._remotes: dict[str, _Remote] = {}
        self._messages: deque[Message] = deque()
        self._num_started = 0
        self._looked_at = float("-inf")
        self._mark = f".work/shared-{secrets.token_hex(8)}"
        self._manner: Manner | None = None
        self._maker = ""
        self._folder = Path()

    def machine(self) -> Machine:
        """What a worker of the cluster has; batches are planned for it, not for the driver's."""
        return self._cluster.machine(self._num_workers)

    def open(self, manner: Manner, maker: str) -> None:
        """Join the cluster, and leave a mark by which workers know whether they see the folder."""
        self._manner, self._maker, self._folder = manner, maker, manner.folder
        mark = self._folder / self._mark
        (mark.parent / "logs").mkdir(parents=True, exist_ok=True)
        mark.touch()
        self._cluster.join()

    def grow(self, num_workers: int) -> None:
        """Start actors for which there is use and room."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return
        self._looked_at = time.monotonic()
        room = self._cluster.room(self._num_workers)
        alive = sum(remote.killed_at is None for remote in self._remotes.values())
        for _ in range(min(num_workers, room.num_workers) - alive):
            self._start(room)

    def send(self, worker: str, work: Work) -> None:
        """Hand work to an actor."""
        remote = self._remotes.get(worker)
        if remote is not None:
            remote.unanswered[remote.num_sent] = work
            remote.actor.take.remote(remote.num_sent, work)
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
            remote.actor.interrupt.remote()

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
        leaving = [remote.actor.leave.remote() for remote in self._remotes.values()]
        self._cluster.wait(leaving, num=len(leaving), timeout_s=LEAVING_S)
        for remote in self._remotes.values():
            self._cluster.kill(remote.actor)
        calls = [remote.call for remote in self._remotes.values()]
        self._cluster.wait(calls, num=len(calls), timeout_s=GONE_S)
        self._remotes.clear()
        self._cluster.leave()

    def _start(self, room: Room) -> None:
        self._num_started += 1
        name = f"ray-{self._num_started}"
        self._log_of(name).unlink(missing_ok=True)
        arguments = (name, self._manner, self._maker, self._mark, t2v.__version__)
        remote = _Remote(name, self._cluster.start(Actor, arguments, room))
        self._remotes[name] = remote
        self._ask(remote)

    def _ask(self, remote: _Remote) -> None:
        remote.call = remote.actor.talk.remote(remote.heard)

    def _listen(self, timeout_s: float) -> None:
        """Take in what actors said, if only that they are no more."""
        by_call = {remote.call: remote for remote in self._remotes.values()}
        if not by_call:
            time.sleep(timeout_s)
            return
        self._cluster.wait(list(by_call), num=1, timeout_s=timeout_s)
        for call in self._cluster.wait(list(by_call), num=len(by_call), timeout_s=0):
            self._hear(by_call[call])
        for remote in list(self._remotes.values()):
            if remote.killed_at and time.monotonic() - remote.killed_at > GONE_S:
                self._bury(remote, Gone("did not end when it was killed"))

    def _hear(self, remote: _Remote) -> None:
        answer = self._cluster.answer(remote.call)
        try:
            if isinstance(answer, Gone):
                raise WorkerGone(answer)
            if answer is None:
                remote.is_doubtful = True
            else:
                self._take_in(remote, answer)
            self._ask(remote)
        except WorkerGone as gone:
            self._bury(remote, gone.why)

    def _take_in(self, remote: _Remote, said: Said) -> None:
        if said.log:
            with contextlib.suppress(OSError), self._log_of(remote.name).open("ab") as log:
                log.write(said.log)
        if remote.is_doubtful:
            remote.is_doubtful = False
            for number, work in remote.unanswered.items():
                remote.actor.take.remote(number, work)
        for message in said.messages[remote.heard - said.first :]:
            remote.heard += 1
            self._messages.append(self._settled(remote, message, is_shared=said.is_shared))

    def _settled(self, remote: _Remote, message: Message, *, is_shared: bool) -> Message:
        """The message, once the work that it answers is off the list and its files are here."""
        remote.unanswered = {
            number: work
            for number, work in remote.unanswered.items()
            if not _answers(message, work)
        }
        if is_shared or not isinstance(message, Ended):
            return message
        source = _FromActor(self._cluster, remote.actor)
        outcomes = tuple(bring(outcome, self._folder, source) for outcome in message.outcomes)
        return Ended(message.worker, outcomes)

    def _bury(self, remote: _Remote, why: Gone) -> None:
        del self._remotes[remote.name]
        reason = _last_words(self._log_of(remote.name)) or why.reason
        self._messages.append(Died(remote.name, reason, why.is_blameless))

    def _log_of(self, name: str) -> Path:
        return self._folder / ".work" / "logs" / f"{name}.log"


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


def _answers(message: Message, work: Work) -> bool:
    match message, work:
        case ((Loaded() | NotLoaded()), Load()):
            return True
        case Ended(outcomes=outcomes), Make(jobs=jobs):
            return {one.key for one in outcomes} == {job.key for job in jobs}
    return False


def _last_words(log: Path) -> str | None:
    """What Python says when a signal ends it, where that is what ended the worker."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        words = re.findall(rb"^Fatal Python error: ([^\n]+)", file.read(), re.MULTILINE)
        if words:
            return str(words[-1], "utf-8", "replace")[:100]
    return None
