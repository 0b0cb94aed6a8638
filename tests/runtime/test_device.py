"""Where a model runs and in which number format."""

import pytest
import torch

from t2v.errors import RequestError
from t2v.runtime.device import device_label, peak_memory, pick_device, pick_dtype
from t2v.testing import tiny_spec
from t2v.zoo.spec import Component

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def component(dtype):
    return Component(params=1, bytes=2, dtype=dtype)


@pytest.fixture
def spec(tmp_path):
    components = {"transformer": component("bfloat16"), "vae": component("float32")}
    return tiny_spec("wan", tmp_path).model_copy(update={"components": components})


@pytest.fixture
def bfloat16_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)


@pytest.fixture
def old_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)


def test_a_cpu_computes_in_float32(spec):
    assert pick_dtype("auto", spec, CPU) == torch.float32


def test_each_component_has_the_format_of_its_entry(spec, bfloat16_device):
    assert pick_dtype("auto", spec, CUDA) == {
        "default": torch.bfloat16,
        "transformer": torch.bfloat16,
        "vae": torch.float32,
    }


def test_an_asked_format_spares_what_the_entry_wants_in_float32(spec):
    assert pick_dtype("float16", spec, CPU) == {
        "default": torch.float16,
        "transformer": torch.float16,
        "vae": torch.float32,
    }


def test_float32_that_was_asked_for_is_for_all(spec):
    assert pick_dtype("float32", spec, CUDA) == torch.float32


def test_a_device_without_bfloat16_gets_float16(spec, old_device):
    assert pick_dtype("auto", spec, CUDA) == {
        "default": torch.float16,
        "transformer": torch.float16,
        "vae": torch.float32,
    }


def test_one_format_for_all_is_no_table(spec, bfloat16_device):
    same = {"transformer": component("float16"), "vae": component("float16")}

    assert pick_dtype("auto", spec.model_copy(update={"components": same}), CUDA) == torch.float16


def test_an_entry_without_components_gets_the_devices_format(spec, bfloat16_device):
    plain = spec.model_copy(update={"components": {}})

    assert pick_dtype("auto", plain, CUDA) == torch.bfloat16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_an_error_with_a_way_out():
    with pytest.raises(RequestError, match=r"sees no cuda device.*--device auto"):
        pick_device("cuda")


def test_the_cpu_can_always_be_picked():
    assert pick_device("cpu") == CPU


def test_peak_memory_of_the_host_is_that_of_this_process():
    peak = peak_memory(CPU)

    assert peak["device"] is None
    assert 2**27 < peak["host"] < 2**36


def test_the_cpu_is_called_so():
    assert device_label(CPU) == "CPU"


def test_a_model_stored_in_float32_throughout_runs_in_the_format_that_was_asked(spec):
    whole = {"transformer": component("float32"), "vae": component("float32")}
    stored = spec.model_copy(update={"components": whole})

    assert pick_dtype("bfloat16", stored, CUDA) == torch.bfloat16
    assert pick_dtype("auto", stored, CUDA) == torch.float32
