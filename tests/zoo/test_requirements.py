"""Packages that a model needs are looked for before anything is fetched or loaded."""

import pytest

from t2v.api.planning import make_plan
from t2v.errors import DependencyMissingError
from t2v.plan.options import Options
from t2v.zoo.catalog import Zoo
from t2v.zoo.requirements import check_packages, missing_packages

ZOO = Zoo.load(overlays=False)


def needing(*packages):
    return ZOO["doodle-128"].model_copy(update={"requires": packages})


def test_a_package_that_is_there_is_not_missing():
    assert missing_packages(needing("numpy", "safetensors")) == ()


def test_the_message_has_the_command_that_installs_what_is_missing():
    with pytest.raises(DependencyMissingError) as caught:
        check_packages(needing("numpy", "no-such-walrus"))

    assert str(caught.value) == (
        "doodle-128 needs no-such-walrus, which is not installed. "
        "Install: pip install no-such-walrus"
    )


def test_several_are_installed_by_one_command():
    with pytest.raises(
        DependencyMissingError, match=r"which are .* pip install walrus-a walrus-b$"
    ):
        check_packages(needing("walrus-a", "walrus-b"))


def test_a_plan_says_so_before_the_run():
    missing = missing_packages(ZOO["cosmos-predict2.5-2b"])
    notes = make_plan("a cat", Options(model="cosmos-predict2.5-2b"), config=False).notes

    assert any("pip install cosmos_guardrail" in note for note in notes) == bool(missing)


def test_a_longer_video_of_a_model_with_sound_is_said_to_be_silent():
    def notes(num_frames):
        options = Options(model="ltx-2", num_frames=num_frames)
        return [n for n in make_plan("a cat", options, config=False).notes if "silent" in n]

    assert notes(121) == []
    assert notes(241) == [
        "ltx-2 makes sound for a clip of its own length; a longer video is silent"
    ]
