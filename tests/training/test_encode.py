"""What is encoded for the denoiser: clips from their beginning, and clips from inside of longer ones."""

import pytest
import torch
from diffusers import AutoencoderKLWan

from t2v import builtin
from training import denoiser, encode, world


@pytest.fixture(scope="module")
def vae():
    return AutoencoderKLWan.from_pretrained(builtin.folder() / "vae", dtype=torch.float32)


@pytest.fixture(scope="module", params=[False, True], ids=["beginning", "inside"])
def shard(vae, request):
    tensors, scenes = encode.encode_shard(
        vae, 1, 2, pairs=0.5, pointed=0, spinning=0, inside=request.param, batch_size=2
    )
    return tensors, scenes, request.param


def test_clips_from_inside_are_as_long_as_others(shard):
    tensors, scenes, _ = shard
    assert len(scenes) == 2
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "latents": (2, 32, 5, 8, 8),
        "coverage": (2, 2, 5, 4, 4),
        "turns": (2, 2, 5),
        "inside": (2,),
    }


def test_what_spins_inside_is_turned_as_from_the_beginning(vae):
    turns = []
    for inside in (False, True):
        tensors, scenes = encode.encode_shard(
            vae, 5, 4, pairs=0, pointed=1, spinning=1, inside=inside, batch_size=4
        )
        symmetry = torch.tensor([world.SYMMETRY[one["subjects"][0]["shape"]] for one in scenes])
        turns.append(torch.exp(1j * symmetry[:, None] * tensors["turns"][:, 0])[:, 1:])
    torch.testing.assert_close(*turns, atol=1e-4, rtol=0)


def test_a_shard_can_be_read_again(shard, tmp_path):
    tensors, scenes, inside = shard
    encode.write_shard(tmp_path, 1, tensors, scenes)
    clips = denoiser.read_clips(tmp_path, torch.zeros(32), torch.ones(32))
    assert clips.latents.equal(tensors["latents"])
    assert clips.inside.tolist() == [inside, inside]


def test_only_a_clip_from_its_beginning_begins_with_a_latent_of_one_frame(vae, shard):
    """Decoded as the first, a latent of four frames has not even its colors."""
    tensors, _, inside = shard
    opening = tensors["latents"][:, :, :1].float()
    with torch.no_grad():
        again = vae.encode(vae.decode(opening).sample.clamp(-1, 1)).latent_dist.mode()
    lost = (again - opening).square().mean() / opening.var()
    assert (lost > 0.1) == inside


def test_nothing_is_learned_from_the_first_latent_of_clips_from_inside():
    coverage = torch.zeros(2, 2, 5, 4, 4, dtype=torch.uint8)
    coverage[:, 0, :, 0, 0] = 255
    weights = denoiser.place_weights(coverage, torch.tensor([False, True]), subject_weight=3)
    assert weights.shape == (2, 1, 5, 8, 8)
    assert weights[0, 0, 0, :2, :2].tolist() == [[4, 4], [4, 4]]
    assert weights[0, 0, 0, 2:].unique().tolist() == [1]
    assert weights[1, 0, 0].unique().tolist() == [0]
    assert weights[1, 0, 1:].equal(weights[0, 0, 1:])
