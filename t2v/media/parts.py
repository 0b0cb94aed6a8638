"""The half-written file: beside its final place, out of sight, and moved there only when whole."""

import contextlib
import errno
import os
import re
import shutil
import stat
from pathlib import Path
from typing import Self

from t2v.errors import DiskError, OutputExistsError

if os.name == "posix":
    import fcntl

MAX_NAME_BYTES = 255 - 31
"""Longest name of an output: file systems allow 255 bytes, and a part's name is longer."""

_UNTRUSTED = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe by that name would be waited for
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def disk_error(path: Path, error: OSError) -> DiskError:
    """The error as a sentence about `path` with what to do next."""
    folder = path.parent
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            advice = f"The disk of {folder} is full. Free some space there, or write elsewhere."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            advice = f"{folder} cannot be written to. Choose another folder for the output."
        case errno.ENOTDIR | errno.EEXIST:
            advice = f"A part of the path {folder} is a file, not a folder. Choose another path."
        case errno.ENAMETOOLONG:
            advice = "The name is too long for this disk. Choose a shorter one."
        case errno.EFBIG:
            advice = "The file is larger than this disk or account allows. Write elsewhere."
        case _:
            advice = f"{error.strerror or error}. Check the disk, or write elsewhere."
    return DiskError(f"Cannot write {path.name}: {advice}")


def prepare_target(path: Path, *, overwrite: bool) -> Path:
    """Make the folder that `path` is in and check that a file can appear there."""
    path = prepare_folder(path)
    refuse_existing(path, overwrite=overwrite)
    return path


def prepare_folder(path: Path) -> Path:
    """Make the folder that `path` is in; returns `path` made absolute."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link at the end
    if not path.name:
        raise DiskError(f"{path} is no place for an output. Give it a name.")
    if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
        raise DiskError(
            f"The name {path.name[:40]}... is longer than {MAX_NAME_BYTES} bytes. "
            "Choose a shorter one."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(path, error) from error
    return path


def make_folder(folder: Path, *, exist_ok: bool) -> Path:
    """Make a folder, and those that it is in.

    Raises:
        DiskError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=exist_ok)
    except OSError as error:
        raise disk_error(folder, error) from error
    return folder


def refuse_unwritable(path: Path) -> None:
    """Raise if the folder that `path` is in, or will be in, takes no files.

    Raises:
        DiskError: It does not.
    """
    folder = path.absolute().parent
    # `Path.exists` raises below a folder that may not be entered.
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110
        folder = folder.parent
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise disk_error(path.absolute(), PermissionError(errno.EACCES, ""))


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise if something is at `path` that must not be replaced."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        if error.errno == errno.ENOENT:
            return
        raise disk_error(path, error) from error
    if not overwrite:
        raise OutputExistsError(f"{path} exists. Choose another name, or --overwrite it.")
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        raise OutputExistsError(
            f"{path} is no ordinary file and is not replaced. Choose another name."
        )


def _part_prefix(name: str) -> str:
    return f".{name}.part-"


def _remove_stale_parts(target: Path) -> None:
    remove_stale_parts(target.parent, re.escape(_part_prefix(target.name)))


def remove_stale_parts(folder: Path, prefix: str = r"\..+\.part-") -> None:
    """Delete what writers of outputs in a folder left behind when they were killed."""
    pattern = re.compile(prefix + r"\d+(\.\d+)?")
    # Every writer looks through the whole folder: no `Path` of each name.
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    _remove_unless_in_use(Path(entry))


def _remove_unless_in_use(part: Path) -> None:
    """Delete the part of a dead writer.

    A living one holds a lock, which says more than its process number: the writer may run in a
    container or on another host. Windows does not delete open files, so deleting is the test.
    """
    with contextlib.ExitStack() as stack:
        if os.name == "posix":
            fd = os.open(part, os.O_RDONLY | _UNTRUSTED)
            stack.callback(os.close, fd)
            if not stat.S_ISREG(mode := os.fstat(fd).st_mode) and not stat.S_ISDIR(mode):
                return
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def hold(path: Path, fd: int) -> bool:
    """Lock the open part so that no other writer takes it for stale; False if one just did."""
    if os.name != "posix":
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(fd), path.lstat())
    except OSError as error:
        # Some network shares have no locks.
        return error.errno not in (errno.EWOULDBLOCK, errno.ENOENT)


