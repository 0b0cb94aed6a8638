"""Cosmos: no clip leaves without having passed the guardrail, and guidance is counted from 0."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers.models.transformers import transformer_cosmos
from diffusers.pipelines.cosmos import (
    pipeline_cosmos2_5_predict,
    pipeline_cosmos3_omni,
)

import t2v
from t2v.errors import DependencyMissingError, GenerationError, RequestError
from t2v.families import cosmos as family
from t2v.families import cosmos3 as family_3
from t2v.runtime.adapter import Latents
from t2v.runtime.quiet import quiet
from t2v.testing import cosmos
from t2v.zoo.spec import FrameRule, ModelSpec, Sizes
from tests.families.conftest import Model

KINDS = {
    "1.0": (cosmos.cosmos, family.adapter, "CosmosTextToWorldPipeline", 17),
    "2.5": (cosmos.cosmos_2_5, family.adapter, "Cosmos2_5_PredictBasePipeline", 9),
    "3": (cosmos.cosmos3, family_3.adapter, "Cosmos3OmniPipeline", 9),
}


def nearest(picture, size, interpolation=None):
    return torch.nn.functional.interpolate(picture, size=tuple(size), mode="nearest")


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    """The two packages of Cosmos, as far as its pipelines use them."""
    for module in (pipeline_cosmos2_5_predict, pipeline_cosmos3_omni):
        monkeypatch.setattr(module, "CosmosSafetyChecker", cosmos.Guardrail)
    transforms = SimpleNamespace(
        functional=SimpleNamespace(resize=nearest),
        InterpolationMode=SimpleNamespace(NEAREST="nearest"),
    )
    monkeypatch.setattr(transformer_cosmos, "transforms", transforms, raising=False)


@pytest.fixture
def make():
    """A tiny Cosmos of a kind, never loaded from files: those would bring the real guardrail."""

    def build(kind, **further):
        builder, adapter, pipeline, num_frames = KINDS[kind]
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(0)
            pipe = builder(**further)
        for part in pipe.components.values():
            if isinstance(part, torch.nn.Module):
                part.eval().requires_grad_(False)
        pipe.set_progress_bar_config(disable=True)
        spec = ModelSpec(
            name=f"tiny-cosmos-{kind}",
            family=adapter.family,
            pipeline=pipeline,
            license="x",
            commercial="yes",
            sizes=Sizes(native=((32, 32),)),
            frames=FrameRule(native=num_frames),
            fps="8",
        )
        options = {"num_frames": num_frames, "width": 48, "height": 32, "num_inference_steps": 2}
        options |= {"guidance_scale": 3.0, "negative_prompt": "blurry"}
        return Model(spec, pipe, adapter, options)

    return build


def direct(model, **changes):
    with quiet():
        output = model.pipe(**model.arguments(**changes), output_type="np")
    return output.frames[0] if "frames" in output else output.video


@pytest.mark.parametrize("kind", KINDS)
def test_frames_equal_those_of_a_direct_call(make, kind):
    model = make(kind)
    frames = model.ours()

    assert frames.dtype == np.float32
    assert np.ptp(frames) > 0.1
    np.testing.assert_array_equal(frames, direct(model))


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_is_equal_too(make, kind):
    model = make(kind)
    for part in ("transformer", "vae", "text_encoder"):
        if hasattr(model.pipe, part):
            with quiet():
                getattr(model.pipe, part).to(torch.bfloat16)

    np.testing.assert_array_equal(model.ours(), direct(model))


@pytest.mark.parametrize(("kind", "num_frames"), [("1.0", 9), ("2.5", 17), ("3", 1), ("3", 17)])
def test_other_lengths_are_equal_too(make, kind, num_frames):
    model = make(kind)

    np.testing.assert_array_equal(
        model.ours(num_frames=num_frames), direct(model, num_frames=num_frames)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_prompt_and_clip_pass_the_guardrail(make, kind):
    model = make(kind)
    frames = model.ours()

    assert model.pipe.safety_checker.prompts == ["a red boat"]
    assert model.pipe.safety_checker.num_clips == 1
    assert frames.max() < 0.5  # the stand-in halves every value


@pytest.mark.parametrize("kind", KINDS)
def test_frames_decoded_in_pieces_pass_the_guardrail_as_one_clip(make, kind):
    model = make(kind)
    with quiet():
        video = model.adapter.denoise(model.pipe, model.arguments()).video
        frames = np.stack(list(model.adapter.decode_stream(model.pipe, iter(video.split(1, 2)))))

    assert model.pipe.safety_checker.num_clips == 1
    np.testing.assert_array_equal(frames, direct(model))


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_that_the_guardrail_blocks_is_no_video(make, kind):
    model = make(kind)
    model.pipe.safety_checker.lets_clips_pass = False

    with pytest.raises(GenerationError, match="guardrail of Cosmos blocked the video"):
        model.ours()


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_that_the_guardrail_refuses_is_not_made(make, kind):
    model = make(kind)
    model.pipe.safety_checker.lets_prompts_pass = False

    with pytest.raises(GenerationError, match="Guardrail detected unsafe text"):
        model.ours()
    assert model.pipe.safety_checker.num_clips == 0


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_guardrail_nothing_is_made_and_nothing_decoded(make, kind):
    model = make(kind)
    latents = model.adapter.denoise(model.pipe, model.arguments())
    model.pipe.safety_checker = None

    with pytest.raises(RequestError, match=r"without the guardrail.*license asks for"):
        model.arguments()
    with pytest.raises(RequestError, match="without the guardrail"):
        list(model.adapter.decode(model.pipe, latents))


def test_a_folder_cannot_be_loaded_without_the_packages(make, tmp_path):
    with quiet():
        make("1.0").pipe.save_pretrained(tmp_path / "cosmos")

    with pytest.raises(DependencyMissingError, match=r"pip install cosmos_guardrail torchvision$"):
        t2v.load(tmp_path / "cosmos")


@pytest.mark.parametrize("kind", ["1.0", "2.5"])
def test_without_torchvision_the_message_names_it(make, kind, monkeypatch):
    monkeypatch.delattr(transformer_cosmos, "transforms")

    with pytest.raises(DependencyMissingError, match="pip install torchvision"):
        make(kind).ours()


@pytest.mark.parametrize("kind", ["1.0", "2.5"])
def test_guidance_is_counted_from_0_and_passed_on_as_it_is(make, kind):
    model = make(kind)
    passes = []
    hook = model.pipe.transformer.register_forward_hook(lambda *_: passes.append(1))
    for scale in (3.0, 1.0):
        assert model.arguments(guidance_scale=scale)["guidance_scale"] == scale
        with quiet():
            model.adapter.denoise(model.pipe, model.arguments(guidance_scale=scale))
    hook.remove()

    assert len(passes) == 4 + 2  # two steps with two passes each, then with one


def test_the_statistics_of_the_first_vae_differ_from_frame_to_frame(make):
    model = make("1.0")
    latents = torch.ones(1, 4, 3, 4, 6)
    scaled = model.adapter.unpack(model.pipe, latents, {})

    assert scaled[0, 0, :, 0, 0].tolist() == pytest.approx([2.0, 2.3, 2.6])


def test_the_first_cosmos_makes_no_windows_and_says_why(make):
    model = make("1.0")

    with pytest.raises(RequestError, match=r"statistics for 16 latent frames.*121 frames or fewer"):
        model.adapter.layout(model.pipe, model.arguments())


@pytest.mark.parametrize("kind", ["2.5", "3"])
def test_the_layout_is_that_of_the_steps(make, kind):
    model = make(kind)
    arguments, shapes = model.arguments(), []
    layout, step = model.adapter.layout(model.pipe, arguments), model.pipe.scheduler.step

    def look(*args, **kwargs):
        result = step(*args, **kwargs)
        shapes.append(tuple(result[0].shape))
        return result

    model.pipe.scheduler.step = look
    noise = torch.randn(layout.noise_layout.shape)
    with quiet():
        # Cosmos 3 steps a copy of the scheduler for its sound.
        model.pipe(**arguments | silent(kind), latents=noise, output_type="latent")
    assert set(shapes) == {layout.shape}


def silent(kind):
    return {"enable_sound": False} if kind == "3" else {}


def test_cosmos_3_makes_sound_as_long_as_the_pictures_to_within_a_frame(make):
    model = make("3")
    with quiet():
        expected = model.pipe(**model.arguments(), output_type="np").sound
        sound = model.adapter.sound(
            model.pipe, model.adapter.denoise(model.pipe, model.arguments())
        )

    assert (sound.rate, sound.channels) == (16000, 2)
    assert abs(sound.duration_s - 9 / 8) < 1 / 8
    np.testing.assert_array_equal(sound.samples.T, expected.numpy())


def test_a_cosmos_3_without_sound_makes_a_silent_film(make):
    model = make("3", sound=False)

    assert model.arguments()["enable_sound"] is False
    with quiet():
        latents = model.adapter.denoise(model.pipe, model.arguments())
    assert latents.audio is None
    assert model.adapter.sound(model.pipe, Latents(latents.video)) is None
