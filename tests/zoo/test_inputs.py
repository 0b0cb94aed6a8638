"""Models that need a picture or a video are refused by name, before anything is fetched."""

import inspect
import json

import diffusers
import pytest

from t2v.errors import RequestError
from t2v.zoo.catalog import Zoo
from t2v.zoo.inputs import NEEDED

LENGTHS = {"num_frames", "video_length", "frames"}
WORDS = {"prompt"}


def needed_by(pipeline):
    """The arguments of a pipeline's call that have no default, less the words."""
    parameters = inspect.signature(pipeline.__call__).parameters.values()
    return {
        p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    }


def video_pipelines():
    kinds = {name: getattr(diffusers, name) for name in dir(diffusers) if "Pipeline" in name}
    return {
        name: kind
        for name, kind in kinds.items()
        if inspect.isclass(kind)
        and "dummy" not in kind.__module__
        and LENGTHS & set(inspect.signature(kind.__call__).parameters)
    }


def test_every_pipeline_that_cannot_do_without_a_picture_is_known():
    required = {
        name for name, kind in video_pipelines().items() if needed_by(kind) - {"self"} - WORDS
    }

    assert required - NEEDED.keys() == set()


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_refused_exists_and_is_no_family_of_ours(name):
    kind = getattr(diffusers, name)

    assert issubclass(kind, diffusers.DiffusionPipeline)
    assert all(
        name not in family.pipelines for family in Zoo.load(overlays=False).families.values()
    )


def test_framepack_is_refused_with_its_reason(tmp_path):
    index = {"_class_name": "HunyuanVideoFramepackPipeline", "_diffusers_version": "0.42.1"}
    (tmp_path / "model_index.json").write_text(json.dumps(index))

    with pytest.raises(RequestError, match=r"makes its video of a picture; t2v has a prompt alone"):
        Zoo.load(overlays=False).find(str(tmp_path))