def part_names(target: Path) -> list[Path]:
    """Hidden names beside `target` for its unfinished part, best first."""
    prefix = _part_prefix(target.name) + str(os.getpid())
    return [target.with_name(prefix + (f".{n}" if n else "")) for n in range(100)]


def make_part_folder(target: Path) -> tuple[Path, int | None]:
    """A folder for the unfinished parts of `target`, with the open lock that says it is in use.

    Those of dead writers are deleted first, as for every part.
    """
    _remove_stale_parts(target)
    for path in part_names(target):
        try:
            path.mkdir()
        except FileExistsError:
            continue
        if os.name != "posix":
            return path, None
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        if hold(path, fd):
            return path, fd
        os.close(fd)
    raise DiskError(f"Too many unfinished parts of {target.name}. Delete .{target.name}.part-*.")


def publish_folder(part: Path, target: Path) -> Path:
    """Give a finished folder its final name, or the next free one; nothing is replaced."""
    for place in candidates(target):
        if _claim_folder(part, place):
            return place
    raise OutputExistsError(f"{target} and the names after it exist. Choose another name.")


def _claim_folder(part: Path, place: Path) -> bool:
    """Rename `part` to `place` unless something other than an empty folder is there."""
    if os.name != "posix":
        with contextlib.suppress(OSError):
            place.rmdir()  # Windows renames onto nothing, not even an empty folder.
    try:
        part.rename(place)
    except OSError:
        if os.path.lexists(place):
            return False
        raise
    return True


class Part:
    """An open file with a hidden name beside `target`; libav reads and writes through it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.error: OSError | None = None
        """Why the last write failed: libav does not always pass it on."""
        self.path, self._fd = _create(target)

    def __enter__(self) -> Self:
        """Discard it in the end, unless it was published."""
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def write(self, data: bytes) -> int:
        """Write all of `data`; a short write must not pass for a whole one."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            self.error = error
            raise
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes."""
        return os.read(self._fd, size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place in the file."""
        return os.lseek(self._fd, offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def view(self) -> "PartView":
        """A reader with a place of its own."""
        return PartView(self)

    def sync(self) -> None:
        """Wait until the disk has the bytes."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file; it stays where it is."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def discard(self) -> None:
        """Close and delete it; nothing happens when it is gone already."""
        self.close()
        self.path.unlink(missing_ok=True)

    def publish(self, *, overwrite: bool) -> Path:
        """Give the synced file its final name, or the next free one if the name was taken meanwhile."""
        self.sync()
        if overwrite:
            refuse_existing(self.target, overwrite=True)
            self.close()
            self.path.replace(self.target)
            sync_folder(self.target.parent)
            return self.target
        if os.name != "posix":
            self.close()  # Windows does not rename an open file.
        for place in candidates(self.target):
            if _claim(self.path, place):
                self.discard()
                sync_folder(place.parent)
                return place
        raise OutputExistsError(f"{self.target} and the names after it exist. Choose another name.")


class PartView:
    """Reads a part without moving the place where others read or write."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes."""
        self._part.seek(self._place)
        data = self._part.read(size)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place in the file."""
        self._part.seek(self._place)
        self._place = self._part.seek(offset, whence)
        return self._place

    def tell(self) -> int:
        """The place in the file."""
        return self._place


def _create(target: Path) -> tuple[Path, int]:
    _remove_stale_parts(target)
    for path in part_names(target):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _UNTRUSTED, 0o666)
        except FileExistsError:
            continue
        if hold(path, fd):
            return path, fd
        os.close(fd)
    raise DiskError(
        f"Too many unfinished parts of {target.name}. Delete {_part_prefix(target.name)}*."
    )


def candidates(target: Path) -> list[Path]:
    """The name asked for, and those to fall back on."""
    return [target, *(target.with_stem(f"{target.stem}-{n}") for n in range(2, 1000))]


def _claim(part: Path, place: Path) -> bool:
    """Name `part` also `place` unless something is there; two racing writers cannot both succeed."""
    try:
        os.link(part, place)
    except FileExistsError:
        return False
    except OSError:
        # FAT, exFAT and some network shares have no hard links.
        if os.path.lexists(place):
            return False
        part.rename(place)
    return True


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder`."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # Some network shares cannot sync a folder.
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
