"""Models that make long videos in their own way: as many frames as asked for, in a file that plays."""

import pytest

import t2v
from t2v.errors import RequestError
from t2v.media.probe import probe, read_frames
from t2v.testing import tiny_options, tiny_pipeline

OWN_WAYS = {
    "skyreels-v2-df": 53,
    "helios": 73,
    "helios-pyramid": 73,
    "helios-distilled": 73,
    "anyflow-far": 33,
    "ltx-long": 201,
}
"""A tiny pipeline -> frames that are several of its own sections."""


@pytest.mark.parametrize("name", OWN_WAYS)
def test_a_long_video_has_every_frame_and_plays(name, tmp_path):
    folder = tiny_pipeline(name, tmp_path / name)
    options = {**tiny_options(name), "num_frames": OWN_WAYS[name]}
    video = t2v.load(folder).generate("a boat", output=tmp_path / "long.mp4", seed=1, **options)
    assert video.record["num_frames"] == OWN_WAYS[name]
    assert probe(video.output).num_frames == OWN_WAYS[name]
    assert sum(1 for _ in read_frames(video.output)) == OWN_WAYS[name]
    assert video.record["warnings"] == []


@pytest.mark.parametrize("name", ["skyreels-v2-df", "helios", "anyflow-far", "ltx-long"])
def test_the_zoo_says_that_the_family_has_a_way_of_its_own(name, tmp_path):
    spec = t2v.make_plan(
        "a boat",
        t2v.Options(model=str(tiny_pipeline(name, tmp_path / name)), **tiny_options(name)),
    ).spec
    assert "native" in spec.supports.long_video


@pytest.mark.parametrize("name", ["helios", "ltx-long"])
def test_windows_of_ours_are_refused_in_a_line_that_says_what_to_do(name, tmp_path):
    folder = tiny_pipeline(name, tmp_path / name)
    options = {**tiny_options(name), "num_frames": 801, "method": "windows"}
    with pytest.raises(RequestError) as caught:
        t2v.make_plan("a boat", t2v.Options(model=str(folder), **options))
    assert "no windows" in str(caught.value)
    assert "--method native" in str(caught.value)
    assert "\n" not in str(caught.value)
