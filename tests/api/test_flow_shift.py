"""One loaded model makes frames of several sizes, each with the flow shift that it wants."""

import pytest

import t2v
from t2v.testing import tiny_options, tiny_pipeline
from t2v.zoo.places import config_home

ENTRY = """\
models:
  small-wan:
    family: wan
    folder: {folder}
    description: A tiny Wan whose flow shift follows the size.
    license: apache-2.0
    commercial: "yes"
    sizes: {{native: [[16, 16]]}}
    defaults: {{flow_shift_by_height: {{16: 3.0, 32: 9.0}}}}
    sources: {{sizes: a test, defaults: a test}}
"""


@pytest.fixture
def small_wan(tmp_path):
    folder = tiny_pipeline("wan", tmp_path / "wan")
    catalog = config_home() / "models.yaml"
    catalog.parent.mkdir(parents=True, exist_ok=True)
    catalog.write_text(ENTRY.format(folder=folder))
    return t2v.load("small-wan")


def shift_of(generator, **changes):
    video = generator.generate("a red boat", seed=3, **{**tiny_options("wan"), **changes})
    return generator.pipe.scheduler.config.flow_shift, video.record["request"]["flow_shift"]


def test_the_shift_follows_the_size_from_one_request_to_the_next(small_wan):
    sizes = [(16, 16), (48, 32), (16, 48)]

    shifts = [shift_of(small_wan, width=width, height=height)[0] for width, height in sizes]

    assert shifts == [3.0, 9.0, 3.0]


def test_the_record_says_which_shift_it_was(small_wan):
    assert shift_of(small_wan, width=32, height=32)[1] == {"value": 9.0, "origin": "zoo"}
