"""Helios: whole chunks from the pipeline, the frames that were asked for from us."""

import sys

import numpy as np
import pytest

import t2v
from t2v.errors import DependencyMissingError, RequestError
from t2v.runtime.quiet import quiet
from t2v.testing import tiny_options, tiny_pipeline


@pytest.fixture(scope="module")
def helios(load_tiny):
    return load_tiny("helios")


@pytest.fixture(scope="module")
def pyramid(load_tiny):
    return load_tiny("helios-pyramid")


def steps_of(model, **changes):
    heard = []
    with quiet():
        model.adapter.denoise(
            model.pipe, model.arguments(**changes), lambda step, of: heard.append((step, of))
        )
    return heard


def test_two_chunks_are_equal_and_come_in_4_n_plus_1_frames(helios):
    frames = helios.ours(num_frames=37)

    assert len(frames) == 65  # of the 66 that two chunks decode to
    np.testing.assert_array_equal(frames, helios.direct(num_frames=37))


def test_a_video_has_the_frames_that_were_asked_for(helios, tmp_path):
    folder = tiny_pipeline("helios", tmp_path / "helios")
    options = {**tiny_options("helios"), "num_frames": 37, "seed": 3}
    video = t2v.load(folder).generate("a red boat", **options)

    assert video.frames.shape == (37, 16, 16, 3)
    expected = np.round(helios.direct(num_frames=37)[:37] * 255).astype(np.uint8)
    assert np.abs(video.frames.astype(int) - expected).max() <= 1
    assert video.record["warnings"] == []


def test_no_more_is_decoded_than_frames_are_taken(helios):
    latents = helios.adapter.denoise(helios.pipe, helios.arguments(num_frames=66))
    num_latents = 0

    def count(*_):
        nonlocal num_latents
        num_latents += 1

    hook = helios.pipe.vae.decoder.register_forward_hook(count)
    frames = helios.adapter.decode(helios.pipe, latents)
    for _ in range(5):
        next(frames)
    frames.close()
    hook.remove()

    assert (latents.video.shape[2], num_latents) == (18, 2)


@pytest.mark.parametrize("name", ["helios", "helios-distilled"])
def test_nothing_is_decoded_while_it_denoises(load_tiny, name):
    model, num_decoded = load_tiny(name), 0

    def count(*_):
        nonlocal num_decoded
        num_decoded += 1

    hook = model.pipe.vae.decoder.register_forward_hook(count)
    model.adapter.denoise(model.pipe, model.arguments())
    hook.remove()

    assert num_decoded == 0
    assert "decode" not in vars(model.pipe.vae)


@pytest.mark.parametrize("size", [1, 9, 13])
def test_latents_in_pieces_make_the_same_frames(helios, size):
    latents = helios.adapter.denoise(helios.pipe, helios.arguments(num_frames=66))
    whole = np.stack(list(helios.adapter.decode(helios.pipe, latents)))

    pieces = iter(latents.video.split(size, dim=2))
    streamed = np.stack(list(helios.adapter.decode_stream(helios.pipe, pieces)))

    np.testing.assert_array_equal(streamed, whole)


def test_steps_count_on_over_the_chunks(helios):
    assert steps_of(helios, num_frames=37) == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("steps", "shared"), [(3, [1, 1, 1]), (4, [2, 1, 1]), (5, [2, 2, 1]), (60, [20, 20, 20])]
)
def test_steps_are_shared_out_over_the_sizes_of_a_pyramid(pyramid, steps, shared):
    arguments = pyramid.arguments(num_inference_steps=steps)

    assert arguments["pyramid_num_inference_steps_list"] == shared
    assert "num_inference_steps" not in arguments


def test_fewer_steps_than_sizes_are_refused(pyramid):
    with pytest.raises(RequestError, match="at least 3 steps"):
        pyramid.arguments(num_inference_steps=2)


def test_a_size_that_cannot_be_halved_is_refused(pyramid):
    with pytest.raises(RequestError, match=r"multiples of 64; 128x96 is not"):
        pyramid.arguments(height=96)


def test_guidance_of_a_single_patch_is_refused_before_the_first_step(pyramid):
    with pytest.raises(RequestError, match=r"cannot guide frames of 64x64.*larger --size"):
        pyramid.arguments(width=64, height=64)

    assert pyramid.arguments(width=64, height=64, guidance_scale=1.0)["width"] == 64
    assert pyramid.ours(width=128, height=64, num_inference_steps=3).shape[1:3] == (64, 128)


def test_noise_that_a_cpu_cannot_draw_is_refused_before_the_first_step(load_tiny):
    model = load_tiny("helios-pyramid")
    model.pipe.scheduler.register_to_config(gamma=1 / 3)

    with pytest.raises(RequestError, match="does not run on a CPU"):
        model.adapter.denoise(model.pipe, model.arguments())


def test_the_steps_of_a_pyramid_are_all_counted(pyramid):
    assert steps_of(pyramid)[-1] == (4, 4)


def test_a_distilled_model_takes_twice_the_steps_for_its_first_chunk(load_tiny):
    assert steps_of(load_tiny("helios-distilled"))[-1] == (6, 6)


@pytest.mark.parametrize("name", ["helios", "skyreels-v2", "wan-vace"])
def test_a_package_that_a_pipeline_takes_for_granted_is_named(load_tiny, monkeypatch, name):
    model = load_tiny(name)
    monkeypatch.delattr(sys.modules[type(model.pipe).__module__], "ftfy")

    with pytest.raises(DependencyMissingError, match="pip install ftfy"):
        model.adapter.denoise(model.pipe, model.arguments())
