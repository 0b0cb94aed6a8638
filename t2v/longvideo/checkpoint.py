"""What is needed to go on with a long video after its process has died.

In the work folder there are the latents that are final, a file for each window that handed some on,
and a file for each window under way: the latents after its last step, and what its scheduler, its
generator and step caches remember. `checkpoint.json` says which of them belong together; it is
replaced in one step, so that there is a whole checkpoint at every moment. What no checkpoint needs
any more is deleted: the folder holds all final latents and no more windows than are under way.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from t2v.errors import DiskError
from t2v.longvideo.identity import check_identity
from t2v.longvideo.meeting import WindowState
from t2v.longvideo.pace import Pace
from t2v.longvideo.packing import files_of, read_packed, write_packed
from t2v.longvideo.rendezvous import Kept, Reached, Rendezvous
from t2v.plan.endless import num_windows, prompts_of
from t2v.plan.latents import pixel_frames
from t2v.plan.live import LivePrompts
from t2v.plan.windows import LongPlan
from t2v.zoo.store import write_text

MANIFEST = "checkpoint.json"
_COUNTS = ("num_steps", "shot", "num_out", "num_started")
_STATE = [field.name for field in fields(WindowState)]


class Checkpoints:
    """The checkpoints of one video in its work folder."""

    def __init__(
        self,
        folder: Path,
        identity: dict[str, str],
        every_s: float,
        prompts: LivePrompts | None = None,
    ) -> None:
        """Checkpoints in a folder, so many seconds apart, or more where they take long.

        Args:
            folder: It is there already, and nobody else writes to it.
            identity: What has to be the same for a run to go on.
            every_s: Seconds between two checkpoints; 0 for one after every step.
            prompts: Of a video without an end: what they have shown is kept, and recalled.
        """
        self._folder, self._identity, self._pace = folder, identity, Pace(every_s)
        self._prompts = prompts
        self.num_steps = 0
        """Steps of all windows so far."""
        self._written: dict[int, str] = {}
        """Window -> the file of its last state."""

    def begin(self) -> None:
        """Forget an earlier run."""
        (self._folder / MANIFEST).unlink(missing_ok=True)
        for file in files_of(self._folder):
            file.unlink(missing_ok=True)

    def reached(self) -> Reached | None:
        """Where the earlier run was; None where it made no checkpoint.

        Raises:
            RequestError: It was another run: with another plan, model, seed or version.
            DiskError: The checkpoint is damaged.
        """
        path = self._folder / MANIFEST
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            check_identity(self._folder, found["identity"], self._identity)
            self._written = {int(k): str(v) for k, v in found["windows"].items()}
            num_steps, shot, num_out, num_started = (int(found[name]) for name in _COUNTS)
            windows = {index: self._read(name) for index, name in self._written.items()}
            finals = tuple(int(index) for index in found["finals"])
            if self._prompts is not None:
                self._prompts.recall(found["prompts"])
            return Reached(num_steps, shot, num_out, num_started, finals, windows)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DiskError(f"{path} is damaged. Begin again without --resume.") from error

    def of_shot(self, shot: int) -> "ShotKeeper":
        """Who makes the checkpoints of a shot."""
        return ShotKeeper(self, shot)

    def put_latents(self, shot: int, index: int, latents: torch.Tensor) -> None:
        """Keep what a window hands on."""
        write_packed(self._latents_file(shot, index), latents)

    def latents_of(self, shot: int, index: int) -> torch.Tensor:
        """What a window handed on."""
        latents: torch.Tensor = read_packed(self._latents_file(shot, index))
        return latents

    def latents(self, shot: int, count: int) -> Iterator[torch.Tensor]:
        """What the first windows of a shot handed on, in the order of time."""
        for index in range(count):
            latents = self.latents_of(shot, index)
            if latents.shape[2]:
                yield latents

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return self._pace.is_due

    def save(self, shot: int, rendezvous: Rendezvous) -> None:
        """Make a checkpoint of windows that all wait.

        Raises:
            DiskError: The disk is full, or cannot be written to.
        """
        with self._pace.writing():
            self._write(shot, rendezvous)

    def _write(self, shot: int, rendezvous: Rendezvous) -> None:
        files = {index: self._file_of(shot, index, rendezvous) for index in rendezvous.live}
        document = {
            "identity": self._identity,
            "num_steps": self.num_steps,
            "shot": shot,
            "num_out": rendezvous.num_out,
            "num_started": rendezvous.num_started,
            "finals": sorted(rendezvous.finals),
            "windows": files,
        }
        if self._prompts is not None:
            document["prompts"] = self._prompts.to_dict()
        write_text(self._folder / MANIFEST, json.dumps(document, indent=1))
        self._written = files
        for file in self._folder.glob("window-*.safetensors"):
            if file.name not in files.values():
                file.unlink(missing_ok=True)

    def _file_of(self, shot: int, index: int, rendezvous: Rendezvous) -> str:
        live = rendezvous.live[index]
        step = "done" if live.is_done else live.num_posted
        name = f"window-{shot}-{index:06}-{step}.safetensors"
        if self._written.get(index) != name:
            state = None if live.is_done else live.state()
            kept = {
                "num_posted": live.num_posted,
                "is_last": live.is_last,
                "posts": live.posts,
                "state": state and {name: getattr(state, name) for name in _STATE},
            }
            write_packed(self._folder / name, kept)
        return name

    def _read(self, name: str) -> Kept:
        if Path(name).name != name:
            raise ValueError(name)
        found = read_packed(self._folder / name)
        state = found["state"]
        return Kept(
            found["num_posted"],
            found["is_last"],
            found["posts"],
            None if state is None else WindowState(**state),
        )

    def _latents_file(self, shot: int, index: int) -> Path:
        return self._folder / f"latents-{shot}-{index:06}.safetensors"


@dataclass(slots=True)
class ShotKeeper:
    """Makes checkpoints of one shot's windows when it is time for one."""

    checkpoints: Checkpoints
    shot: int
    _has_failed: bool = False

    def put_latents(self, index: int, latents: torch.Tensor) -> None:
        """Keep what a window hands on."""
        self.checkpoints.put_latents(self.shot, index, latents)

    def look(self, rendezvous: Rendezvous, *, is_end: bool) -> None:
        """Make a checkpoint if it is time, or at the end unless that has just failed."""
        if self._has_failed or not (is_end or self.checkpoints.is_due):
            return
        self._has_failed = True
        self.checkpoints.save(self.shot, rendezvous)
        self._has_failed = False


def frames_made(folder: Path, long: LongPlan) -> int:
    """Frames of a video without an end whose latents are final in its work folder.

    What the last window of a shot makes beyond a cut is not among them.
    """
    prompts = replace(prompts_of(long))
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        index, num_out = int(found["shot"]), int(found["num_out"])
        prompts.recall(found["prompts"])
        begin = prompts.openings[index].first_frame
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    made = pixel_frames(long.rule, long.stride * num_out) if num_out else 0
    end = prompts.known_end(index)
    if end is not None:
        made = end if num_out == num_windows(long, end) else min(made, end)
    return begin + made


def work_bytes(folder: Path) -> int:
    """What a work folder takes on disk."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
