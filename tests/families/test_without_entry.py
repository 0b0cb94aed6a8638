"""A folder that no entry describes is read from its configs as it really behaves."""

from pathlib import Path

import pytest

from t2v.plan.latents import latent_frames
from t2v.testing import TINY, tiny_pipeline, tiny_spec
from t2v.zoo.catalog import Zoo
from t2v.zoo.introspect import spec_of_folder
from t2v.zoo.safety import check_safe
from t2v.zoo.spec import ModelSpec


@pytest.fixture(scope="session")
def zoo() -> Zoo:
    return Zoo.load(overlays=False)


@pytest.fixture(scope="module", params=TINY)
def saved(request, tmp_path_factory) -> tuple[str, Path]:
    """The name of a tiny pipeline, and its folder."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, tiny_pipeline(request.param, folder)


@pytest.fixture
def found(saved, zoo) -> tuple[ModelSpec, ModelSpec]:
    """What an entry would say, and what the files say."""
    name, folder = saved
    return tiny_spec(name, folder), spec_of_folder(folder, zoo.families)


def test_it_is_taken_for_what_it_is(found, saved):
    entry, read = found

    check_safe(saved[1], read)
    assert (read.pipeline, read.maturity) == (entry.pipeline, "unverified")
    assert read.family in (entry.family, "generic")


def test_every_length_that_is_planned_can_be_made(found):
    entry, read = found
    if read.family == "generic":
        pytest.skip("configs say what the VAE makes; more is known of a family alone")

    assert read.frames.multiple % entry.frames.multiple == 0
    assert (read.frames.plus - entry.frames.plus) % entry.frames.multiple == 0


def test_latents_are_counted_as_the_pipeline_makes_them(found, saved, load_tiny):
    _, read = found
    if "windows" not in read.supports.long_video:
        pytest.skip("its latents are counted by nobody")
    model = load_tiny(saved[0])
    latents = model.adapter.denoise(model.pipe, model.arguments())

    assert latents.video.shape[2] == latent_frames(read.latents, model.options["num_frames"])
