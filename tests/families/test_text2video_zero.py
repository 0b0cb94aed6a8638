"""Text2Video-Zero: an image model, called whole, that returns pictures."""

import numpy as np
import pytest
import torch

from t2v.errors import RequestError
from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.testing import tiny_pipeline, tiny_spec
from t2v.zoo.catalog import Zoo


@pytest.fixture
def spec():
    return Zoo.load(overlays=False)["text2video-zero-sd15"]


def test_a_folder_saved_without_a_safety_checker_loads_again_and_says_nothing(tmp_path):
    folder = tiny_pipeline("text2video-zero", tmp_path / "zero")

    with quiet() as heard:
        pipe = load_pipeline(folder, tiny_spec("text2video-zero", folder))

    assert pipe.safety_checker is None
    # Neither that the class is deprecated nor anything else.
    assert [line for line in heard if "safety checker" not in line] == []


def test_fewer_steps_than_the_first_frame_needs_are_refused_by_the_plan(spec):
    with pytest.raises(RequestError, match="needs at least 48 steps, and 20 were asked for"):
        resolve(spec, "a fox", [("flag", Options(num_inference_steps=20))])


def test_fewer_steps_than_that_are_refused_by_the_pipeline_of_a_library_call(load_tiny):
    model = load_tiny("text2video-zero")

    with pytest.raises(RequestError, match="needs more than 47 steps, and 47 were asked for"):
        model.ours(num_inference_steps=47)


def test_every_step_is_heard_once(load_tiny):
    model = load_tiny("text2video-zero")
    heard = []

    with quiet():
        model.adapter.denoise(
            model.pipe, model.arguments(), lambda step, of: heard.append((step, of))
        )

    # 48 of the first frame, and again those from 47 to 44 before the end, with all frames.
    assert heard == [(step, 51) for step in range(52)]


def test_a_call_without_guidance_is_refused(load_tiny):
    model = load_tiny("text2video-zero")

    with pytest.raises(RequestError, match="cannot run without guidance"):
        model.ours(guidance_scale=1.0)


def test_one_frame_is_no_video(load_tiny, spec):
    request, notes = resolve(spec, "a fox", [("flag", Options(num_frames=1))])
    assert request.num_frames == 2
    assert any("at least 2 frames" in note for note in notes)

    with pytest.raises(RequestError, match="makes 2 frames or more"):
        load_tiny("text2video-zero").ours(num_frames=1)


def test_xl_is_refused_in_the_one_format_in_which_its_vae_fails(load_tiny):
    with pytest.raises(RequestError, match="cannot decode in float16"):
        load_tiny("text2video-zero-sdxl", torch.float16).ours()


def test_the_layers_look_at_their_own_frame_again_after_a_video(load_tiny):
    model = load_tiny("text2video-zero-sdxl")
    before = {type(p).__name__ for p in model.pipe.unet.attn_processors.values()}

    frames = model.ours()

    assert frames.shape == (2, 16, 16, 3)
    assert np.isfinite(frames).all()
    assert {type(p).__name__ for p in model.pipe.unet.attn_processors.values()} == before


def test_it_makes_no_windows_and_says_so(load_tiny):
    model = load_tiny("text2video-zero")

    with pytest.raises(RequestError, match="windows"):
        model.adapter.layout(model.pipe, model.arguments())
