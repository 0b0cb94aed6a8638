import json
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest

from t2v.media.writer import open_writer
from tests.patience import PATIENCE_S


@pytest.fixture
def frames():
    """A soft picture with color and a little grain that pans: frames(width, height, count)."""

    def build(width, height, count, seed=0):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:height, 0 : width + count] / 24
        soft = [0.5 + 0.3 * np.sin(x * a + y * b) for a, b in ((1, 0.4), (0.6, -0.8), (-0.3, 1))]
        scene = np.stack(soft, axis=-1) + 0.005 * rng.standard_normal((height, width + count, 1))
        return [
            np.clip(scene[:, index : index + width], 0, 1).astype(np.float32)
            for index in range(count)
        ]

    return build


@pytest.fixture
def write(tmp_path):
    """Write frames to a name in a fresh folder: write("clip.mp4", frames)."""

    def write_frames(name, frames, *, fps=Fraction(24), metadata=None, folder=tmp_path, **options):
        height, width = frames[0].shape[:2]
        place = f"{folder}/{name}"
        with open_writer(place, width=width, height=height, fps=fps, **options) as writer:
            for frame in frames:
                writer.write(frame)
            return writer.finish(metadata)

    return write_frames


@pytest.fixture
def ffprobe():
    """What an independent program says of a file; its complaints fail the test."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed (Debian: apt-get install ffmpeg)")

    def run(path):
        command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format"]
        result = subprocess.run(
            [*command, "-of", "json", path],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        assert result.stderr == ""
        document = json.loads(result.stdout)
        streams = {stream["codec_type"]: stream for stream in document["streams"]}
        return streams | {"format": document["format"]}

    return run
