"""Each denoising step is seen, and a run can be stopped between two."""

import numpy as np
import pytest
import torch
from diffusers import WanPipeline

from t2v.errors import GenerationError
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.seeds import generator
from t2v.testing import tiny_options


class LatentsOnly(PipelineAdapter):
    family, pipelines = "any", ()


def denoise(pipe, name="wan", on_step=None, **changes):
    arguments = {"prompt": "a red boat", **tiny_options(name), **changes}
    latents = LatentsOnly().denoise(pipe, {**arguments, "generator": generator(3)}, on_step)
    return latents.video


def steps_of(pipe, name="wan", **changes):
    seen = []
    denoise(pipe, name, lambda step, of: seen.append((step, of)), **changes)
    return seen


def test_the_start_and_each_step_are_told(load_tiny):
    assert steps_of(load_tiny("wan"), num_inference_steps=3) == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_pipeline_with_the_old_callback_tells_the_same(load_tiny):
    pipe = load_tiny("modelscope")

    assert steps_of(pipe, "modelscope") == [(0, 2), (1, 2), (2, 2)]


class WithoutCallback(WanPipeline):
    """A pipeline that lets nobody look in."""

    def __call__(self, prompt, num_frames, width, height, num_inference_steps, generator, **_):
        return super().__call__(
            prompt,
            num_frames=num_frames,
            width=width,
            height=height,
            num_inference_steps=num_inference_steps,
            generator=generator,
            output_type="latent",
        )


def test_a_pipeline_without_a_callback_tells_the_same(load_tiny):
    pipe = WithoutCallback(**load_tiny("wan").components)
    pipe.set_progress_bar_config(disable=True)

    assert steps_of(pipe) == [(0, 2), (1, 2), (2, 2)]
    assert "step" not in vars(pipe.scheduler)


def test_watching_leaves_no_hook_behind(load_tiny):
    pipe = load_tiny("wan")

    steps_of(pipe)

    assert not pipe.transformer._forward_pre_hooks


class StopError(Exception):
    pass


@pytest.mark.parametrize("reason", [StopError("enough"), KeyboardInterrupt(), ValueError("a bug")])
def test_whatever_a_listener_raises_stops_the_run_and_arrives_as_it_is(load_tiny, reason):
    pipe = load_tiny("wan")
    seen = []

    def stop_after_the_first(step, of):
        seen.append(step)
        if step == 1:
            raise reason

    with pytest.raises(type(reason)) as caught:
        denoise(pipe, on_step=stop_after_the_first, num_inference_steps=3)

    assert caught.value is reason
    assert seen == [0, 1]


def test_a_stopped_pipeline_makes_the_same_video_afterwards(load_tiny):
    pipe = load_tiny("wan")
    before = denoise(pipe)

    def stop(step, of):
        raise StopError

    with pytest.raises(StopError):
        denoise(pipe, on_step=stop)

    np.testing.assert_array_equal(denoise(pipe).numpy(), before.numpy())


@pytest.mark.parametrize("name", ["wan", "modelscope"])
def test_latents_that_turn_into_nan_end_the_run_at_once(load_tiny, name):
    pipe = load_tiny(name)
    denoiser = pipe.unet if name == "modelscope" else pipe.transformer
    with torch.no_grad():
        next(denoiser.parameters()).fill_(float("nan"))

    with pytest.raises(GenerationError, match=r"NaN or infinity at step 1 of 8.*--dtype float32"):
        denoise(pipe, name, num_inference_steps=8)
