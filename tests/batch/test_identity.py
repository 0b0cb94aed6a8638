"""What makes two videos the same: all that a pixel depends on, and nothing else."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from t2v.batch.planning.identity import job_key, lock_sources
from t2v.errors import DiskError, WeightsMissingError
from t2v.plan.longplan import with_long
from t2v.plan.request import Lora
from t2v.plan.story import parse_story
from t2v.zoo.catalog import Zoo
from t2v.zoo.places import embedded
from t2v.zoo.revisions import lock_revision
from t2v.zoo.spec import ModelSpec
from tests.batch.runs import request_of

COMMIT, OTHER_COMMIT = "a" * 40, "b" * 40
RED = request_of("a red ball", 7, num_inference_steps=20, guidance_scale=6.0)


def hub_model(**values: Any) -> ModelSpec:
    """An entry of a repository."""
    entry = {
        "name": "some-model",
        "family": "wan",
        "pipeline": "WanPipeline",
        "repo": "org/model",
        "revision": COMMIT,
        "license": "apache-2.0",
        "commercial": "yes",
        "sizes": {"native": [[832, 480]]},
        "frames": {"multiple": 4, "plus": 1, "native": 81},
        "fps": 16,
        "defaults": {"call": {"guidance_rescale": 0.7}},
    }
    return ModelSpec.model_validate(entry | values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The embedded model, as a folder of the user."""
    return Path(shutil.copytree(embedded("doodle-128"), tmp_path / "mine"))


def key_of(folder: Path) -> str:
    return job_key(Zoo.load().find(str(folder)), RED)


def test_a_key_stays_what_it_is():
    # Another one would make every batch of every user begin again.
    key = job_key(hub_model(), RED)
    assert key == "7b38bdeaa7718f33cc521677d284f7972c095b8a4eb850c2a3ff93e9a54201ae"


def test_equal_requests_have_equal_keys():
    assert job_key(hub_model(), RED) == job_key(hub_model(), replace(RED))


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "a blue ball"},
        {"prompt": "a red ball "},
        {"negative_prompt": "blurry"},
        {"negative_prompt": ""},
        {"seed": 8},
        {"width": 256},
        {"height": 256},
        {"num_frames": 24},
        {"fps": 12},
        {"num_inference_steps": 21},
        {"num_inference_steps": None},
        {"guidance_scale": 6.000000000000001},
        {"guidance_scale_2": 6.0},
        {"max_sequence_length": 128},
        {"scheduler": "DDIMScheduler"},
        {"flow_shift": 3.0},
        {"dtype": "float16"},
        {"lora": (Lora("org/ink"),)},
        {"noise": "freenoise"},
        {"loop": True},
        {"story": parse_story(["a red ball", "a blue ball"])},
    ],
    ids=str,
)
def test_what_changes_a_pixel_changes_the_key(changed: dict[str, Any]):
    assert job_key(hub_model(), replace(RED, **changed)) != job_key(hub_model(), RED)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "an-alias"},
        {"device": "cuda:3"},
        {"memory": "group"},
        {"order": "lockstep"},
        {"codec": "hevc"},
        {"crf": 30},
        {"metadata": False},
        {"story_file": "/home/ada/story.yaml"},
        {"origins": {"seed": "flag"}},
    ],
    ids=str,
)
def test_where_it_runs_and_how_the_file_is_written_do_not(changed: dict[str, Any]):
    assert job_key(hub_model(), replace(RED, **changed)) == job_key(hub_model(), RED)


@pytest.mark.parametrize(
    "changed",
    [
        {"repo": "org/fork"},
        {"revision": OTHER_COMMIT},
        {"variant": "fp16"},
        {"pipeline": "WanVACEPipeline"},
        {"defaults": {"call": {"guidance_rescale": 0.5}}},
        {"defaults": {"call": {"guidance_rescale": 0.7}, "scheduler": "DDIMScheduler"}},
        {
            "parts": {"vae": {"repo": "org/vae", "revision": COMMIT}},
            "classes": {"vae": ["AutoencoderKLWan"]},
        },
        {"loras": [{"repo": "org/fast", "revision": COMMIT, "scale": 0.5}]},
    ],
    ids=str,
)
def test_another_model_has_other_keys(changed: dict[str, Any]):
    assert job_key(hub_model(**changed), RED) != job_key(hub_model(), RED)


@pytest.mark.parametrize(
    "changed",
    [{"name": "renamed"}, {"description": "new words"}, {"license": "mit"}, {"tags": ["new"]}],
    ids=str,
)
def test_what_is_said_about_a_model_does_not_change_its_keys(changed: dict[str, Any]):
    assert job_key(hub_model(**changed), RED) == job_key(hub_model(), RED)


