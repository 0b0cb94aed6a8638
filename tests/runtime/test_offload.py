"""Where the weights live, and what is said when memory runs out."""

import errno

import numpy as np
import pytest
import torch
from accelerate import cpu_offload

from t2v.errors import MemoryExhaustedError
from t2v.families import wan
from t2v.plan.request import MemoryPlan
from t2v.runtime.offload import is_exhausted, memory_errors, next_rung, place
from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from t2v.runtime.sharing import sharing
from t2v.runtime.vae import upcast_vae
from t2v.testing import tiny_options

CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")


def plan(rung="none", *, vae_tiling=False):
    return MemoryPlan(rung, vae_tiling, "a test")


def frames(pipe):
    arguments = {"prompt": "a red boat", **tiny_options("wan"), "generator": generator(3)}
    latents = wan.adapter.denoise(pipe, arguments)
    return np.stack(list(wan.adapter.decode(pipe, latents)))


def test_on_the_cpu_a_model_stays_where_it_is(load_tiny, run):
    pipe = load_tiny("wan")

    assert place(pipe, plan("sequential"), CPU) == []
    assert not hasattr(pipe.transformer, "_hf_hook")
    np.testing.assert_array_equal(frames(pipe), run(pipe, "wan"))


def test_a_vae_tiles_when_the_plan_says_so(load_tiny):
    pipe = load_tiny("wan")

    assert place(pipe, plan(vae_tiling=True), CPU) == []
    assert pipe.vae.use_tiling


# The hooks that move weights also work from the CPU to the CPU, where they can be watched.


def by_model(pipe):
    pipe.enable_model_cpu_offload(device="cpu")


def by_group(pipe):
    pipe.enable_group_offload(onload_device=CPU, offload_device=CPU, offload_type="leaf_level")


def by_layer(pipe):
    # The VAE alone: accelerate cannot bring tied embeddings from the CPU to the CPU.
    cpu_offload(pipe.vae, execution_device=CPU)


@pytest.mark.parametrize("offload", [by_model, by_group, by_layer])
def test_weights_that_come_and_go_make_the_same_frames(load_tiny, run, offload):
    pipe = load_tiny("wan")
    offload(pipe)

    np.testing.assert_array_equal(frames(pipe), run(pipe, "wan"))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 17 GiB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_memory_that_ran_out_is_recognized(error):
    assert is_exhausted(error)


@pytest.mark.parametrize("error", [RuntimeError("size mismatch"), OSError(errno.ENOENT, "no file")])
def test_other_errors_are_not_taken_for_it(error):
    assert not is_exhausted(error)


def run_out(rung, device):
    with memory_errors(plan(rung), device):
        raise torch.OutOfMemoryError("CUDA out of memory.")


@pytest.mark.parametrize(
    ("rung", "advice"),
    [
        ("none", "Try --memory model, or fewer frames"),
        ("model", "Try --memory group, or fewer frames"),
        ("group", "Try --memory sequential, or fewer frames"),
        ("sequential", "Nothing needs less: try fewer frames"),
    ],
)
def test_each_rung_names_the_next(rung, advice):
    with pytest.raises(
        MemoryExhaustedError, match=rf"cuda:0 ran out with --memory {rung}. {advice}"
    ):
        run_out(rung, CUDA)


def test_on_the_cpu_no_rung_helps():
    with pytest.raises(MemoryExhaustedError, match=r"memory of this machine ran out. Try fewer"):
        run_out("none", CPU)


def test_a_real_allocation_that_fails_is_explained():
    with pytest.raises(MemoryExhaustedError), memory_errors(plan(), CPU):
        torch.empty(2**58, dtype=torch.uint8)


def test_errors_that_are_not_about_memory_pass():
    with pytest.raises(KeyError), memory_errors(plan(), CPU):
        raise KeyError("frames")


def test_the_ladder_ends():
    assert [next_rung(rung) for rung in ("none", "model", "group", "sequential")] == [
        "model",
        "group",
        "sequential",
        None,
    ]


def test_a_vae_in_half_precision_can_decode_again_in_float32(load_tiny, run):
    pipe = load_tiny("wan")
    expected = run(pipe, "wan")
    with quiet():
        pipe.vae.to(torch.bfloat16)

    with quiet(), upcast_vae(pipe) as is_upcast:
        assert is_upcast
        assert pipe.vae.dtype == torch.float32
        assert np.abs(frames(pipe) - expected).mean() < 0.002
    assert pipe.vae.dtype == torch.bfloat16


def test_a_vae_that_decodes_again_leaves_the_weights_of_others_alone(load_tiny):
    pipe = load_tiny("wan")
    with quiet():
        pipe.vae.to(torch.float16)
    other = sharing(pipe)
    before = [(id(w), w.data_ptr(), w.dtype) for w in other.vae.parameters()]

    with quiet(), upcast_vae(pipe):
        during = [(id(w), w.data_ptr(), w.dtype) for w in other.vae.parameters()]

    assert during == before
    assert [id(w) for w in pipe.vae.parameters()] == [one for one, _, _ in before]


def test_a_vae_in_float32_has_nothing_to_gain(load_tiny):
    with upcast_vae(load_tiny("wan")) as is_upcast:
        assert not is_upcast
