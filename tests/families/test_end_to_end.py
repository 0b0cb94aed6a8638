"""From a folder of files to a file that plays, by the command that everybody runs."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import DiffusionPipeline

from t2v.families import adapter_for
from t2v.media.frames import FrameHash
from t2v.runtime.quiet import quiet
from t2v.runtime.scheduler import set_scheduler
from t2v.testing import TINY, tiny_options, tiny_pipeline, tiny_spec
from t2v.zoo.catalog import Zoo
from t2v_cli.__main__ import run
from tests.families.conftest import Model
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(
    shutil.which("ffprobe") is None, reason="ffprobe is the judge, and it is not installed"
)

RATE = Fraction(8)
QUICK = ("wan", "animatediff", "latte", "mochi")
"""Run every time; a film of all the others takes minutes together."""

MODELS = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name) for name in TINY
]


@pytest.fixture
def made(tmp_path, capsys, monkeypatch, request) -> tuple[str, Path, dict[str, Any]]:
    """A tiny model, the folder with its film in it, and what the command says about that."""
    name: str = request.param
    folder = tmp_path / name
    tiny_pipeline(name, folder)
    monkeypatch.chdir(tmp_path)
    options = {**tiny_options(name), "fps": RATE, "seed": 3, "output": f"{name}.mp4"}
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    capsys.readouterr()
    code = run(["generate", "a red boat", "-m", str(folder), *flags, "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return name, folder, json.loads(out)


@pytest.mark.parametrize("made", MODELS, indirect=True)
def test_a_folder_becomes_a_film_of_what_was_asked_with_the_frames_of_diffusers(made, tmp_path):
    name, folder, record = made
    wanted = tiny_options(name)
    num_frames, width, height = (wanted[key] for key in ("num_frames", "width", "height"))

    video = streams_of(tmp_path / f"{name}.mp4")["video"]

    assert (video["width"], video["height"]) == (width, height)
    assert int(video["nb_read_frames"]) == num_frames
    assert Fraction(video["r_frame_rate"]) == RATE
    assert float(video["duration"]) == pytest.approx(num_frames / RATE, abs=1e-6)
    assert record["frames_sha256"] == hash_of_a_direct_call(name, folder)


@pytest.mark.parametrize("made", [n for n in TINY if tiny_spec(n, ".").audio], indirect=True)
def test_a_model_with_sound_makes_a_film_with_sound(made, tmp_path):
    name, _, _ = made

    streams = streams_of(tmp_path / f"{name}.mp4")

    assert float(streams["audio"]["duration"]) > 0


def streams_of(file: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe, a program that is not ours, counts in the file."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(file)],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return {stream["codec_type"]: stream for stream in json.loads(done.stdout)["streams"]}


def hash_of_a_direct_call(name: str, folder: Path) -> str:
    """The frames of the pipeline as diffusers loads it, called with the same words and seed."""
    index = json.loads((folder / "model_index.json").read_text())
    # What was saved as None has to be None again for Text2Video-Zero to load.
    empty = dict.fromkeys(part for part, value in index.items() if value == [None, None])
    spec = Zoo.load().find(str(folder))
    options = tiny_options(name)
    with quiet():
        pipe = DiffusionPipeline.from_pretrained(folder, **empty)
        if shift := spec.defaults.shift_for(options["width"], options["height"]):
            set_scheduler(pipe, flow_shift=shift)
    pipe.set_progress_bar_config(disable=True)
    digest = FrameHash()
    # Helios makes whole chunks, of which the film has what was asked for.
    for frame in Model(spec, pipe, adapter_for(spec), options).direct()[: options["num_frames"]]:
        digest.update(np.ascontiguousarray(frame))
    return digest.hexdigest()
