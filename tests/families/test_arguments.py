"""Each family is asked in its own words."""

from fractions import Fraction

import pytest
from diffusers import LTXPipeline

from t2v.errors import ModelError, RequestError
from t2v.families import adapter_for


def call(model, **changes):
    return model.adapter.call_arguments(model.pipe, model.request(**changes))


def test_a_request_becomes_a_call(wan):
    assert call(wan, max_sequence_length=64) == {
        "prompt": "a red boat",
        "negative_prompt": "blurry",
        "width": 16,
        "height": 16,
        "num_frames": 5,
        "num_inference_steps": 2,
        "guidance_scale": 3.0,
        "max_sequence_length": 64,
    }


def test_what_nobody_decided_is_left_to_the_pipeline(wan):
    undecided = {"negative_prompt": None, "num_inference_steps": None, "guidance_scale": None}

    assert set(call(wan, **undecided)) == {"prompt", "width", "height", "num_frames"}


def test_wan_with_two_denoisers_takes_two_guidance_scales(load_tiny):
    assert call(load_tiny("wan-2.2"), guidance_scale_2=3.5)["guidance_scale_2"] == 3.5


def test_wan_with_one_denoiser_refuses_a_second_guidance_scale(wan):
    with pytest.raises(RequestError, match=r"has one denoiser.*--guidance-scale-2"):
        call(wan, guidance_scale_2=3.5)


def test_ltx_is_told_the_frame_rate(load_tiny):
    assert call(load_tiny("ltx"))["frame_rate"] == 8


def test_a_frame_rate_that_is_no_whole_number_is_told_as_it_is(load_tiny):
    model = load_tiny("ltx")
    request = model.request()
    ntsc = type(request)(
        prompt="a", model="m", width=64, height=64, num_frames=9, seed=1, fps=Fraction(24000, 1001)
    )

    assert model.adapter.call_arguments(model.pipe, ntsc)["frame_rate"] == pytest.approx(
        23.976, abs=1e-3
    )


def test_only_an_ltx_decoder_that_takes_a_timestep_gets_one(load_tiny):
    assert "decode_timestep" not in call(load_tiny("ltx"))
    assert call(load_tiny("ltx-0.9.5"))["decode_timestep"] == 0.05


def test_latte_calls_the_number_of_frames_video_length(load_tiny):
    assert call(load_tiny("latte"))["video_length"] == 16


class NeedsAnImage(LTXPipeline):
    """A pipeline whose call cannot do without a picture."""

    def __call__(self, image, prompt, num_frames=9, height=64, width=64):
        raise NotImplementedError


def test_a_pipeline_that_needs_more_than_a_prompt_says_what(load_tiny):
    model = load_tiny("ltx")
    pipe = NeedsAnImage(**model.pipe.components)

    with pytest.raises(RequestError, match=r"NeedsAnImage also needs image.*a prompt alone"):
        model.adapter.call_arguments(pipe, model.request())


class MakesPictures(LTXPipeline):
    """A pipeline without time."""

    def __call__(self, prompt, height=64, width=64):
        raise NotImplementedError


def test_a_pipeline_without_frames_is_no_video_pipeline(load_tiny):
    model = load_tiny("ltx")
    pipe = MakesPictures(**model.pipe.components)

    with pytest.raises(RequestError, match="does not take a number of frames"):
        model.adapter.call_arguments(pipe, model.request())


def test_a_pipeline_that_refuses_is_quoted(wan):
    arguments = {**wan.arguments(), "height": 17}

    with pytest.raises(RequestError, match=r"WanPipeline refuses the request.*divisible by 16"):
        wan.adapter.denoise(wan.pipe, arguments)


def test_a_pipeline_that_fails_is_quoted(load_tiny):
    latte = load_tiny("latte")

    with pytest.raises(Exception, match=r"LattePipeline failed with RuntimeError.*size"):
        latte.ours(num_frames=8)


def test_a_family_without_a_module_is_named(wan):
    spec = wan.spec.model_copy(update={"family": "walrus"})

    with pytest.raises(ModelError, match=r"'walrus'.*no module t2v.families.walrus"):
        adapter_for(spec)


def test_a_pipeline_of_another_family_is_refused(wan):
    spec = wan.spec.model_copy(update={"family": "ltx"})

    with pytest.raises(ModelError, match="is a WanPipeline; the family ltx has LTXPipeline"):
        adapter_for(spec)


def test_a_dotted_family_is_the_users_own_module(wan, tmp_path, monkeypatch):
    (tmp_path / "my_models").mkdir()
    module = tmp_path / "my_models" / "seal.py"
    module.write_text("from t2v.families.wan import adapter as wan\nadapter = wan\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = wan.spec.model_copy(update={"family": "my_models.seal"})

    assert adapter_for(spec) is adapter_for(wan.spec)
