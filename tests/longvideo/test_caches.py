"""Step caches and windows together."""

import copy

import pytest
import torch
from diffusers import FirstBlockCacheConfig, MagCacheConfig, PyramidAttentionBroadcastConfig

from t2v.errors import RequestError
from t2v.longvideo.denoisers import Denoiser
from t2v.longvideo.rendezvous import Rendezvous
from tests.longvideo.making import Long, load_fresh
from tests.longvideo.test_resume import stopped

CACHES = {
    "first block": FirstBlockCacheConfig(threshold=0.15),
    "first block, eager": FirstBlockCacheConfig(threshold=0.4),
}
STEPS = 6
MODELS = {
    **{kind: ("wan", config) for kind, config in CACHES.items()},
    "a pipeline that names no contexts": (
        "latte",
        MagCacheConfig(
            threshold=0.5,
            num_inference_steps=STEPS,
            retention_ratio=0.2,
            mag_ratios=torch.ones(STEPS),
        ),
    ),
}


def aligned(long: Long) -> Long:
    """The same weights where deepcopy puts them: the place in memory decides about last bits."""
    return long.copy(transformer=copy.deepcopy(long.pipe.transformer))


def own_models(plain: Long, config) -> type[Denoiser]:
    """Every window's denoiser is a model of its own with a cache of its own."""

    class OwnModel(Denoiser):
        def __init__(self, module, window):
            own = copy.deepcopy(plain.pipe.transformer)
            own.enable_cache(config)
            super().__init__(own, window)

    return OwnModel


@pytest.mark.parametrize("order", ["lockstep", "wavefront"])
@pytest.mark.parametrize(("name", "config"), MODELS.values(), ids=MODELS)
def test_windows_do_not_take_each_others_memories(monkeypatch, name, config, order):
    plain = load_fresh(name)
    long = aligned(plain)
    num_latents, prompts = 3 * long.window - 2, ("a boat", "a house")
    plan = long.plan(num_latents, order=order, num_steps=STEPS, prompts=prompts)
    without = long.latents(plan, num_steps=STEPS)
    long.pipe.transformer.enable_cache(config)

    cached = long.latents(plan, num_steps=STEPS)

    monkeypatch.setattr("t2v.longvideo.calls.Denoiser", own_models(plain, config))
    separate = plain.latents(plan, num_steps=STEPS)
    torch.testing.assert_close(cached, separate, rtol=0, atol=0)
    assert (cached - without).abs().max() > 1e-4  # it did leave something out


def test_a_window_that_is_done_leaves_nothing_in_the_cache(monkeypatch):
    long = load_fresh("wan")
    long.pipe.transformer.enable_cache(CACHES["first block"])
    plan = long.plan(30, overlap=2, num_steps=3)
    names, advance = [], Rendezvous._advance

    def looking(self, index):
        advance(self, index)
        probe = Denoiser(long.pipe.transformer, "none")
        for window in plan.windows:
            probe.window = f"w{window.index}"
            names.append((index, window.index)) if probe.memory() else None

    monkeypatch.setattr(Rendezvous, "_advance", looking)
    long.latents(plan, num_steps=3)

    assert len(plan.windows) == 10
    assert all(abs(now - then) <= 3 for now, then in names)
    assert names


def test_what_a_cache_remembers_is_kept_with_a_window(tmp_path):
    long = load_fresh("wan")
    long.pipe.transformer.enable_cache(CACHES["first block"])
    plan = long.plan(13, overlap=2, num_steps=STEPS)
    expected = long.video(plan, num_steps=STEPS)

    stopped(long, plan, tmp_path, 13, num_steps=STEPS)
    video = long.video(plan, num_steps=STEPS, work=tmp_path, resume=True)

    assert (video == expected).all()


def test_a_cache_that_cannot_keep_windows_apart_is_refused():
    long = load_fresh("wan")
    long.pipe.transformer.enable_cache(
        PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=2, current_timestep_callback=lambda: 500
        )
    )

    with pytest.raises(RequestError, match=r"PyramidAttentionBroadcast.*one memory.*Disable it"):
        long.latents(long.plan(13, overlap=2))
