"""The work folder of a long video: what a later run needs to go on where this one ended."""

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from t2v.api.latents import RUN, SavedRun
from t2v.errors import BusyError, DiskError, OutputExistsError, RequestError, T2VError
from t2v.media.parts import disk_error
from t2v.plan.outline import all_windows, outline
from t2v.plan.request import Plan, Request
from t2v.zoo.store import write_text

if os.name == "posix":
    import fcntl

SUFFIX = ".work"


def work_folder(output: Path) -> Path:
    """Where the work on an output is kept: `clip.mp4` -> `clip.mp4.work`."""
    return output.with_name(output.name + SUFFIX)


def work_output(folder: str | Path) -> Path:
    """The output that a work folder is of: `clip.mp4.work` -> `clip.mp4`."""
    folder = Path(folder)
    name = folder.name.removesuffix(SUFFIX)
    return folder.with_name(name if name != folder.name else f"{name}.mp4")


def resume_plan(folder: str | Path) -> Plan:
    """The plan of an unfinished long video, as it was when it began.

    Raises:
        RequestError: The folder is none of an unfinished video, or it would be made otherwise now.
    """
    folder = Path(folder)
    saved = read_work(folder)
    plan = saved.plan()
    long = plan.requests[0].long
    then = saved.record.get("long"), saved.record.get("windows")
    if long is None or then != (outline(long), all_windows(long)):
        raise RequestError(
            f"{folder} was begun with other windows than {plan.spec.name} has now. "
            "Use the version and catalog that began it, or begin again without --resume."
        )
    return plan


def read_work(folder: Path) -> SavedRun:
    """The run that a work folder is of.

    Raises:
        RequestError: It is no work folder, or it is damaged.
    """
    try:
        return SavedRun.from_json((folder / RUN).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(
            f"{folder} holds no unfinished video. Name the folder that ends with {SUFFIX}, beside "
            "the output of a long video that was interrupted."
        ) from None
    except T2VError:
        raise
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RequestError(f"{folder} is damaged: {reason}.") from error


def refuse_to_save(request: Request) -> None:
    """Latents of a whole clip can be kept; a long video never has them all at once.

    Raises:
        RequestError: The request is a long video.
    """
    if request.long is not None:
        raise RequestError(
            "--save-latents keeps those of one clip; a long video that is interrupted leaves a "
            ".work folder, and --resume goes on from it"
        )


@contextlib.contextmanager
def working(folder: Path, run: SavedRun, *, resume: bool, overwrite: bool) -> Generator[Path]:
    """Hold the work folder of a run: it is gone when the video is finished, and kept otherwise.

    Raises:
        OutputExistsError: An earlier run left one, and neither wants to go on nor to begin again.
        BusyError: Another run holds it.
        DiskError: It cannot be made.
    """
    if not resume:
        _make_room(folder, overwrite=overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=resume)
    except OSError as error:
        raise disk_error(folder, error) from error
    with _held(folder):
        try:
            if not resume:
                write_text(folder / RUN, run.to_json())
            yield folder
        except BaseException:
            _remove_if_empty(folder)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _make_room(folder: Path, *, overwrite: bool) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not (folder / RUN).is_file():
        raise OutputExistsError(f"{folder} is in the way and no work of t2v. Name another output.")
    with _held(folder):
        if not overwrite:
            raise OutputExistsError(
                f"{folder} holds an unfinished video. Go on with --resume {folder}, or begin again "
                "with --overwrite."
            )
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise DiskError(f"Cannot delete {folder}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _held(folder: Path) -> Generator[None]:
    """A lock that ends with the process, however it ends."""
    if os.name != "posix":
        yield
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"Another run is at work in {folder}; wait for it, or stop it."
            ) from None
        except OSError:
            pass  # Some network shares have no locks.
        yield
    finally:
        os.close(fd)


def _remove_if_empty(folder: Path) -> None:
    """A run that ended before its first checkpoint leaves nothing to go on from."""
    with contextlib.suppress(OSError):
        if {entry.name for entry in folder.iterdir()} <= {RUN}:
            shutil.rmtree(folder)
