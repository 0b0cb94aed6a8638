"""One call for several prompts makes the videos of single calls, where a family takes lists."""

from dataclasses import replace

import numpy as np
import pytest

from t2v.runtime.quiet import quiet
from t2v.runtime.seeds import generator
from t2v.testing import TINY

TEXTS, SEEDS = ["a red boat", "a blue cat on a hill"], [3, 9]
WITHOUT = {
    "helios-distilled",
    "helios-pyramid",
    "kandinsky-5",
    "kandinsky-5-nabla",
    "latte",
    "ltx-long",
    "skyreels-v2-df",
    "text2video-zero",
    "text2video-zero-sdxl",
    "wan-vace",
}
QUICK = ("cogvideox", "hunyuan-video", "ltx", "wan")


def made(model, **changes):
    with quiet():
        return model.adapter.denoise(model.pipe, model.arguments() | changes)


def frames(model, latents):
    return np.stack(list(model.adapter.decode(model.pipe, latents)))


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(set(TINY) - WITHOUT)
    ],
)
def test_one_call_makes_the_videos_of_single_calls(load_tiny, name):
    model = load_tiny(name)
    negative = model.arguments().get("negative_prompt")
    lists = {"prompt": TEXTS, "generator": [generator(seed) for seed in SEEDS]}
    if negative is not None:
        lists["negative_prompt"] = [negative] * 2

    together = made(model, **lists)

    assert model.adapter.takes_lists
    assert together.video.shape[0] == 2
    for number, (text, seed) in enumerate(zip(TEXTS, SEEDS, strict=True)):
        alone = frames(model, made(model, prompt=text, generator=generator(seed)))
        ours = frames(model, replace(together, video=together.video[number : number + 1]))
        assert np.abs(ours - alone).max() < 0.1 / 255


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_what_takes_no_lists_says_so(load_tiny, name):
    assert not load_tiny(name).adapter.takes_lists
