"""What ffprobe, a program that is not ours, says about what a crash left behind."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

needs_ffprobe = pytest.mark.skipif(
    shutil.which("ffprobe") is None, reason="ffprobe is the judge, and it is not installed"
)


def frames_in(path: Path) -> int:
    """How many frames ffprobe decodes; -1 where it rejects the file."""
    done = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0"),
            *("-show_entries", "stream=nb_read_frames", "-of", "json", str(path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    streams = json.loads(done.stdout or "{}").get("streams", [])
    return int(streams[0].get("nb_read_frames", 0)) if done.returncode == 0 and streams else -1


def parts_in(folder: Path) -> list[Path]:
    """Everything half-written."""
    return sorted(path for path in folder.iterdir() if ".part-" in path.name)


def has_fragment(part: Path) -> bool:
    """Whether frames reached the disk."""
    data = part.read_bytes() if part.is_file() else b""
    return b"moof" in data and data.rfind(b"mdat") > data.find(b"moof")
