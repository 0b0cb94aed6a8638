"""Sound arrives in the file, in step with the pictures, and where it cannot, that is said."""

import json
import re

import av
import numpy as np
import pytest

import t2v
from t2v.api.latents import read_latents
from t2v.media.probe import probe
from t2v.testing import tiny_options, tiny_pipeline

CALL = {**tiny_options("ltx-2"), "seed": 3, "fps": "8"}


@pytest.fixture(scope="module")
def ltx2(tmp_path_factory):
    """A tiny model that makes sound."""
    folder = tiny_pipeline("ltx-2", tmp_path_factory.mktemp("tiny") / "ltx-2")
    return t2v.load(folder, device="cpu")


def heard(path):
    """The sound of a file, samples x channels, and when it starts in seconds."""
    with av.open(str(path)) as container:
        blocks = list(container.decode(audio=0))
    start = float(blocks[0].pts * blocks[0].time_base)
    return np.concatenate([block.to_ndarray() for block in blocks], axis=1).T, start


@pytest.mark.parametrize("name", ["boat.mp4", "boat.mov", "boat.mkv", "boat.webm"])
def test_a_file_has_the_sound_and_it_is_as_long_as_the_pictures(ltx2, tmp_path, name):
    video = ltx2.generate("a red boat", output=tmp_path / name, **CALL)
    found = probe(video.output)
    samples, start = heard(video.output)
    rate = 16000 if name in ("boat.mp4", "boat.mov") else 48000

    assert found.duration_s == pytest.approx(9 / 8)
    assert abs(len(samples) / rate - 9 / 8) < 1 / 8
    assert abs(start) < 1 / 8
    assert np.ptp(samples) > 0.01


def test_the_sound_in_the_file_is_the_one_in_memory(ltx2, tmp_path):
    video = ltx2.generate("a red boat", **CALL)
    saved = video.save(tmp_path / "boat.mp4")

    assert (video.sound.rate, video.sound.channels) == (16000, 2)
    samples, _ = heard(saved.output)
    assert samples.std() == pytest.approx(video.sound.samples.std(), rel=0.3)


def test_the_record_says_what_became_of_the_sound(ltx2, tmp_path):
    video = ltx2.generate("a red boat", output=tmp_path / "boat.mp4", **CALL)
    audio = video.record["audio"]

    assert (audio["sample_rate"], audio["channels"], audio["in_output"]) == (16000, 2, True)
    assert audio["duration_s"] == 1.09
    assert json.loads((tmp_path / "boat.json").read_text())["audio"] == audio


@pytest.mark.parametrize("name", ["boat.gif", "boat.webp", "boat.avif", "boat"])
def test_an_output_without_sound_says_so(ltx2, tmp_path, name):
    video = ltx2.generate("a red boat", output=tmp_path / name, **CALL)

    assert f"{name} holds no sound; .mp4, .mov, .mkv and .webm do" in video.record["warnings"]
    assert video.record["audio"]["in_output"] is False


def test_a_silent_film_has_no_audio_in_its_record(doodle):
    record = doodle.generate("a ball", num_frames=5, num_inference_steps=1, seed=1).record

    assert record["audio"] is None


def test_saved_latents_have_the_sound_and_decode_to_the_same(ltx2, tmp_path):
    made = ltx2.generate("a red boat", output=tmp_path / "boat.mp4", save_latents=True, **CALL)
    latents, _ = read_latents(tmp_path / "boat.mp4.latents")
    again = t2v.decode(tmp_path / "boat.mp4.latents", tmp_path / "again.mp4")

    assert latents.audio.shape == (1, 2, 28, 2)
    assert again.record["audio"]["sha256"] == made.record["audio"]["sha256"]
    assert again.record["frames_sha256"] == made.record["frames_sha256"]
    assert np.ptp(heard(again.output)[0]) > 0.01


@pytest.mark.parametrize("name", ["kandinsky-6", "kandinsky-6-silent"])
def test_a_model_that_may_have_sound_decodes_with_it_and_without(tmp_path, name):
    model = t2v.load(tiny_pipeline(name, tmp_path / name), device="cpu")
    options = {**tiny_options(name), "seed": 3, "fps": "8"}
    made = model.generate("a boat", output=tmp_path / "a.mp4", save_latents=True, **options)
    again = t2v.decode(tmp_path / "a.mp4.latents", tmp_path / "again.mp4")

    assert again.record["audio"] == made.record["audio"]
    assert again.record["frames_sha256"] == made.record["frames_sha256"]
    assert (probe(again.output).audio_codec == "aac") == (name == "kandinsky-6")


@pytest.mark.parametrize(
    ("rate", "what"),
    [(8000, r"2.18 s long and the video 1.12 s: its end is cut off"), (32000, "its end is silent")],
)
def test_sound_of_another_length_than_the_pictures_is_warned_of(tmp_path, rate, what):
    model = t2v.load(tiny_pipeline("ltx-2", tmp_path / "ltx-2"), device="cpu")
    model.pipe.vocoder.register_to_config(output_sampling_rate=rate)
    warnings = model.generate("a red boat", output=tmp_path / "boat.mp4", **CALL).record["warnings"]

    assert len(warnings) == 1
    assert re.search(what, warnings[0])
    assert abs(probe(tmp_path / "boat.mp4").duration_s - 9 / 8) < 0.01
