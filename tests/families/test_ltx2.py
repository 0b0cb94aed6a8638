"""LTX-2: sound beside the pictures, from the same call and bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import LTX2ConditionPipeline, LTX2InContextPipeline

from t2v.errors import GenerationError, RequestError
from t2v.runtime.adapter import Latents
from t2v.runtime.quiet import quiet
from t2v.zoo.catalog import Zoo


@pytest.fixture(scope="module")
def ltx2(load_tiny):
    return load_tiny("ltx-2")


def direct(model, **changes):
    with quiet():
        return model.pipe(**model.arguments(**changes), output_type="np")


def ours(model, **changes):
    with quiet():
        return model.adapter.denoise(model.pipe, model.arguments(**changes))


def test_sound_equals_that_of_a_direct_call(ltx2):
    sound = ltx2.adapter.sound(ltx2.pipe, ours(ltx2))

    assert sound.samples.shape == (17440, 2)
    assert sound.rate == 16000
    np.testing.assert_array_equal(sound.samples.T, direct(ltx2).audio[0].numpy())


def test_sound_is_as_long_as_the_pictures_to_within_a_frame(ltx2):
    assert abs(ltx2.adapter.sound(ltx2.pipe, ours(ltx2)).duration_s - 9 / 8) < 1 / 8


def test_frames_and_sound_do_not_depend_on_which_is_decoded_first(ltx2):
    latents = ours(ltx2)
    sound = ltx2.adapter.sound(ltx2.pipe, latents).samples
    frames = np.stack(list(ltx2.adapter.decode(ltx2.pipe, latents)))

    np.testing.assert_array_equal(frames, direct(ltx2).frames[0])
    np.testing.assert_array_equal(sound, ltx2.adapter.sound(ltx2.pipe, latents).samples)


@pytest.mark.parametrize("name", ["ltx-2", "ltx-2-timestep"])
def test_half_precision_is_equal_too(load_tiny, name):
    model = load_tiny(name, torch.bfloat16)
    latents, expected = ours(model), direct(model)

    frames = np.stack(list(model.adapter.decode(model.pipe, latents)))
    sound = model.adapter.sound(model.pipe, latents)

    np.testing.assert_array_equal(frames, expected.frames[0])
    np.testing.assert_array_equal(sound.samples.T, expected.audio[0].float().numpy())


def test_a_longer_clip_is_equal_too(ltx2):
    frames = np.stack(list(ltx2.adapter.decode(ltx2.pipe, ours(ltx2, num_frames=25))))

    np.testing.assert_array_equal(frames, direct(ltx2, num_frames=25).frames[0])


def test_the_layout_is_that_of_the_steps_and_of_the_noise(ltx2):
    arguments, shapes = ltx2.arguments(num_frames=17), []
    layout = ltx2.adapter.layout(ltx2.pipe, arguments)
    noise = torch.randn(layout.shape)

    def look(pipe, index, timestep, tensors):
        shapes.append(tuple(tensors["latents"].shape))
        return tensors

    with quiet():
        ltx2.pipe(**arguments, latents=noise, callback_on_step_end=look, output_type="latent")
    assert (layout.num_latents, layout.rows_per_frame) == (3, 4)
    assert set(shapes) == {layout.shape}


@pytest.mark.parametrize("kind", [LTX2ConditionPipeline, LTX2InContextPipeline])
def test_the_classes_that_take_pictures_too_do_without(ltx2, kind):
    parts = {name: part for name, part in ltx2.pipe.components.items() if part is not None}
    pipe = kind(**parts)
    pipe.set_progress_bar_config(disable=True)
    model = replace(ltx2, pipe=pipe)
    latents, expected = ours(model), direct(model)

    np.testing.assert_array_equal(
        np.stack(list(model.adapter.decode(pipe, latents))), expected.frames[0]
    )
    sound = model.adapter.sound(pipe, latents)
    np.testing.assert_array_equal(sound.samples.T, expected.audio[0].numpy())


@pytest.mark.parametrize("name", ["ltx-2", "sana-video-720p"])
def test_a_side_of_one_latent_is_refused_before_the_steps(load_tiny, name):
    with pytest.raises(RequestError, match=r"no frames of 64x32.*needs 64 pixels a side"):
        load_tiny(name).arguments(height=32)


@pytest.mark.parametrize(
    ("name", "passes_a_step"),
    [("ltx-2", 3), ("ltx-2.3", 3), ("ltx-2.3-distilled", 1), ("ltx-2.5", 1)],
)
def test_the_guidances_of_an_entry_cost_what_they_should(ltx2, name, passes_a_step):
    defaults = Zoo.load(overlays=False)[name].defaults
    num_steps = 8 if passes_a_step == 1 else 2
    options = {"num_inference_steps": num_steps, "guidance_scale": defaults.guidance_scale}
    seen = []
    hook = ltx2.pipe.transformer.register_forward_hook(lambda *_: seen.append(1))
    with quiet():
        arguments = ltx2.arguments(**options) | defaults.further_arguments(num_steps)
        ltx2.adapter.denoise(ltx2.pipe, arguments)
    hook.remove()

    assert len(seen) == num_steps * passes_a_step


def test_sigmas_of_a_distilled_model_hold_for_their_number_of_steps():
    defaults = Zoo.load(overlays=False)["ltx-2.5"].defaults

    assert len(defaults.further_arguments(8)["sigmas"]) == 8
    assert "sigmas" not in defaults.further_arguments(4)


def test_latents_without_sound_are_a_silent_film(ltx2):
    assert ltx2.adapter.sound(ltx2.pipe, Latents(ours(ltx2).video)) is None


def test_latents_of_sound_that_do_not_fit_are_an_error_with_a_message(ltx2):
    latents = Latents(ours(ltx2).video, torch.zeros(1, 7, 3, 5))

    with pytest.raises(GenerationError, match="LTX2Pipeline failed"):
        ltx2.adapter.sound(ltx2.pipe, latents)


@pytest.mark.parametrize(
    ("call", "num_passes"),
    [
        ({}, 3),  # a doubled one for the prompts, one for STG, one without the other modality
        ({"stg_scale": 0.0, "audio_stg_scale": 0.0}, 2),
        ({"modality_scale": 1.0, "audio_modality_scale": 1.0}, 2),
    ],
)
def test_each_further_guidance_costs_a_pass_of_the_denoiser(ltx2, call, num_passes):
    seen = []
    hook = ltx2.pipe.transformer.register_forward_hook(lambda *_: seen.append(1))
    with quiet():
        ltx2.adapter.denoise(ltx2.pipe, {**ltx2.arguments(), **call})
    hook.remove()

    assert len(seen) == 2 * num_passes
