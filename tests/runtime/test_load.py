"""A folder of weights is data: loading it runs no code of its own and says what is wrong with it."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from t2v.errors import ModelError, T2VError, UnsafeModelError, WeightsMissingError
from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.testing import tiny_spec


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder("wan"), tmp_path / "wan")


def load(folder, **options):
    with quiet():
        return load_pipeline(folder, tiny_spec("wan", folder), **options)


def to_pickle(folder):
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()


def test_loading_prints_nothing(folder, capfd):
    load(folder)

    assert capfd.readouterr() == ("", "")


def test_weights_come_in_the_wanted_format_by_component(folder):
    pipe = load(folder, dtype={"vae": torch.float32, "default": torch.bfloat16})

    assert (pipe.vae.dtype, pipe.transformer.dtype) == (torch.float32, torch.bfloat16)


def test_pickle_weights_are_refused(folder):
    to_pickle(folder)

    with pytest.raises(UnsafeModelError, match=r"pickle.*--allow-pickle"):
        load(folder)


def test_pickle_weights_load_when_allowed(folder):
    to_pickle(folder)

    assert load(folder, allow_pickle=True).transformer.dtype == torch.float32


class Payload:
    """What a hostile pickle looks like: unpickling it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_an_allowed_pickle_still_runs_no_code(folder, tmp_path):
    to_pickle(folder)
    torch.save(Payload(tmp_path / "owned"), folder / "transformer" / "diffusion_pytorch_model.bin")

    with pytest.raises(T2VError):
        load(folder, allow_pickle=True)
    assert not (tmp_path / "owned").exists()


def test_another_pipeline_class_than_the_entrys_is_refused(folder):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(
        json.dumps({**index, "_class_name": "WanVACEPipeline"})
    )

    with pytest.raises(UnsafeModelError, match="'WanVACEPipeline', expected 'WanPipeline'"):
        load(folder)


def test_a_pipeline_of_the_folders_own_code_never_runs(folder, tmp_path):
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = ["pipeline", "WanPipeline"]
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "pipeline.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w')\n")

    with pytest.raises(UnsafeModelError):
        load(folder)
    assert not (tmp_path / "owned").exists()


def test_a_component_of_the_folders_own_code_never_runs(folder, tmp_path):
    index = json.loads((folder / "model_index.json").read_text())
    index["scheduler"] = ["my_scheduler", "MyScheduler"]
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "scheduler" / "my_scheduler.py").write_text(
        f"open({str(tmp_path / 'owned')!r}, 'w')\n"
    )

    with pytest.raises(UnsafeModelError):
        load(folder)
    assert not (tmp_path / "owned").exists()


def test_missing_weights_are_named(folder):
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()

    with pytest.raises(WeightsMissingError, match="tiny-wan: files of vae are missing"):
        load(folder)


def test_cut_off_weights_are_an_error_of_the_model(folder):
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(ModelError, match="tiny-wan"):
        load(folder)


def test_a_config_that_fits_no_weights_is_an_error_of_the_model(folder):
    config = folder / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_attention_heads": 3}))

    with pytest.raises(ModelError, match="tiny-wan cannot be loaded"):
        load(folder)


def test_a_pipeline_that_the_installed_diffusers_lacks_is_named(folder):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": "NextPipeline"}))
    spec = tiny_spec("wan", folder).model_copy(update={"pipeline": "NextPipeline"})

    with pytest.raises(ModelError, match=r"NextPipeline, which diffusers .* does not have"):
        load_pipeline(folder, spec)


def test_a_folder_that_is_no_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"no model_index.json"):
        load(tmp_path)
