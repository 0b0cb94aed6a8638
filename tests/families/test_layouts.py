"""What a family says about its latents is how the pipeline takes them and hands them on."""

import pytest
import torch

from t2v.errors import RequestError
from t2v.runtime.quiet import quiet

WINDOWED = [
    "anyflow",
    "hunyuan-video",
    "hunyuan-video-1.5",
    "motif-video",
    "skyreels-v2",
    "wan-vace",
]


@pytest.mark.parametrize("name", WINDOWED)
def test_noise_and_steps_have_the_layout_that_is_said(load_tiny, name):
    model = load_tiny(name)
    arguments = model.arguments(num_frames=9)
    layout = model.adapter.layout(model.pipe, arguments)
    shapes, step = set(), model.pipe.scheduler.step

    def look(*args, **kwargs):
        result = step(*args, **kwargs)
        shapes.add(tuple(result[0].shape))
        return result

    model.pipe.scheduler.step = look
    noise = torch.zeros(layout.noise_layout.shape)
    with quiet():
        latents = model.adapter.denoise(model.pipe, {**arguments, "latents": noise})

    assert shapes == {layout.shape}
    assert layout.num_latents == layout.noise_layout.num_latents == latents.video.shape[2]


@pytest.mark.parametrize("name", ["anyflow-far", "helios", "helios-pyramid", "skyreels-v2-df"])
def test_a_pipeline_that_goes_on_by_itself_says_so(load_tiny, name):
    model = load_tiny(name)

    with pytest.raises(RequestError, match=r"makes longer videos by itself.*--method native"):
        model.adapter.layout(model.pipe, model.arguments())
