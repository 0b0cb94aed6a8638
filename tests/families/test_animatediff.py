"""AnimateDiff: a base model in one place, a motion adapter in another."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AnimateDiffPipeline, AutoencoderKL, MotionAdapter, StableDiffusionPipeline
from safetensors.torch import save_file

from t2v.errors import RequestError, UnsafeModelError, WeightsMissingError
from t2v.families import adapter_for
from t2v.plan.options import Options
from t2v.plan.resolve import resolve
from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.runtime.scheduler import set_scheduler
from t2v.testing import tiny_options
from t2v.testing.stable_diffusion import motion_adapter, stable_diffusion_parts
from t2v.zoo.cache import locate
from t2v.zoo.catalog import Zoo
from t2v.zoo.documents import parse_yaml
from t2v.zoo.spec import ModelSpec
from tests.families.conftest import Model

ENTRY = """
models:
  mine:
    family: animatediff
    pipeline: AnimateDiffPipeline
    folder: {base}
    repo_pipeline: StableDiffusionPipeline
    unused: [safety_checker, feature_extractor, image_encoder]
    parts: {parts}
    classes: {{motion_adapter: [MotionAdapter], vae: [AutoencoderKL]}}
    frames: {{native: 16, max: 32}}
    sizes: {{multiple: 8, native: [[16, 16]]}}
    fps: 8
    license: mit
    commercial: "yes"
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> tuple[Path, Path]:
    """A folder of Stable Diffusion, and one of a motion adapter."""
    root = tmp_path_factory.mktemp("places")
    torch.manual_seed(0)
    with quiet():
        base = StableDiffusionPipeline(
            **stable_diffusion_parts(), safety_checker=None, feature_extractor=None
        )
        base.save_pretrained(root / "base")
        motion_adapter().save_pretrained(root / "motion")
    return root / "base", root / "motion"


def entry(base: Path, parts: str) -> ModelSpec:
    text = ENTRY.format(base=base, parts=parts)
    return Zoo.of([parse_yaml(text, "models.yaml")])["mine"]


def loaded(spec: ModelSpec):
    with quiet():
        return load_pipeline(Path(str(spec.folder)), spec)


def test_a_base_model_and_a_motion_adapter_become_one_pipeline(places):
    base, motion = places
    spec = entry(base, f"{{motion_adapter: {{folder: {motion}}}}}")
    mine = Model(spec, loaded(spec), adapter_for(spec), tiny_options("animatediff"))

    with quiet():
        theirs = AnimateDiffPipeline.from_pretrained(
            base, motion_adapter=MotionAdapter.from_pretrained(motion)
        )
    theirs.set_progress_bar_config(disable=True)

    expected = Model(spec, theirs, mine.adapter, mine.options).direct()
    np.testing.assert_array_equal(mine.ours(), expected)


def test_a_part_can_be_one_file_in_the_configuration_of_its_class(places, tmp_path):
    base, motion = places
    vae = AutoencoderKL()
    save_file(vae.state_dict(), tmp_path / "vae.safetensors")
    part = f"{{folder: {tmp_path}, file: vae.safetensors}}"
    spec = entry(base, f"{{motion_adapter: {{folder: {motion}}}, vae: {part}}}")

    found = loaded(spec).vae

    assert found.config.block_out_channels == [64] or found.config.block_out_channels == (64,)
    assert all(torch.equal(found.state_dict()[k], value) for k, value in vae.state_dict().items())


def test_a_model_whose_motion_adapter_is_missing_is_not_here(places, tmp_path):
    spec = entry(places[0], f"{{motion_adapter: {{folder: {tmp_path / 'nothing'}}}}}")

    assert locate(spec) is None
    with pytest.raises(WeightsMissingError, match="files of motion_adapter are missing"):
        loaded(spec)


def test_a_part_of_another_class_is_refused(places, tmp_path):
    AutoencoderKL().save_pretrained(tmp_path)
    spec = entry(places[0], f"{{motion_adapter: {{folder: {tmp_path}}}}}")

    with pytest.raises(UnsafeModelError, match=r"is a 'AutoencoderKL', expected MotionAdapter"):
        loaded(spec)


