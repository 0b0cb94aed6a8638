"""The finished videos of a run as VBench wants them: in a folder of their own, nothing beside them.

VBench lists the folder and takes the suffix of whatever comes first for that of all videos; the
sidecars and the journal of a run folder would be in its way.
"""

import contextlib
import os
import shutil
from pathlib import Path

from t2v.batch.run_folder.finished import place_of
from t2v.batch.run_folder.standing import State
from t2v.batch.run_folder.view import WORK
from t2v.media.parts import disk_error

FOLDER = "vbench"


def gather_videos(folder: Path, state: State) -> Path:
    """Have `vbench/` hold every finished video of the plan under its name; returns that folder.

    They are further names of the same files, and take no room; copies where a disk cannot do that.

    Raises:
        DiskError: The folder cannot be written.
    """
    target, part = folder / FOLDER, folder / WORK / f"vbench-{os.getpid()}"
    try:
        for made in (target, part.parent):
            made.mkdir(exist_ok=True)
        for key in state.planned:
            job = state.of(key)
            output = job.outcome.output if job.status == "done" and job.outcome else None
            source = place_of(folder, output) if output else None
            if output and source and source.is_file():
                _name_also(source, target / output, part)
    except OSError as error:
        raise disk_error(target / "videos", error) from error
    return target


def _name_also(source: Path, target: Path, part: Path) -> None:
    """Give a file a second name; what has that name already is replaced if it is another file."""
    with contextlib.suppress(FileNotFoundError):
        if _is_same(source.stat(), target.stat()):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:  # FAT, exFAT and some network shares have no hard links.
        shutil.copy2(source, part)
    part.replace(target)


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two names are of one file, or of a copy that was made of it."""
    return os.path.samestat(one, other) or (
        (one.st_size, int(one.st_mtime)) == (other.st_size, int(other.st_mtime))
    )
