"""Denoising is never lost: not to a bad decode, not to a full disk, not to Ctrl-C."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import t2v
from t2v.api.latents import read_latents, save_latents
from t2v.api.loading import load_for
from t2v.errors import GenerationError, InterruptedRun, RequestError
from t2v.media.probe import probe
from tests.api.conftest import QUICK


@pytest.fixture
def saved(doodle, tmp_path):
    """A finished video and its latents beside it."""
    return doodle.generate("a red ball", output=tmp_path / "ball.mp4", save_latents=True, **QUICK)


def test_saved_latents_decode_to_the_same_frames(saved, tmp_path):
    again = t2v.decode(tmp_path / "ball.mp4.latents", tmp_path / "again.mov")

    assert again.record["frames_sha256"] == saved.record["frames_sha256"]
    assert probe(again.output).codec == "prores"


def test_decoding_goes_to_the_output_of_the_run_by_default(saved, tmp_path):
    saved.output.unlink()

    video = t2v.decode(tmp_path / "ball.mp4.latents")

    assert video.output == tmp_path / "ball.mp4"


def test_decoding_ends_with_done_as_every_run_does(saved, tmp_path, heard):
    t2v.decode(tmp_path / "ball.mp4.latents", tmp_path / "again.mp4", listener=heard.append)

    assert (heard[-1].event, heard[-1].item) == ("done", "again.mp4")


def test_latents_of_a_folder_of_pictures_decode_to_a_folder_of_pictures(doodle, tmp_path):
    doodle.generate("a red ball", output=tmp_path / "frames", save_latents=True, **QUICK)
    shutil.rmtree(tmp_path / "frames")

    video = t2v.decode(tmp_path / "frames.latents")

    assert video.output == tmp_path / "frames"
    assert (video.output / "00004.png").is_file()


def test_latents_are_decoded_from_inside_their_folder(saved, tmp_path, monkeypatch):
    saved.output.unlink()
    monkeypatch.chdir(tmp_path / "ball.mp4.latents")

    assert t2v.decode(".").output == tmp_path / "ball.mp4"


def test_decoding_loads_the_vae_alone(saved, tmp_path):
    _, run = read_latents(tmp_path / "ball.mp4.latents")
    pipe = load_for(run.plan(), share="decoders").pipe

    assert pipe.vae is not None
    assert pipe.transformer is None
    assert pipe.text_encoder is None


def test_what_the_decoder_was_called_with_is_saved_to_the_last_digit(saved, tmp_path):
    latents, run = read_latents(tmp_path / "ball.mp4.latents")
    assert (latents.audio, latents.decode_timestep) == (None, None)

    save_latents(tmp_path / "again.latents", replace(latents, decode_timestep=0.05), run)

    assert read_latents(tmp_path / "again.latents")[0].decode_timestep == 0.05


@pytest.mark.parametrize(
    "further",
    [
        {"decode_timestep": torch.zeros(2)},
        {"audio": torch.zeros(0, 3)},
        {"audio": torch.zeros(3, dtype=torch.int64)},
    ],
    ids=["two timesteps", "no sound", "sound of whole numbers"],
)
def test_tensors_beside_the_latents_that_make_no_sense_are_damage(saved, tmp_path, further):
    file = tmp_path / "ball.mp4.latents" / "latents.safetensors"
    save_file({**load_file(file), **further}, file)

    with pytest.raises(RequestError, match="damaged"):
        t2v.decode(tmp_path / "ball.mp4.latents")


def test_a_folder_without_latents_is_said_to_have_none(tmp_path):
    with pytest.raises(RequestError, match="holds no saved latents"):
        t2v.decode(tmp_path)


def test_damaged_latents_are_said_to_be_damaged(saved, tmp_path):
    tensors = tmp_path / "ball.mp4.latents" / "latents.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:100])

    with pytest.raises(RequestError, match="damaged"):
        t2v.decode(tmp_path / "ball.mp4.latents")


def stop_at(stage, step):
    """A listener that behaves like a user who presses Ctrl-C at that moment."""

    def listen(event):
        if event.stage == stage and event.step == step:
            raise KeyboardInterrupt

    return listen


def test_ctrl_c_while_denoising_leaves_nothing_behind(doodle, tmp_path):
    with pytest.raises(InterruptedRun, match=r"ball\.mp4 was not written"):
        doodle.generate(
            "a red ball", output=tmp_path / "ball.mp4", listener=stop_at("denoise", 1), **QUICK
        )
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_decoding_keeps_the_latents(doodle, tmp_path):
    with pytest.raises(InterruptedRun, match=r"t2v decode .*ball\.mp4\.latents"):
        doodle.generate(
            "a red ball", output=tmp_path / "ball.mp4", listener=stop_at("decode", 3), **QUICK
        )
    assert [path.name for path in tmp_path.iterdir()] == ["ball.mp4.latents"]
    assert t2v.decode(tmp_path / "ball.mp4.latents").record["num_frames"] == 5


def test_a_generator_works_on_after_an_interruption(doodle, tmp_path):
    before = doodle.generate("a red ball", **QUICK).record["frames_sha256"]
    with pytest.raises(InterruptedRun):
        doodle.generate("a red ball", listener=stop_at("decode", 3), **QUICK)

    assert doodle.generate("a red ball", **QUICK).record["frames_sha256"] == before


def test_latents_without_a_picture_end_the_run(doodle, monkeypatch):
    head = doodle.pipe.transformer.proj_out
    monkeypatch.setattr(head.bias, "data", torch.full_like(head.bias, torch.nan))

    with pytest.raises(GenerationError, match="NaN or infinity at step 1 of 2"):
        doodle.generate("a red ball", **QUICK)


@pytest.fixture
def overflowing(monkeypatch):
    """A model whose VAE overflows in float16 and not in float32."""
    generator = t2v.load("doodle-128", device="cpu")
    vae = generator.pipe.vae.to(torch.float16)
    head = vae.decoder.conv_out
    # Features times 30,000 leave float16; the weights after them bring the picture back.
    monkeypatch.setattr(vae.decoder.norm_out.gamma, "data", vae.decoder.norm_out.gamma.data * 3e4)
    monkeypatch.setattr(head.weight, "data", (head.weight.data.float() / 3e4).half())
    return generator


def test_a_vae_that_overflows_is_run_again_in_float32(overflowing, tmp_path):
    video = overflowing.generate("a red ball", output=tmp_path / "ball.mp4", **QUICK)

    assert video.status == "ok"
    assert any("in float32" in warning for warning in video.record["warnings"])
    assert probe(video.output).num_frames == 5


def test_a_video_after_one_that_overflowed_is_made_as_if_it_were_the_first(overflowing):
    videos = [overflowing.generate("a red ball", **QUICK).record for _ in range(2)]

    assert videos[0]["frames_sha256"] == videos[1]["frames_sha256"]
    assert videos[0]["warnings"] == videos[1]["warnings"]


def test_frames_that_stay_broken_are_written_and_marked(doodle, tmp_path, monkeypatch):
    bias = doodle.pipe.vae.decoder.conv_out.bias
    monkeypatch.setattr(bias, "data", torch.full_like(bias, torch.nan))

    video = doodle.generate("a red ball", output=tmp_path / "ball.mp4", **QUICK)

    assert video.status == "suspect"
    assert "NaN or infinite values in 5 of 5 frames" in video.record["guard"]["suspect"]
    assert probe(video.output).num_frames == 5


def test_an_output_that_cannot_be_written_is_found_out_before_the_work(doodle, tmp_path, heard):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(t2v.errors.DiskError):
        doodle.generate(
            "a red ball",
            output=tmp_path / "file" / "ball.mp4",
            listener=heard.append,
            **QUICK,
        )
    assert heard == []


def test_frames_of_a_stream_are_the_frames_of_the_clip(doodle):
    video = doodle.generate("a red ball", **{**QUICK, "num_frames": 17})

    assert np.ptp(video.frames) > 100