def test_a_part_with_nothing_but_a_pickle_is_refused(places, tmp_path):
    motion_adapter().save_pretrained(tmp_path, safe_serialization=False)
    spec = entry(places[0], f"{{motion_adapter: {{folder: {tmp_path}}}}}")

    with pytest.raises(UnsafeModelError, match="no safetensors weights for 'motion_adapter'"):
        loaded(spec)


def test_more_frames_than_the_motion_adapter_has_places_for_take_windows(load_tiny):
    spec = Zoo.load(overlays=False)["animatediff-v2"]

    request, _ = resolve(spec, "a fox", [("flag", Options(num_frames=40))])

    assert request.long is not None
    assert request.long.method == "windows"
    assert all(window.length == 16 for shot in request.long.shots for window in shot.windows)


def test_more_frames_than_fit_in_one_clip_are_refused_where_one_is_wanted():
    spec = Zoo.load(overlays=False)["animatediff-v2"]

    with pytest.raises(RequestError, match="32"):
        resolve(spec, "a fox", [("flag", Options(num_frames=40, method="native"))])


@pytest.mark.parametrize(
    ("name", "steps", "guidance", "scheduler", "settings"),
    [
        (
            "animatediff-v2",
            25,
            7.5,
            "DDIMScheduler",
            {"beta_schedule": "linear", "steps_offset": 1},
        ),
        (
            "animatediff-lightning-4step",
            4,
            1.0,
            "EulerDiscreteScheduler",
            {"timestep_spacing": "trailing", "beta_schedule": "linear"},
        ),
        ("animatelcm", 6, 1.5, "LCMScheduler", {"beta_schedule": "linear"}),
    ],
)
def test_distilled_kin_bring_their_steps_guidance_and_scheduler(
    load_tiny, name, steps, guidance, scheduler, settings
):
    spec = Zoo.load(overlays=False)[name]
    pipe = load_tiny("animatediff").pipe

    request, _ = resolve(spec, "a fox", [])
    set_scheduler(pipe, spec.defaults.scheduler, None, spec.defaults.scheduler_config)

    assert (request.num_inference_steps, request.guidance_scale) == (steps, guidance)
    assert type(pipe.scheduler).__name__ == scheduler
    assert {key: pipe.scheduler.config[key] for key in settings} == settings


def test_other_steps_and_guidance_than_a_distilled_model_learned_are_said():
    spec = Zoo.load(overlays=False)["animatediff-lightning-4step"]

    _, notes = resolve(spec, "a", [("flag", Options(num_inference_steps=25, guidance_scale=7.5))])

    assert "animatediff-lightning-4step is distilled to 4 steps; 25 may look worse" in notes
    assert any("guidance in its weights; 7.5 takes twice as long" in note for note in notes)
    assert not any("distilled" in note for note in resolve(spec, "a", [])[1])


def test_the_scheduler_of_lcm_runs(load_tiny):
    model = load_tiny("animatediff")
    set_scheduler(model.pipe, "LCMScheduler", None, {"beta_schedule": "linear"})

    np.testing.assert_array_equal(model.ours(guidance_scale=1.5), model.direct(guidance_scale=1.5))


def test_the_vae_of_xl_decodes_in_float32_where_float16_would_overflow(load_tiny):
    # diffusers 0.42.1 itself fails here: it lifts half of the VAE and leaves the other half.
    model = load_tiny("animatediff-sdxl", torch.float16)
    assert model.pipe.vae.config.force_upcast
    latents = model.adapter.denoise(model.pipe, model.arguments())

    frames = np.stack(list(model.adapter.decode(model.pipe, latents)))

    assert model.pipe.vae.dtype == torch.float16
    model.pipe.vae.to(torch.float32)
    scaled = latents.video.float() / model.pipe.vae.config.scaling_factor
    with torch.no_grad():
        expected = model.pipe.vae.decode(scaled[0].transpose(0, 1)).sample
    expected = (expected / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(frames, expected, atol=1e-5)


def test_more_frames_than_are_decoded_at_once_are_equal_too(load_tiny):
    model = load_tiny("animatediff")

    np.testing.assert_array_equal(model.ours(num_frames=20), model.direct(num_frames=20))
