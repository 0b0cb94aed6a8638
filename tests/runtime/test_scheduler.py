"""Another scheduler, from those that fit."""

import numpy as np
import pytest

from t2v.errors import RequestError
from t2v.runtime.quiet import quiet
from t2v.runtime.scheduler import compatible_schedulers, set_scheduler


def test_a_flow_model_follows_a_flow_with_any_of_these(load_tiny):
    assert compatible_schedulers(load_tiny("wan")) == (
        "UniPCMultistepScheduler",
        "DEISMultistepScheduler",
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "FlowMatchEulerDiscreteScheduler",
        "FlowMatchHeunDiscreteScheduler",
        "FlowMatchLCMScheduler",
        "SASolverScheduler",
    )


def test_a_pipeline_that_brings_its_own_noise_levels_needs_one_that_takes_them(load_tiny):
    assert compatible_schedulers(load_tiny("ltx")) == (
        "FlowMatchEulerDiscreteScheduler",
        "FlowMatchLCMScheduler",
        "UniPCMultistepScheduler",
    )


def test_cogvideox_has_two_of_its_own(load_tiny):
    assert compatible_schedulers(load_tiny("cogvideox")) == (
        "CogVideoXDDIMScheduler",
        "CogVideoXDPMScheduler",
    )


def test_a_diffusion_model_has_many(load_tiny):
    names = compatible_schedulers(load_tiny("modelscope"))

    assert names[0] == "DDIMScheduler"
    assert {"EulerDiscreteScheduler", "DPMSolverMultistepScheduler"} <= set(names)


@pytest.mark.parametrize("name", ["wan", "ltx", "mochi", "cogvideox", "modelscope"])
def test_every_scheduler_on_the_list_makes_a_video(load_tiny, run, name):
    pipe = load_tiny(name)
    own = pipe.scheduler

    for scheduler in compatible_schedulers(pipe):
        pipe.scheduler = own
        with quiet():
            set_scheduler(pipe, scheduler)
        assert np.isfinite(run(pipe, name, num_inference_steps=4)).all(), scheduler


def test_nothing_said_leaves_the_repositorys_own(load_tiny):
    pipe = load_tiny("wan")
    own = pipe.scheduler

    set_scheduler(pipe)

    assert pipe.scheduler is own


def test_a_diffusion_solver_is_told_to_follow_the_flow(load_tiny):
    pipe = load_tiny("ltx")

    set_scheduler(pipe, "UniPCMultistepScheduler", flow_shift=5.0)

    config = pipe.scheduler.config
    assert (config.prediction_type, config.use_flow_sigmas, config.flow_shift) == (
        "flow_prediction",
        True,
        5.0,
    )


def test_the_shift_keeps_its_value_under_its_other_name(load_tiny):
    pipe = load_tiny("wan")

    set_scheduler(pipe, "FlowMatchEulerDiscreteScheduler")

    assert pipe.scheduler.config.shift == 3.0


def test_a_shift_alone_changes_only_the_shift(load_tiny, run):
    pipe = load_tiny("wan")
    before = run(pipe, "wan")

    set_scheduler(pipe, flow_shift=8.0)

    assert type(pipe.scheduler).__name__ == "UniPCMultistepScheduler"
    assert pipe.scheduler.config.flow_shift == 8.0
    assert not np.array_equal(run(pipe, "wan"), before)


def test_an_asked_shift_replaces_one_that_follows_the_size(load_tiny):
    pipe = load_tiny("ltx")
    pipe.scheduler.register_to_config(use_dynamic_shifting=True)

    set_scheduler(pipe, flow_shift=5.0)

    assert not pipe.scheduler.config.use_dynamic_shifting


def test_a_shift_means_nothing_to_a_model_without_flow(load_tiny):
    with pytest.raises(RequestError, match=r"does not predict a flow. Leave --flow-shift out"):
        set_scheduler(load_tiny("modelscope"), flow_shift=5.0)


@pytest.mark.parametrize("wanted", ["unipc", "UniPC", "UniPCMultistepSchedular"])
def test_a_name_that_is_nearly_right_is_guessed(load_tiny, wanted):
    with pytest.raises(RequestError, match=r"Did you mean UniPCMultistepScheduler\?"):
        set_scheduler(load_tiny("wan"), wanted)


def test_one_that_does_not_fit_is_refused_with_those_that_do(load_tiny):
    with pytest.raises(
        RequestError, match=r"DDIMScheduler does not fit WanPipeline.*Those that do: UniPC"
    ):
        set_scheduler(load_tiny("wan"), "DDIMScheduler")


def test_no_class_of_another_kind_can_be_named(load_tiny):
    with pytest.raises(RequestError, match="does not fit"):
        set_scheduler(load_tiny("wan"), "StableDiffusionPipeline")