def test_a_step_that_only_another_number_of_steps_has_is_in_the_key():
    few = hub_model(defaults={"call": {"timesteps": [999, 500]}})
    two, three = replace(RED, num_inference_steps=2), replace(RED, num_inference_steps=3)
    assert job_key(few, two) != job_key(hub_model(defaults={}), two)
    assert job_key(few, three) == job_key(hub_model(defaults={}), three)


def test_a_repository_counts_as_the_commit_that_it_is_locked_to():
    unpinned = hub_model(revision=None)
    lock_revision("org/model", COMMIT)
    assert job_key(unpinned, RED) == job_key(hub_model(), RED)


def test_sources_that_are_known_are_locked_without_the_hub():
    lock_revision("org/model", COMMIT)
    lock_revision("org/ink", COMMIT, "v1")
    lock_sources(hub_model(revision=None), [Lora("org/ink/ink.safetensors@v1")])
    lock_sources(hub_model())


@pytest.mark.parametrize("lora", [(), (Lora("org/ink"),)], ids=["model", "lora"])
def test_sources_that_nobody_knows_are_asked_for(lora: tuple[Lora, ...]):
    spec = hub_model() if lora else hub_model(revision=None)
    with pytest.raises(WeightsMissingError):
        lock_sources(spec, lora)


def test_a_repository_of_loras_counts_as_the_commit_that_it_is_locked_to():
    with_ink = replace(RED, lora=(Lora("org/ink/ink.safetensors"),))
    before = job_key(hub_model(), with_ink)
    lock_revision("org/ink", COMMIT)
    assert job_key(hub_model(), with_ink) != before


def test_a_lora_file_counts_by_its_contents(tmp_path: Path):
    def key(name: str, scale: float = 1.0) -> str:
        return job_key(hub_model(), replace(RED, lora=(Lora(str(tmp_path / name), scale),)))

    (tmp_path / "ink.safetensors").write_bytes(b"ink")
    (tmp_path / "copy.safetensors").write_bytes(b"ink")
    (tmp_path / "oil.safetensors").write_bytes(b"oil")
    assert key("ink.safetensors") == key("copy.safetensors")
    assert key("ink.safetensors") != key("oil.safetensors")
    assert key("ink.safetensors") != key("ink.safetensors", 0.5)
    before = key("ink.safetensors")
    (tmp_path / "ink.safetensors").write_bytes(b"more ink")
    assert key("ink.safetensors") != before


def test_the_order_of_loras_is_in_the_key(tmp_path: Path):
    one, other = Lora("org/ink"), Lora("org/oil")
    keys = {
        job_key(hub_model(), replace(RED, lora=loras)) for loras in [(one, other), (other, one)]
    }
    assert len(keys) == 2


def test_a_folder_counts_by_its_contents_wherever_it_lies(folder: Path, tmp_path: Path):
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "moved")
    (moved / ".cache").mkdir()
    (moved / ".cache" / "note").write_text("hidden files are no weights")
    assert key_of(moved) == key_of(folder)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 1.0])
def test_weights_that_were_trained_further_are_others(folder: Path, place: float):
    before = key_of(folder)
    weights = max(folder.rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    size, num_changed = weights.stat().st_size, 1_000_000
    with weights.open("r+b") as file:
        file.seek(int(place * (size - num_changed)))
        old = file.read(num_changed)
        file.seek(-num_changed, os.SEEK_CUR)
        file.write(bytes(byte ^ 1 for byte in old))
    assert key_of(folder) != before


def test_a_changed_config_makes_another_model(folder: Path):
    before = key_of(folder)
    config = folder / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text() + " ")
    assert key_of(folder) != before


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="no file that is unreadable")
def test_what_cannot_be_read_is_named():
    spec = hub_model(repo=None, revision=None, folder="/proc/self/mem")
    with pytest.raises(DiskError, match="Cannot read /proc/self/mem"):
        job_key(spec, RED)
    with pytest.raises(DiskError, match="Cannot read /proc/self/mem"):
        job_key(hub_model(), replace(RED, lora=(Lora("/proc/self/mem"),)))


def test_the_geometry_of_windows_is_in_the_key():
    spec = Zoo.load().find("doodle-128")
    long = with_long(spec, replace(request_of("a ball"), num_frames=64))
    wider = with_long(spec, replace(long, overlap=12))
    assert long.long is not None
    assert wider.long is not None
    assert long.long.overlap != wider.long.overlap
    assert job_key(spec, replace(long, long=None)) != job_key(spec, long)
    assert job_key(spec, replace(long, long=wider.long)) != job_key(spec, long)
