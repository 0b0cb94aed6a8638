"""Windows that meet after every step, against one long clip averaged at the denoiser."""

import copy
import itertools
from dataclasses import replace
from itertools import pairwise

import diffusers
import numpy as np
import pytest
import torch

from t2v.errors import GenerationError
from t2v.longvideo.noise import ShotNoise
from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from tests.longvideo.making import EMBEDDED, load_fresh, load_long, tiny_with_windows
from tests.longvideo.reference import long_clip

FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "linear"}
SCHEDULERS = {
    "flow euler": lambda: diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    "flow unipc": lambda: diffusers.UniPCMultistepScheduler(**FLOW),
    "flow dpm++": lambda: diffusers.DPMSolverMultistepScheduler(**FLOW),
    "euler": lambda: diffusers.EulerDiscreteScheduler(**NOISE),
    "ddim": lambda: diffusers.DDIMScheduler(**NOISE, clip_sample=False),
    "unipc": lambda: diffusers.UniPCMultistepScheduler(**NOISE),
    "dpm++": lambda: diffusers.DPMSolverMultistepScheduler(**NOISE),
    "sde dpm++": lambda: diffusers.DPMSolverMultistepScheduler(
        **NOISE, algorithm_type="sde-dpmsolver++"
    ),
    "euler ancestral": lambda: diffusers.EulerAncestralDiscreteScheduler(**NOISE),
    "cogvideox ddim": lambda: diffusers.CogVideoXDDIMScheduler(),
    "cogvideox dpm": lambda: diffusers.CogVideoXDPMScheduler(),
}
CASES = [
    *(("wan", kind) for kind in ("flow euler", "flow unipc", "flow dpm++")),
    *(("ltx", kind) for kind in ("flow euler", "flow unipc")),
    *(("cogvideox", kind) for kind in ("cogvideox ddim", "cogvideox dpm")),
    *(("cogvideox-5b", kind) for kind in ("cogvideox ddim", "cogvideox dpm")),
    *(("modelscope", k) for k in ("euler", "ddim", "unipc", "dpm++", "sde dpm++")),
    *(("modelscope", "euler ancestral"),),
    *(("animatediff", kind) for kind in ("euler", "ddim", "unipc", "dpm++")),
    *(("hunyuan-video", kind) for kind in ("flow euler", "flow unipc")),
    ("mochi", None),
    *(("latte", kind) for kind in ("euler", "ddim", "unipc", "dpm++")),
    *((EMBEDDED, kind) for kind in ("flow euler", "flow unipc", "flow dpm++")),
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_windows_equal_a_long_clip_averaged_at_the_denoiser(name, kind):
    long = load_long(name)
    if kind is not None:
        long = long.copy(scheduler=SCHEDULERS[kind]())
    if long.window == 3:
        # Of two that neighbors share, the later window counts on one.
        long = replace(long, window=5)
    # Odd, as CogVideoX wants it, and two overlaps.
    plan = long.plan(3 * long.window - 2 * (long.window // 2), overlap=long.window // 2)

    expected = long_clip(long, plan)
    latents = long.latents(plan)

    assert latents.shape == expected.shape
    assert expected.std() > 0.3
    assert (latents - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("name", tiny_with_windows())
def test_windows_are_made_in_half_precision(name):
    long = load_fresh(name, torch.bfloat16)
    overlap = min(2, long.window - 1)
    plan = long.plan(3 * long.window - 2 * overlap, overlap=overlap, num_steps=2)

    assert long.latents(plan, num_steps=2).isfinite().all()


@pytest.mark.parametrize("name", tiny_with_windows())
def test_the_order_of_windows_changes_no_bit(name):
    long = load_long(name)
    overlap = min(2, long.window - 1)
    num_latents = 3 * long.window - 2

    def made(order):
        plan = long.plan(num_latents, overlap=overlap, order=order, num_steps=3)
        return long.latents(plan, num_steps=3)

    lockstep, wavefront = made("lockstep"), made("wavefront")

    assert lockstep.shape[2] == num_latents
    torch.testing.assert_close(wavefront, lockstep, rtol=0, atol=0)


@pytest.mark.parametrize("noise", ["independent", "freenoise", "mixed:0.5"])
def test_neither_prompts_nor_noise_depend_on_the_order(noise):
    long = load_long("wan")
    plan = long.plan(16, overlap=2, noise=noise, prompts=("a red boat", "a blue house"))

    lockstep = long.latents(replace(plan, order="lockstep"))

    torch.testing.assert_close(long.latents(plan), lockstep, rtol=0, atol=0)


@pytest.mark.parametrize("order", ["lockstep", "wavefront"])
def test_the_denoiser_is_called_once_a_window_and_step_and_sees_a_window_each_time(order):
    long = load_fresh("cogvideox")
    plan = long.plan(17, overlap=1, order=order)
    seen = []
    long.pipe.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["hidden_states"].shape[1]), with_kwargs=True
    )

    long.latents(plan)

    assert len(plan.windows) == 4
    assert seen == [5] * (4 * 4)


def test_windows_have_the_same_where_they_overlap():
    long = load_fresh("cogvideox")
    plan = long.plan(17, overlap=2, order="lockstep")
    given = []
    long.pipe.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: given.append(kwargs["hidden_states"].clone()), with_kwargs=True
    )

    long.latents(plan)

    assert len(given) == 4 * len(plan.windows)
    pairs = list(pairwise(zip(itertools.cycle(plan.windows), given, strict=False)))
    for (before, left), (after, right) in pairs:
        shared = before.start + before.length - after.start
        if after.index:  # not from the last window of a step to the first of the next
            assert shared >= 2
            torch.testing.assert_close(left[:, -shared:], right[:, :shared], rtol=0, atol=0)


def test_many_prompts_are_encoded_once_each_too():
    long = load_fresh("modelscope")
    prompts = tuple(f"boat number {index}" for index in range(40))
    plan = long.plan(121, overlap=1, prompts=prompts, num_steps=1)
    texts = []
    long.pipe.text_encoder.register_forward_pre_hook(lambda *_: texts.append(1))

    long.latents(plan, num_steps=1)

    assert len({window.prompt for window in plan.windows}) == 40
    assert len(texts) == 80  # the negative one beside each


def test_prompts_are_encoded_once_each():
    long = load_fresh("wan")
    plan = long.plan(16, overlap=2, prompts=("a red boat", "a blue house"))
    texts = []
    long.pipe.text_encoder.register_forward_pre_hook(lambda *_: texts.append(1))

    long.latents(plan)

    assert len(plan.windows) == 5
    assert len(texts) == 4  # two prompts and twice the negative one beside them


def test_steps_are_told_in_order():
    long = load_long("modelscope")
    told = []

    long.latents(long.plan(10, overlap=1), on_step=lambda *step: told.append(step))

    assert told == [(step, 12) for step in range(13)]


@pytest.mark.parametrize("name", ["wan", "ltx", "cogvideox-1.5", "modelscope"])
def test_one_window_is_the_stock_call(name):
    long = load_long(name)
    if name == "cogvideox-1.5":
        # Its own scheduler draws noise, which the stock call has from elsewhere.
        long = long.copy(scheduler=diffusers.CogVideoXDDIMScheduler())
    plan = long.plan(long.window)
    shot = plan.shots[0]
    request = long.request(None, shot.num_frames)
    arguments = long.adapter.call_arguments(long.pipe, request) | long.further
    layout = long.adapter.layout(long.pipe, arguments)
    noise = ShotNoise(shot.seed, "independent")
    arguments |= {"latents": noise.initial(layout, 0), "generator": generator(0)}
    with quiet():
        expected = long.adapter.denoise(long.pipe, arguments).video

    torch.testing.assert_close(long.latents(plan), expected, rtol=0, atol=0)


def test_a_loop_goes_on_with_its_beginning():
    long = load_long("modelscope")
    plan = long.plan(12, overlap=2, loop=True, order="lockstep")

    video = long.video(plan)

    assert [window.start for window in plan.windows] != [0, 4, 8]  # they overlap, at the joint too
    assert len(video) == 12
    np.testing.assert_array_equal(video, long.video(replace(plan, order="wavefront")))


def test_the_pipeline_is_as_before():
    long = load_long("wan")
    before = copy.deepcopy(vars(long.pipe.scheduler)), set(vars(long.pipe))

    long.video(long.plan(13, overlap=2))

    assert vars(long.pipe.scheduler).keys() == before[0].keys()
    assert set(vars(long.pipe)) == before[1]
    assert long.pipe.scheduler.num_inference_steps == before[0]["num_inference_steps"]


def test_nan_in_one_window_ends_all():
    long = load_fresh("wan")
    seen = 0

    def spoil(module, args, output):
        nonlocal seen
        seen += 1
        return (output[0] * float("nan"),) if seen > 8 else output

    long.pipe.transformer.register_forward_hook(spoil)

    with pytest.raises(GenerationError, match="NaN or infinity at step"):
        long.latents(long.plan(16, overlap=2))
