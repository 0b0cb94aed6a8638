"""Guidance that lives in `pipe.guider` is that of one request, and of no other."""

from dataclasses import replace

import numpy as np
import pytest

from t2v.families import generic

GUIDED = ["hunyuan-video-1.5", "motif-video"]


@pytest.fixture(scope="module", params=GUIDED)
def guided(load_tiny, request):
    return load_tiny(request.param)


class StoppedError(Exception):
    """Ends a run from outside."""


def count_calls(model, **changes):
    num_calls = 0

    def count(*_):
        nonlocal num_calls
        num_calls += 1

    hook = model.pipe.transformer.register_forward_pre_hook(count)
    model.adapter.denoise(model.pipe, model.arguments(**changes))
    hook.remove()
    return num_calls


def test_the_guider_gets_the_scale_that_was_asked_for(guided):
    np.testing.assert_array_equal(
        guided.ours(guidance_scale=8.0), guided.direct(guidance_scale=8.0)
    )
    assert not np.array_equal(guided.ours(guidance_scale=8.0), guided.ours(guidance_scale=2.0))


def test_a_scale_does_not_leak_into_the_next_request(guided):
    before = guided.ours(guidance_scale=None)
    guided.ours(guidance_scale=9.0)

    np.testing.assert_array_equal(guided.ours(guidance_scale=None), before)


def test_the_guider_of_the_repository_is_not_touched(guided):
    own = guided.pipe.guider
    guided.ours(guidance_scale=9.0)

    assert guided.pipe.guider is own
    assert own._step is None


def test_it_is_back_after_a_run_that_was_stopped(guided):
    own = guided.pipe.guider

    def stop(step, of):
        raise StoppedError

    with pytest.raises(StoppedError):
        guided.adapter.denoise(guided.pipe, guided.arguments(guidance_scale=9.0), stop)

    assert guided.pipe.guider is own


@pytest.mark.parametrize(("scale", "num_calls"), [(3.0, 4), (1.0, 2), (0.0, 2)])
def test_no_guidance_takes_half_the_evaluations(guided, scale, num_calls):
    assert count_calls(guided, guidance_scale=scale) == num_calls


def test_a_guider_that_is_switched_off_stays_so(load_tiny):
    model = load_tiny("motif-video")
    model.pipe.guider.disable()

    assert count_calls(model, guidance_scale=3.0) == 2


def test_a_pipeline_without_a_family_is_guided_the_same_way(load_tiny):
    model = load_tiny("motif-video")
    expected, own = model.direct(guidance_scale=8.0), model.pipe.guider
    plain = replace(model, adapter=generic.adapter)

    np.testing.assert_array_equal(plain.ours(guidance_scale=8.0), expected)
    assert plain.pipe.guider is own


@pytest.mark.parametrize("name", GUIDED)
def test_every_step_is_heard(load_tiny, name):
    model, heard = load_tiny(name), []
    # HunyuanVideo 1.5 has no callback; its scheduler is listened to.
    model.adapter.denoise(
        model.pipe,
        model.arguments(num_inference_steps=3),
        lambda step, of: heard.append((step, of)),
    )

    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_words_in_quotes_reach_the_second_encoder_of_hunyuan_video_15(load_tiny):
    model = load_tiny("hunyuan-video-1.5")
    plain, quoted = (
        model.adapter.denoise(model.pipe, {**model.arguments(), "prompt": prompt}).video
        for prompt in ("a sign that says OPEN", 'a sign that says "OPEN"')
    )

    assert not np.array_equal(plain.numpy(), quoted.numpy())
