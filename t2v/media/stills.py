"""PNG sequences: a folder of lossless pictures that appears whole."""

import os
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio.v3 as iio

from t2v.errors import OutputExistsError
from t2v.media.frames import Frame, to_uint8
from t2v.media.metadata import write_sidecar
from t2v.media.parts import (
    disk_error,
    make_part_folder,
    prepare_folder,
    publish_folder,
    sync_folder,
)
from t2v.media.sink import Writer

OURS = re.compile(r"\d{5,}\.png|metadata\.json")


class PngWriter(Writer):
    """Writes `00000.png`, `00001.png`, ... into a hidden folder that gets its name at the end."""

    def __init__(
        self, path: Path, *, width: int, height: int, fps: Fraction, overwrite: bool = False
    ) -> None:
        path = prepare_folder(path)
        super().__init__(path, width=width, height=height, fps=fps, overwrite=overwrite)
        _refuse_foreign(path, overwrite=overwrite)
        try:
            self._part, self._lock = make_part_folder(path)
        except OSError as error:
            raise disk_error(path, error) from error

    def _write(self, frame: Frame) -> None:
        try:
            with (self._part / f"{self.num_frames:05d}.png").open("xb") as file:
                iio.imwrite(file, to_uint8(frame), extension=".png", compress_level=1)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise disk_error(self.path, error) from error

    def _finish(self, metadata: dict[str, Any] | None) -> Path:
        try:
            if metadata is not None:
                write_sidecar(self._part, metadata, overwrite=True)
            sync_folder(self._part)
            place = self._publish()
            sync_folder(place.parent)
        except OSError as error:
            raise disk_error(self.path, error) from error
        self._unlock()
        return place

    def _write_sidecar(self, place: Path, metadata: dict[str, Any]) -> None:
        """The metadata came into view with the folder, so that no crash parts the two."""

    def _publish(self) -> Path:
        if self._overwrite and self.path.is_dir():
            _refuse_foreign(self.path, overwrite=True)
            old = self._part.with_name(self._part.name + ".0")
            self.path.rename(old)
            self._part.rename(self.path)
            shutil.rmtree(old)
            return self.path
        return publish_folder(self._part, self.path)

    def _discard(self) -> None:
        self._unlock()
        shutil.rmtree(self._part, ignore_errors=True)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _refuse_foreign(path: Path, *, overwrite: bool) -> None:
    """Raise unless the folder is new or empty, or holds an earlier sequence that may go."""
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        raise OutputExistsError(f"{path} exists and is no folder. Choose another name.")
    names = [entry.name for entry in path.iterdir()]
    if names and not overwrite:
        raise OutputExistsError(
            f"{path} is a folder with files in it. "
            f"Name a video in it ({path.name}/clip.mp4) or a new folder."
        )
    foreign = [name for name in names if not OURS.fullmatch(name)]
    if foreign:
        raise OutputExistsError(
            f"{path} holds other files ({foreign[0]}) and is not replaced. Choose a new folder."
        )
