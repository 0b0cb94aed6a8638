"""The work folder of a video: what a later run needs to go on where this one ended."""

import contextlib
import os
import shlex
import shutil
from collections.abc import Generator
from pathlib import Path

from t2v.api.latents import RUN, TENSORS, SavedRun
from t2v.errors import BusyError, DiskError, OutputExistsError, RequestError, T2VError
from t2v.media.parts import make_folder
from t2v.plan.outline import all_windows, outline
from t2v.plan.request import Plan, Request
from t2v.plan.windows import LongPlan
from t2v.zoo.store import write_text

if os.name == "posix":
    import fcntl

SUFFIX = ".work"
IDENTITY = "identity.json"
"""What finished shots were made with; it is nothing to go on from."""


def work_folder(output: Path) -> Path:
    """Where the work on an output is kept: `clip.mp4` -> `clip.mp4.work`."""
    return output.with_name(output.name + SUFFIX)


def work_output(folder: str | Path) -> Path:
    """The output that a work folder is of: `clip.mp4.work` -> `clip.mp4`, `frames.work` -> `frames`."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # `.` and the like have no name to find the output by
        folder = folder.resolve()
    name = folder.name.removesuffix(SUFFIX)
    return folder.with_name(name if name != folder.name else f"{name}.mp4")


def resume_plan(folder: str | Path) -> Plan:
    """The plan of an unfinished video, as it was when it began.

    Raises:
        RequestError: The folder is none of an unfinished video, or it would be made otherwise now.
    """
    folder = Path(folder)
    saved = read_work(folder)
    plan = saved.plan()
    if not is_windowed_as(saved, plan.requests[0].long):
        raise RequestError(
            f"{folder} was begun with other windows than {plan.spec.name} has now. "
            "Use the version and catalog that began it, or begin again without --resume."
        )
    return plan


def is_windowed_as(saved: SavedRun, long: LongPlan | None) -> bool:
    """Whether a run made the windows that it would make now; a clip has none."""
    then = saved.record.get("long"), saved.record.get("windows")
    return then == ((None, []) if long is None else (outline(long), all_windows(long)))


def read_work(folder: Path) -> SavedRun:
    """The run that a work folder is of.

    Raises:
        RequestError: It is no work folder, or it is damaged.
    """
    refuse_latents(folder)
    try:
        return SavedRun.from_json((folder / RUN).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RequestError(
            f"{folder} holds no unfinished video. Name the folder that ends with {SUFFIX}, beside "
            "the output of a video that was interrupted."
        ) from None
    except T2VError:
        raise
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RequestError(
            f"{folder} is damaged: {reason}. Begin again with --overwrite."
        ) from error


def refuse_latents(folder: Path) -> None:
    """Raise where a folder holds what a denoiser has finished: it is to be decoded.

    Raises:
        RequestError: It does.
    """
    if (folder / TENSORS).is_file():
        raise RequestError(
            f"{folder} holds finished latents. Decode them: t2v decode {shlex.quote(str(folder))}"
        )


def refuse_work(folder: Path) -> None:
    """Raise where a folder is no output but what is needed to finish one.

    Raises:
        RequestError: It is.
    """
    refuse_latents(folder)
    if folder.is_dir() and (folder / RUN).is_file():
        raise RequestError(
            f"{folder} holds an unfinished video. Go on with it: "
            f"t2v generate --resume {shlex.quote(str(folder))}"
        )


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


class Work:
    """The work folder of a run: made, and held for it, when it is first asked for."""

    def __init__(self, folder: Path, run: SavedRun, *, resume: bool) -> None:
        self._folder, self._run, self._resume = folder, run, resume
        self._held = contextlib.ExitStack()
        self._is_made = False

    @property
    def is_begun(self) -> bool:
        """Whether there is something to go on from."""
        return self._is_made and not _is_empty(self._folder)

    def folder(self) -> Path:
        """The folder.

        Raises:
            BusyError: Another run holds it.
            DiskError: It cannot be made.
        """
        if self._is_made:
            return self._folder
        make_folder(self._folder, exist_ok=self._resume)
        self._held.enter_context(_held(self._folder))
        self._is_made = True
        if not self._resume:
            write_text(self._folder / RUN, self._run.to_json())
        return self._folder

    def discard(self) -> None:
        """Delete it: what was worked on is finished, or kept elsewhere."""
        if self._is_made:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._is_made = False

    def close(self) -> None:
        """Let others have it; there is none if there is nothing to go on from."""
        if self._is_made and not self.is_begun:
            self.discard()
        self._held.close()


@contextlib.contextmanager
def working(
    folder: Path, run: SavedRun, *, resume: bool, overwrite: bool, leave: bool = False
) -> Generator[Work]:
    """The work folder of a run: it is gone when the block ends well, and kept otherwise.

    Args:
        folder: Where it is, or will be.
        run: What is made.
        resume: Whether to go on from what is there; it is held at once then.
        overwrite: Whether to begin again in the place of an earlier run.
        leave: Whether to keep it when the block ends well, for whoever still needs it.

    Raises:
        OutputExistsError: An earlier run left one, and neither wants to go on nor to begin again.
        BusyError: Another run holds it.
        DiskError: It cannot be made.
    """
    if not resume:
        _make_room(folder, overwrite=overwrite)
    with contextlib.closing(Work(folder, run, resume=resume)) as work:
        if resume:
            work.folder()
        yield work
        if not leave:
            work.discard()


def refuse_unfinished(folder: Path) -> None:
    """Raise where an earlier run has left work that could be gone on with.

    Raises:
        OutputExistsError: It has, or something else is in the place of that work.
        BusyError: It is still at work.
    """
    if _is_there(folder):
        with _held(folder):
            raise OutputExistsError(
                f"{folder} holds an unfinished video. Go on with "
                f"--resume {shlex.quote(str(folder))}, or begin again with --overwrite."
            )


def _make_room(folder: Path, *, overwrite: bool) -> None:
    if not overwrite:
        refuse_unfinished(folder)
    elif _is_there(folder):
        with _held(folder):
            try:
                shutil.rmtree(folder)
            except OSError as error:
                reason = error.strerror or error
                raise DiskError(f"Cannot delete {folder}: {reason}.") from error


def _is_there(folder: Path) -> bool:
    if not os.path.lexists(folder):
        return False
    is_folder = folder.is_dir() and not folder.is_symlink()
    if is_folder and (folder / RUN).is_file():
        return True
    # Of a run that was killed in the moment in which it made the folder.
    if is_folder and all(entry.name.startswith(f".{RUN}.") for entry in folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
        return False
    raise OutputExistsError(f"{folder} is in the way and no work of t2v. Name another output.")


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


def _is_empty(folder: Path) -> bool:
    try:
        return {entry.name for entry in folder.iterdir() if not _is_bare(entry)} <= {RUN, IDENTITY}
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _is_bare(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
