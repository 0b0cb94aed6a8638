"""A model in two places: a base model, and a motion adapter that has a repository of its own."""

import pytest

from t2v.errors import DocumentError, ModelError, UnsafeModelError
from t2v.zoo.cache import locate
from t2v.zoo.hub import pull
from t2v.zoo.revisions import locked_revision
from tests.zoo.making import write_json, write_weights

BASE, MOTION, LORA = "org/base", "org/motion", "org/lora"

ENTRY = """
models:
  moving:
    family: animatediff
    pipeline: AnimateDiffPipeline
    repo: org/base
    repo_pipeline: StableDiffusionPipeline
    unused: [safety_checker, feature_extractor]
    parts: {motion_adapter: {repo: org/motion}}
    loras: [{repo: org/lora, file: loras/style.safetensors, scale: 0.8}]
    classes: {motion_adapter: [MotionAdapter]}
    frames: {native: 16}
    sizes: {native: [[64, 64]]}
    fps: 8
    license: mit
    commercial: "yes"
"""


@pytest.fixture
def served(hub, tmp_path):
    """The three repositories, on the Hub."""
    base, motion, lora = tmp_path / "base", tmp_path / "motion", tmp_path / "lora"
    parts = {
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
    }
    write_json(base / "model_index.json", {"_class_name": "StableDiffusionPipeline", **parts})
    write_json(base / "scheduler/scheduler_config.json", {})
    write_json(base / "tokenizer/tokenizer.json", {})
    write_json(base / "feature_extractor/preprocessor_config.json", {})
    for part in ("text_encoder", "unet", "vae", "safety_checker"):
        write_json(base / part / "config.json", {})
        write_weights(base / part / "model.safetensors")
    write_json(motion / "config.json", {"_class_name": "MotionAdapter"})
    write_weights(motion / "diffusion_pytorch_model.safetensors")
    write_weights(motion / "something_else.safetensors")
    write_weights(lora / "loras/style.safetensors")
    write_weights(lora / "loras/other.safetensors")
    for repo, folder, letter in ((BASE, base, "a"), (MOTION, motion, "b"), (LORA, lora, "c")):
        hub.add(repo, folder, letter * 40)
    return hub


def test_all_of_it_is_fetched_and_nothing_else(served, catalog):
    spec = catalog(ENTRY)["moving"]

    folder = pull(spec)

    fetched = set(served.fetched())
    assert {
        "config.json",
        "diffusion_pytorch_model.safetensors",
        "loras/style.safetensors",
    } < fetched
    assert not any(name.startswith(("safety_checker", "feature_extractor")) for name in fetched)
    assert not {"something_else.safetensors", "loras/other.safetensors"} & fetched
    assert locate(spec) == folder


def test_every_repository_is_locked_to_its_commit(served, catalog):
    pull(catalog(ENTRY)["moving"])

    assert [locked_revision(repo) for repo in (BASE, MOTION, LORA)] == [
        "a" * 40,
        "b" * 40,
        "c" * 40,
    ]


def test_a_model_without_its_motion_adapter_is_not_here(served, catalog):
    spec = catalog(ENTRY)["moving"]
    folder = pull(spec)
    weights = folder.parents[2] / "models--org--motion" / "snapshots" / ("b" * 40)
    (weights / "diffusion_pytorch_model.safetensors").unlink()

    assert locate(spec) is None
    pull(spec)
    assert locate(spec) == folder


def test_a_motion_adapter_that_is_something_else_is_refused(served, catalog, tmp_path):
    write_json(tmp_path / "motion/config.json", {"_class_name": "ControlNetModel"})

    with pytest.raises(UnsafeModelError, match="'ControlNetModel', expected MotionAdapter"):
        pull(catalog(ENTRY)["moving"])


def test_a_motion_adapter_of_pickles_is_not_fetched(served, catalog, tmp_path):
    motion = tmp_path / "motion"
    (motion / "diffusion_pytorch_model.safetensors").rename(motion / "diffusion_pytorch_model.bin")

    with pytest.raises(UnsafeModelError, match="org/motion has only pickles"):
        pull(catalog(ENTRY)["moving"])
    assert "diffusion_pytorch_model.bin" not in served.fetched()


def test_a_lora_that_is_not_in_its_repository_is_named(served, catalog, tmp_path):
    (tmp_path / "lora/loras/style.safetensors").unlink()

    with pytest.raises(ModelError, match=r"org/lora lacks loras/style\.safetensors"):
        pull(catalog(ENTRY)["moving"])


def test_a_base_model_of_another_kind_is_refused(served, catalog, tmp_path):
    write_json(tmp_path / "base/model_index.json", {"_class_name": "FluxPipeline"})

    with pytest.raises(
        UnsafeModelError, match="'FluxPipeline', expected 'StableDiffusionPipeline'"
    ):
        pull(catalog(ENTRY)["moving"])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("{repo: org/motion}", "{}", "needs one of repo and folder"),
        ("classes: {motion_adapter: [MotionAdapter]}", "tags: [a]", "needs its class"),
        ("file: loras/style.safetensors", "file: ../style.safetensors", "file"),
        ("file: loras/style.safetensors", "file: style.bin", "file"),
    ],
)
def test_a_part_that_says_too_little_or_too_much_is_a_fault(catalog, before, after, message):
    with pytest.raises(DocumentError, match=message):
        catalog(ENTRY.replace(before, after))


def test_the_shipped_models_say_what_their_parts_are(zoo):
    for spec in zoo.values():
        assert set(spec.parts) <= set(spec.components or spec.parts), spec.name
        assert all(part.repo for part in spec.elsewhere), spec.name
