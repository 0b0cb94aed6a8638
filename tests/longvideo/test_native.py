"""Models that make long videos in their own way: as many frames as asked for, in a file that plays."""

import pytest

import t2v
from t2v.errors import RequestError
from t2v.media.probe import probe, read_frames
from t2v.testing import tiny_options, tiny_pipeline

OWN_WAYS = {
    "skyreels-v2-df": 201,
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


JOINS = {
    "skyreels-v2-df": [97, 177],
    "helios": [33, 66],
    "helios-pyramid": [33, 66],
    "helios-distilled": [33, 66],
    "anyflow-far": [1, 13, 25],
    "ltx-long": [49, 105, 161],
}


@pytest.mark.parametrize("name", OWN_WAYS)
def test_its_report_knows_where_the_pipeline_went_on(name, tmp_path):
    folder = tiny_pipeline(name, tmp_path / name)
    options = {**tiny_options(name), "num_frames": OWN_WAYS[name]}
    video = t2v.load(folder).generate("a boat", seed=1, **options)
    seams = video.record["report"]["seams"]
    assert [seam["frame"] for seam in seams["each"]] == JOINS[name]


def test_latents_that_are_decoded_later_still_know_it(tmp_path):
    folder = tiny_pipeline("helios", tmp_path / "helios")
    output, options = tmp_path / "long.mp4", {**tiny_options("helios"), "num_frames": 73}
    video = t2v.load(folder).generate("a boat", output=output, save_latents=True, **options)
    later = t2v.decode(tmp_path / "long.mp4.latents", output=tmp_path / "later.mp4")
    assert later.record["report"] == video.record["report"]


def test_a_clip_beyond_its_training_in_one_call_has_a_report_without_joins():
    doodle = t2v.load("doodle-128")
    video = doodle.generate("a red ball", num_frames=33, num_inference_steps=2, method="native")
    assert video.record["report"]["seams"]["joins"] == 0
    assert "drift_percent" in video.record["report"]


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
