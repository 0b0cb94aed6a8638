"""LTX-Video: how to decode is part of the call, and goes with the latents."""

import numpy as np
import pytest

from t2v.runtime.quiet import quiet


@pytest.fixture(scope="module")
def ltx(load_tiny):
    return load_tiny("ltx-0.9.5")


def decoded(model, **call):
    with quiet():
        latents = model.adapter.denoise(model.pipe, {**model.arguments(), **call})
        return latents, np.stack(list(model.adapter.decode(model.pipe, latents)))


def direct(model, **call):
    with quiet():
        return model.pipe(**{**model.arguments(), **call}, output_type="np").frames[0]


@pytest.mark.parametrize("timestep", [0.0, 0.05, 0.4])
def test_the_timestep_that_an_entry_decodes_with_is_obeyed(ltx, timestep):
    latents, frames = decoded(ltx, decode_timestep=timestep, decode_noise_scale=0.1)

    assert latents.decode_timestep == timestep
    np.testing.assert_array_equal(
        frames, direct(ltx, decode_timestep=timestep, decode_noise_scale=0.1)
    )


def test_another_timestep_makes_other_frames(ltx):
    assert not np.array_equal(decoded(ltx)[1], decoded(ltx, decode_timestep=0.4)[1])


def test_a_decoder_without_a_timestep_has_none_with_its_latents(load_tiny):
    assert decoded(load_tiny("ltx"))[0].decode_timestep is None
