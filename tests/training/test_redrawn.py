"""Clips whose latents the denoiser has made, which the decoder learns from."""

import random

import pytest
import torch
from diffusers import AutoencoderKLWan

from t2v import builtin
from training import autoencoder, pipeline, redrawn

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def vae():
    return AutoencoderKLWan.from_pretrained(builtin.folder() / "vae", dtype=torch.float32)


@pytest.fixture(scope="module")
def crops(vae):
    torch.manual_seed(0)
    pipe = pipeline.load(builtin.folder())
    pool = redrawn.Pool(pipe, vae, pointed=0.5, spinning=0.5, bfloat16=False, size=redrawn.FRESH)
    return pool.draw(random.Random(0), 4, 64)


def test_crops_are_of_pixels_and_of_the_latents_that_stand_for_them(crops):
    assert crops.clips.shape == (4, 3, 17, 64, 64)
    assert crops.subjects.shape == (4, 1, 17, 64, 64)
    assert crops.latents.shape == (4, 32, 5, 4, 4)


@torch.no_grad()
def test_latents_decode_to_nearly_the_clip_that_they_were_made_of(vae, crops):
    error = (vae.decode(crops.latents).sample - crops.clips).square().mean((1, 2, 3, 4))
    other = (vae.decode(crops.latents.roll(1, 0)).sample - crops.clips).square().mean((1, 2, 3, 4))
    assert error.mean() < 0.04 < other.mean()


@torch.no_grad()
def test_latents_are_not_those_of_the_encoder(vae, crops):
    clean = vae.encode(crops.clips).latent_dist.mode()
    assert (crops.latents - clean).square().mean() > 0.01 * clean.square().mean()


def test_redrawing_needs_a_denoiser(capsys, monkeypatch):
    given = ["autoencoder", "--out", "runs/decoder", "--seconds", "1", "--redrawn", "0.5"]
    monkeypatch.setattr("sys.argv", given)
    with pytest.raises(SystemExit):
        autoencoder.arguments()
    assert "--redrawn needs --denoiser and --decoder-only" in capsys.readouterr().err
