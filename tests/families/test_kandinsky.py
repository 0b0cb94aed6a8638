"""Kandinsky 5 and 6: channels last, sparse attention, and sound from the same call."""

import numpy as np
import pytest
import torch
from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

from t2v.errors import RequestError
from t2v.runtime.quiet import quiet


@pytest.fixture(scope="module")
def kandinsky5(load_tiny):
    return load_tiny("kandinsky-5")


@pytest.fixture(scope="module")
def nabla(load_tiny):
    return load_tiny("kandinsky-5-nabla")


@pytest.fixture(scope="module")
def kandinsky6(load_tiny):
    return load_tiny("kandinsky-6")


def denoised(model, **changes):
    with quiet():
        return model.adapter.denoise(model.pipe, model.arguments(**changes))


def test_latents_have_channels_before_frames(kandinsky5):
    assert denoised(kandinsky5, num_frames=9).video.shape == (1, 16, 3, 4, 4)


def test_a_clip_longer_than_a_tile_of_the_vae_is_equal_too(kandinsky5):
    np.testing.assert_array_equal(kandinsky5.ours(num_frames=33), kandinsky5.direct(num_frames=33))


@pytest.mark.parametrize("name", ["kandinsky-5", "kandinsky-6"])
def test_latents_in_pieces_are_decoded_as_the_clip(load_tiny, name):
    model = load_tiny(name)
    video = denoised(model, num_frames=33).video
    with quiet():
        frames = list(model.adapter.decode_stream(model.pipe, iter(video.split(2, dim=2))))

    np.testing.assert_array_equal(np.stack(frames), model.direct(num_frames=33))


@pytest.mark.parametrize("name", ["kandinsky-5", "kandinsky-6"])
def test_half_precision_is_equal_too(load_tiny, name):
    model = load_tiny(name, torch.bfloat16)

    np.testing.assert_array_equal(model.ours(), model.direct())


@pytest.mark.parametrize("size", [{"width": 144}, {"height": 64}])
def test_sparse_attention_refuses_a_size_that_its_call_would_fail_on(nabla, size):
    with pytest.raises(RequestError, match=r"sparse attention.*multiples of 128"):
        nabla.arguments(**size)


def test_without_sparse_attention_a_multiple_of_16_is_enough(kandinsky5):
    assert kandinsky5.arguments(width=48)["width"] == 48


def test_sparse_attention_has_its_backend_and_other_models_keep_theirs(nabla, kandinsky5):
    before = _AttentionBackendRegistry._active_backend
    denoised(nabla)

    assert backends(nabla) == {AttentionBackendName.FLEX}
    assert backends(kandinsky5) == {None}
    assert _AttentionBackendRegistry._active_backend == before


def backends(model):
    modules = model.pipe.transformer.modules()
    return {m.processor._attention_backend for m in modules if hasattr(m, "processor")}


def test_noise_is_drawn_for_fewer_channels_than_the_steps_have(kandinsky5):
    layout = kandinsky5.adapter.layout(kandinsky5.pipe, kandinsky5.arguments(num_frames=9))

    assert (layout.shape, layout.frame_axis) == ((1, 3, 4, 4, 33), 1)
    assert layout.noise_layout.shape == (1, 3, 4, 4, 16)
    assert not layout.takes_latents


def test_the_layout_is_that_of_the_steps(load_tiny):
    for name in ("kandinsky-5", "kandinsky-6", "sana-video", "sana-video-720p"):
        model = load_tiny(name)
        shapes = []

        def look(pipe, index, timestep, tensors, shapes=shapes):
            shapes.append(tuple(tensors["latents"].shape))
            return tensors

        arguments = model.arguments()
        with quiet():
            model.pipe(**arguments, callback_on_step_end=look, output_type="latent")
        assert set(shapes) == {model.adapter.layout(model.pipe, arguments).shape}


def test_noise_given_in_the_layout_of_the_noise_is_taken_as_it_is(kandinsky6):
    arguments = kandinsky6.arguments()
    layout = kandinsky6.adapter.layout(kandinsky6.pipe, arguments)
    noise = torch.randn(layout.noise_layout.shape)
    first = []

    def look(module, args, kwargs):
        first.append(kwargs["hidden_states"][..., :16].permute(0, 4, 1, 2, 3))

    hook = kandinsky6.pipe.transformer.register_forward_pre_hook(look, with_kwargs=True)
    with quiet():
        kandinsky6.adapter.denoise(kandinsky6.pipe, {**arguments, "latents": noise})
    hook.remove()

    torch.testing.assert_close(first[0], noise, rtol=0, atol=0)


def test_sound_equals_that_of_a_direct_call(kandinsky6):
    sound = kandinsky6.adapter.sound(kandinsky6.pipe, denoised(kandinsky6))
    with quiet():
        expected = kandinsky6.pipe(**kandinsky6.arguments(), output_type="np").audio[0]

    assert (sound.rate, sound.samples.shape) == (44100, (50176, 1))
    np.testing.assert_array_equal(sound.samples[:, 0], expected)


def test_sound_is_as_long_as_the_pictures_to_within_a_frame(kandinsky6):
    sound = kandinsky6.adapter.sound(kandinsky6.pipe, denoised(kandinsky6))

    assert abs(sound.duration_s - 9 / 8) < 1 / 8


def test_a_repository_without_the_parts_for_sound_makes_a_silent_film(load_tiny):
    model = load_tiny("kandinsky-6-silent")
    latents = denoised(model)

    assert model.arguments()["sample_audio"] is False
    assert latents.audio is None
    assert model.adapter.sound(model.pipe, latents) is None
