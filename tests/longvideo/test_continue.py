"""Continuation: every window begins with the tail of the one before, which it does not change."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from t2v import longvideo
from t2v.families import adapter_for
from t2v.longvideo.joins import joins
from t2v.longvideo.matching import matched
from t2v.plan.longplan import with_long
from t2v.plan.request import Request
from t2v.runtime.load import load_pipeline
from t2v.runtime.quiet import quiet
from t2v.testing import tiny_options, tiny_pipeline, tiny_spec
from t2v.zoo.spec import LatentRule, Supports

FACTORS = {"wan": 4, "ltx": 8, "cogvideox": 4, "modelscope": 1}
torch.set_num_threads(1)


@pytest.fixture(scope="module", params=FACTORS)
def model(request, tmp_path_factory):
    """A tiny pipeline with an entry that says it can be continued: name, pipe, spec."""
    name = request.param
    folder = tiny_pipeline(name, tmp_path_factory.mktemp("tiny") / name)
    spec = tiny_spec(name, folder)
    with quiet():
        pipe = load_pipeline(folder, spec, dtype=torch.float32)
    rule = LatentRule(factor=FACTORS[name])
    supports = Supports(long_video=("windows", "continue"), window=3, overlap=1)
    native = 3 if FACTORS[name] == 1 else 1 + 2 * FACTORS[name]
    frames = spec.frames.model_copy(update={"native": native})
    return pipe, spec.model_copy(update={"latents": rule, "supports": supports, "frames": frames})


def a_request(spec, num_latents, method="continue", **changes):
    name = spec.name.removeprefix("tiny-")
    rule = spec.latents
    num_frames = rule.first + rule.factor * (num_latents - 1)
    request = Request(
        prompt="a boat",
        model=spec.name,
        fps=Fraction(8),
        seed=3,
        method=method,
        **{**tiny_options(name), "num_frames": num_frames, **changes},
    )
    return with_long(spec, request)


def test_what_was_stopped_goes_on_near_the_statistics_of_its_first_window(model, tmp_path):
    pipe, spec = model
    request = a_request(spec, 9)
    adapter = adapter_for(spec)

    def frames(**more):
        more.setdefault("on_step", lambda step, of: None)
        with quiet():
            return np.stack([*longvideo.frames(pipe, adapter, request, {}, **more)])

    def stop(step, of):
        if step == of - 1:
            raise KeyboardInterrupt

    whole = frames()
    with pytest.raises(KeyboardInterrupt):
        frames(work=tmp_path, checkpoint_s=0, on_step=stop)

    np.testing.assert_array_equal(frames(work=tmp_path, resume=True), whole)


class Watched:
    """An adapter that keeps the latents that it decodes."""

    def __init__(self, adapter):
        self.adapter, self.latents = adapter, []

    def __getattr__(self, name):
        return getattr(self.adapter, name)

    def decode_stream(self, pipe, chunks):
        def kept():
            for chunk in chunks:
                self.latents.append(chunk)
                yield chunk

        return self.adapter.decode_stream(pipe, kept())


def made(model, request):
    """The frames and the latents of a request."""
    pipe, spec = model
    adapter = Watched(adapter_for(spec))
    with quiet():
        stream = longvideo.frames(pipe, adapter, request, {}, on_step=lambda step, of: None)
        frames = np.stack(list(stream))
    return frames, torch.cat(adapter.latents, dim=2)


@pytest.mark.parametrize("num_latents", [5, 9])
def test_every_frame_that_was_asked_for_is_made(model, num_latents):
    request = a_request(model[1], num_latents)
    assert request.long.method == "continue"
    assert len(made(model, request)[0]) == request.num_frames


def test_a_longer_video_begins_with_the_latents_of_a_shorter_one(model):
    shorter, longer = (made(model, a_request(model[1], count))[1] for count in (5, 9))
    assert torch.equal(longer[:, :, :5], shorter)


def test_later_windows_do_not_change_what_they_begin_with(model):
    windows = a_request(model[1], 9, overlap=2 * model[1].latents.factor).long.windows
    for before, after in pairwise(windows):
        shared = before.start + before.length - after.start
        assert after.weights[:shared] == (0.0,) * shared
        assert set(after.weights[shared:]) == {1.0}


def test_a_continuation_joins_in_one_frame(model):
    found = list(joins(a_request(model[1], 9).long))
    assert len(found) == 3
    assert all(join.first == join.last for join in found)


def test_a_continuation_is_drawn_towards_the_first_window(model):
    """With one shared latent, blended windows leave it to the earlier one too, so they are the same
    but for this."""
    continued = made(model, a_request(model[1], 9))[1]
    blended = made(model, a_request(model[1], 9, method="windows"))[1]
    assert torch.equal(continued[:, :, :3], blended[:, :, :3])
    assert torch.equal(continued, torch.cat([*matched(iter([blended]), 3, 2)], dim=2))
    assert not torch.equal(continued, blended)
