"""Who may write to a run folder: one run, or one for each share of the same division.

The lock is on the journal itself. It ends with the process, however that ends, and a journal that
is deleted under a run is noticed at the next event.
"""

import contextlib
import errno
import json
import os
import socket
import sys
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from t2v.batch.planning.shards import Shard
from t2v.batch.run_folder.journal import Journal, journal_name, journals_of, shard_of
from t2v.errors import BusyError
from t2v.media.parts import disk_error

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
_FAR = 1 << 40
"""Windows keeps others from reading what is locked; nothing is ever that far into a file."""


@contextlib.contextmanager
def held_journal(folder: Path, work: Path, shard: Shard | None) -> Generator[tuple[Journal, bool]]:
    """The journal of this run, locked, and whether its disk has locks at all.

    Raises:
        BusyError: Another run writes to the folder.
        DiskError: The folder cannot be written.
    """
    path = folder / journal_name(shard)
    owner = _owner_of(path, work)
    with one_at_a_time(work):
        for other in journals_of(folder):
            if other != path and not _may_be_beside(other.name, shard):
                _refuse_if_held(other, work)
        journal = Journal(path)
        has_locks = _take(journal, owner)
    try:
        yield journal, has_locks
    finally:
        with contextlib.suppress(OSError):
            owner.unlink()
        journal.close()


@contextlib.contextmanager
def one_at_a_time(work: Path) -> Generator[None]:
    """What only one run may do at a time, for a moment; the others wait.

    Raises:
        DiskError: The folder cannot be written.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        fd = os.open(work / "gate", os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise disk_error(work, error) from error
    try:
        _lock(fd, wait=True)
        yield
    finally:
        os.close(fd)


def _take(journal: Journal, owner: Path) -> bool:
    try:
        has_locks = _lock(journal.fd)
        if has_locks is None:
            raise _busy(journal.path, owner)
        _say_who(owner)
    except BaseException:
        journal.close()
        raise
    return has_locks


def _may_be_beside(name: str, shard: Shard | None) -> bool:
    """Whether that journal is of another share of the same division."""
    return shard is not None and name.endswith(f"-of-{shard.of}.jsonl")


def _refuse_if_held(other: Path, work: Path) -> None:
    if _is_held(other, os.O_RDWR):
        raise _busy(other, _owner_of(other, work))


def _busy(journal: Path, owner: Path) -> BusyError:
    who = ""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(owner.read_text(encoding="utf-8"))
        who = (
            f" (process {int(found['pid'])} on {found['host']!s:.60}, since {found['since']!s:.40})"
        )
    return BusyError(
        f"Another run{who} is at work in {journal.parent}. Wait for it or stop it; machines that "
        "share a batch each take a share of the same number, such as --shard 1/4."
    )


def _say_who(owner: Path) -> None:
    facts = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        owner.write_text(json.dumps(facts), encoding="utf-8")
    except OSError as error:
        raise disk_error(owner, error) from error


def _lock(fd: int, *, wait: bool = False) -> bool | None:
    """Lock an open file until it is closed: None where another has it, False where no disk locks."""
    try:
        if sys.platform == "win32":
            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return None if error.errno in _HELD else False
    return True


def at_work(folder: Path, work: Path) -> list[Mapping[str, str]]:
    """Who writes to the folder now: `pid`, `host`, `since` of each, as far as they say it.

    Nothing is changed, and no run that is about to begin is kept from it.
    """
    found: list[Mapping[str, str]] = []
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            gate = os.open(work / "gate", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            stack.callback(os.close, gate)
            _lock(gate, wait=True)
        for journal in journals_of(folder):
            if _is_held(journal, os.O_RDONLY):
                found.append(_who(_owner_of(journal, work)))
    return found


def _is_held(journal: Path, access: int) -> bool:
    try:
        fd = os.open(journal, access | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        return _lock(fd) is None
    finally:
        os.close(fd)


def _owner_of(journal: Path, work: Path) -> Path:
    shard = shard_of(journal)
    return work / f"owner-{shard.label if shard else 'all'}.json"


def _who(owner: Path) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        facts = json.loads(owner.read_text(encoding="utf-8"))
        return {name: str(facts[name])[:60] for name in ("pid", "host", "since") if name in facts}
    return {}
