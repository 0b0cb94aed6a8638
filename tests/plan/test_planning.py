import json
from pathlib import Path

import pytest

import t2v
from t2v.errors import DocumentError, RequestError, UnknownModelError
from t2v.plan.history import Workload, record_timings
from t2v.plan.machine import Machine
from t2v.plan.options import Options
from t2v.zoo.catalog import Zoo
from tests.fresh import python
from tests.zoo.making import save_model


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_model_the_one_in_the_box_is_planned_and_said():
    plan = t2v.make_plan("a red ball bounces over green hills")

    assert plan.spec.name == "doodle-128"
    assert plan.notes[0] == "doodle-128, the small model in the box; a larger one: t2v models list"
    assert plan.requests[0].origins["model"] == "t2v"


def test_a_named_model_needs_no_word(desktop: Machine):
    plan = t2v.make_plan("a fox", Options(model="doodle"), machine=desktop)

    assert (plan.notes, plan.requests[0].model) == ((), "doodle-128")
    assert plan.requests[0].origins["model"] == "flag"


def test_the_users_default_model_is_used(home: Path, desktop: Machine):
    (home / "config").mkdir()
    (home / "config" / "config.yaml").write_text("model: cogvideox-2b\n")

    plan = t2v.make_plan("a fox", machine=desktop)

    assert plan.spec.name == "cogvideox-2b"
    assert plan.requests[0].origins["model"] == "user config"


def test_an_unknown_model_gets_a_suggestion():
    with pytest.raises(UnknownModelError, match=r"wan2\.1-t2v-1\.3b"):
        t2v.make_plan("a fox", Options(model="wan2.1-t2v-1.3"))


def test_the_layers_stack_up(home: Path, tmp_path: Path, desktop: Machine):
    (home / "config").mkdir()
    (home / "config" / "config.yaml").write_text(
        "num_inference_steps: 5\nmodels:\n  doodle:\n    fps: 12\n"
    )
    (tmp_path / "t2v.yaml").write_text("num_inference_steps: 6\ncrf: 20\n")

    request = t2v.make_plan("a fox", Options(crf=18, model="doodle"), machine=desktop).requests[0]

    assert {n: request.origins[n] for n in ("fps", "num_inference_steps", "crf", "width")} == {
        "fps": "user config",
        "num_inference_steps": "project config",
        "crf": "flag",
        "width": "zoo",
    }


def test_a_config_for_a_model_that_does_not_exist_is_said(tmp_path: Path, desktop: Machine):
    (tmp_path / "t2v.yaml").write_text(
        "models:\n  dodle-128:\n    crf: 20\n  org/name:\n    crf: 20\n"
    )

    notes = t2v.make_plan("a fox", Options(model="doodle"), machine=desktop).notes

    assert len(notes) == 1
    assert "project config: models.dodle-128: No model 'dodle-128'" in notes[0]
    assert "Did you mean 'doodle-128'" in notes[0]


def test_a_download_to_come_is_said_with_its_size(zoo: Zoo, gpu: Machine):
    plan = t2v.make_plan("a fox", Options(model="modelscope-1.7b"), zoo=zoo, machine=gpu)

    assert plan.notes == (
        "modelscope-1.7b is not on this machine: 3.7 GB to download from "
        "damo-vilab/text-to-video-ms-1.7b, license cc-by-nc-4.0",
    )


def test_a_model_without_an_entry_is_said_to_be_unverified(tmp_path: Path, desktop: Machine):
    folder = save_model(tmp_path / "somebodys-wan")
    plan = t2v.make_plan("a fox", Options(model=str(folder)), machine=desktop)

    assert plan.notes == (
        "somebodys-wan has no entry in the zoo: its license is unknown, and its rules, read from "
        "its configuration, are unverified",
    )
    assert plan.to_dict()["model"]["maturity"] == "unverified"


def test_configs_can_be_left_out(tmp_path: Path, desktop: Machine):
    (tmp_path / "t2v.yaml").write_text("crf: 20\n")

    assert t2v.make_plan("a fox", machine=desktop, config=False).requests[0].crf is None


def test_a_mistake_in_a_config_is_said_with_its_place(tmp_path: Path):
    (tmp_path / "t2v.yaml").write_text("num_frame: 20\n")

    with pytest.raises(DocumentError, match=r"t2v\.yaml:1:1: num_frame: there is no such option"):
        t2v.make_plan("a fox")


def test_each_video_gets_a_seed_that_can_be_asked_for_alone():
    plan = t2v.make_plan("a fox", Options(seed=42, num_videos=3))

    assert [request.seed for request in plan.requests] == [
        42,
        4251888718461,
        226454022878170,
    ]


def test_the_origin_is_what_the_caller_calls_it():
    request = t2v.make_plan("a fox", Options(seed=1), origin="replay").requests[0]

    assert (request.origins["seed"], request.origins["prompt"]) == ("replay", "replay")


def test_a_device_that_is_not_here_is_said(desktop: Machine):
    plan = t2v.make_plan("a fox", Options(device="cuda", model="doodle"), machine=desktop)

    assert plan.notes == ("--device cuda: no such device was found here",)


def test_earlier_runs_give_an_estimate(desktop: Machine):
    run = Workload("doodle-128", "Some CPU", 128, 128, 17, num_inference_steps=16)
    record_timings(run, {"load": 2.0, "denoise": 3.0})

    plan = t2v.make_plan("a fox", machine=desktop)

    assert plan.estimate is not None
    assert plan.estimate.total_s == 5.0


def test_a_plan_is_one_json_document(desktop: Machine):
    plan = t2v.make_plan(
        "a fox", Options(model="wan2.1-t2v-1.3b", seed=1, num_videos=2), machine=desktop
    )
    document = json.loads(json.dumps(plan.to_dict()))

    assert document["model"]["name"] == "wan2.1-t2v-1.3b"
    assert document["request"]["num_frames"] == {"value": 81, "origin": "zoo"}
    assert document["seeds"] == [request.seed for request in plan.requests]
    assert document["memory"]["rung"] == "none"
    assert document["estimate"] is None


def test_a_wrong_request_is_refused_before_any_weight_is_looked_for():
    with pytest.raises(RequestError, match="both say how long"):
        t2v.make_plan("a fox", Options(model="wan2.1-t2v-14b", seconds=3, num_frames=9))


def test_planning_imports_nothing_heavy():
    heavy = {"torch", "diffusers", "transformers", "numpy", "av", "imageio", "huggingface_hub"}
    code = f"import sys, t2v; t2v.make_plan('a fox'); print(*sorted({heavy!r} & set(sys.modules)))"

    assert python(code).stdout.strip() == ""


def test_a_model_that_goes_on_by_itself_needs_the_memory_of_a_clip(zoo: Zoo, gpu: Machine):
    clip, minute = (
        t2v.make_plan(
            "a train",
            Options(model="helios-base", num_frames=length, seed=1),
            zoo=zoo,
            machine=gpu,
            config=False,
        )
        for length in (97, 1441)
    )

    assert minute.memory.estimated_bytes == clip.memory.estimated_bytes
