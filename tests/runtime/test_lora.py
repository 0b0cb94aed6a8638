"""A LoRA bends the model by as much as was asked, and it is known which one did."""

import hashlib
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from t2v.errors import ModelError, RequestError, UnsafeModelError, WeightsMissingError
from t2v.plan.request import Lora
from t2v.runtime.lora import add_loras, locate_lora
from t2v.runtime.quiet import quiet
from t2v.testing import tiny_lora


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tiny_lora("wan", tmp_path_factory.mktemp("lora") / "ink.safetensors")


def frames_with(load_tiny, run, *loras):
    pipe = load_tiny("wan")
    with quiet():
        add_loras(pipe, loras)
    return run(pipe, "wan")


def test_a_lora_changes_the_frames(load_tiny, run, file):
    plain = run(load_tiny("wan"), "wan")

    assert np.abs(frames_with(load_tiny, run, Lora(str(file))) - plain).max() > 1e-4


def test_at_scale_zero_it_changes_nothing(load_tiny, run, file):
    plain = run(load_tiny("wan"), "wan")

    np.testing.assert_allclose(frames_with(load_tiny, run, Lora(str(file), 0.0)), plain, atol=1e-6)


def test_it_is_what_diffusers_makes_of_it(load_tiny, run, file):
    pipe = load_tiny("wan")
    pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name="ink")
    pipe.set_adapters(["ink"], [0.7])

    ours = frames_with(load_tiny, run, Lora(str(file), 0.7))

    np.testing.assert_array_equal(ours, run(pipe, "wan"))


def test_two_add_up(load_tiny, run, file):
    twice = frames_with(load_tiny, run, Lora(str(file), 0.3), Lora(str(file), 0.4))
    once = frames_with(load_tiny, run, Lora(str(file), 0.7))

    np.testing.assert_allclose(twice, once, atol=1e-5)


def test_its_hash_says_which_file_it_was(load_tiny, file):
    with quiet():
        hashes = add_loras(load_tiny("wan"), [Lora(str(file))])

    assert hashes == (hashlib.sha256(file.read_bytes()).hexdigest(),)


def test_a_folder_with_one_file_will_do(file):
    assert locate_lora(str(file.parent)) == file


def test_of_several_files_one_has_to_be_named(file, tmp_path):
    shutil.copy(file, tmp_path / "a.safetensors")
    shutil.copy(file, tmp_path / "b.safetensors")

    with pytest.raises(RequestError, match=r"several files.*a.safetensors, b.safetensors"):
        locate_lora(str(tmp_path))


def test_a_pickle_is_refused(load_tiny, file, tmp_path):
    pickle = tmp_path / "ink.bin"
    torch.save(load_file(file), pickle)

    with pytest.raises(UnsafeModelError, match=r"no safetensors file.*--allow-pickle"):
        add_loras(load_tiny("wan"), [Lora(str(pickle))])


def test_a_pickle_loads_when_allowed(load_tiny, file, tmp_path):
    pickle = tmp_path / "ink.bin"
    torch.save(load_file(file), pickle)

    with quiet():
        assert len(add_loras(load_tiny("wan"), [Lora(str(pickle))], allow_pickle=True)) == 1


def test_a_lora_of_another_model_is_refused(load_tiny, tmp_path):
    other = tiny_lora("mochi", tmp_path / "mochi.safetensors")

    with quiet(), pytest.raises(ModelError, match=r"mochi.safetensors"):
        add_loras(load_tiny("wan"), [Lora(str(other))])


def test_a_damaged_file_is_an_error_of_the_model(load_tiny, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not safetensors")

    with quiet(), pytest.raises(ModelError, match=r"broken.safetensors cannot be loaded"):
        add_loras(load_tiny("wan"), [Lora(str(broken))])


def test_neither_file_nor_repository_is_wrong():
    with pytest.raises(RequestError, match=r"no such file, and no Hub repository"):
        locate_lora("ink")


def test_a_repository_that_is_not_here_offline_says_so():
    with pytest.raises(WeightsMissingError, match=r"org/ink.*not on this machine"):
        locate_lora("org/ink")


def test_no_lora_is_nothing_to_do(load_tiny):
    assert add_loras(load_tiny("wan"), []) == ()
