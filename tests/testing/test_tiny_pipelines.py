"""The tiny pipelines are as real as they are small."""

import json

import pytest

from t2v.testing import TINY, tiny_lora, tiny_options, tiny_pipeline, tiny_spec


def contents(folder):
    return {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_same_seed_writes_the_same_files(tmp_path):
    first, again = tiny_pipeline("wan", tmp_path / "1"), tiny_pipeline("wan", tmp_path / "2")

    assert contents(first) == contents(again)


def test_another_seed_writes_other_weights(tmp_path):
    first, other = (
        tiny_pipeline("wan", tmp_path / "1"),
        tiny_pipeline("wan", tmp_path / "2", seed=1),
    )

    assert contents(first) != contents(other)


@pytest.mark.parametrize("name", TINY)
def test_each_is_a_small_diffusers_folder_of_the_class_it_says(tmp_path, name):
    folder = tiny_pipeline(name, tmp_path / name)

    index = json.loads((folder / "model_index.json").read_text())
    assert index["_class_name"] == tiny_spec(name, folder).pipeline
    # The class of HunyuanVideo 1.5 has layers of 2048 that no config changes.
    limit = 20_000_000 if name == "hunyuan-video-1.5" else 4_000_000
    assert sum(len(data) for data in contents(folder).values()) < limit


@pytest.mark.parametrize("name", TINY)
def test_each_request_obeys_the_rules_of_its_model(tmp_path, name):
    spec, options = tiny_spec(name, tmp_path), tiny_options(name)

    assert options["num_frames"] % spec.frames.multiple == spec.frames.plus % spec.frames.multiple
    assert options["width"] % spec.sizes.multiple == 0


def test_making_one_prints_nothing(tmp_path, capfd):
    tiny_pipeline("animatediff", tmp_path / "model")
    tiny_lora("wan", tmp_path / "lora.safetensors")

    assert capfd.readouterr() == ("", "")
