from fractions import Fraction
from pathlib import Path

import pytest

from t2v.errors import RequestError
from t2v.plan.options import Options
from t2v.plan.request import Lora, Request
from t2v.plan.resolve import requests_for, resolve
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec


def asked(spec: ModelSpec, *layers: tuple[str, Options]) -> Request:
    return resolve(spec, "a fox", layers)[0]


def notes(spec: ModelSpec, *layers: tuple[str, Options]) -> list[str]:
    return resolve(spec, "a fox", layers)[1]


def flags(**values: object) -> tuple[str, Options]:
    return "flag", Options(**values)


def test_with_nothing_said_the_zoo_decides(wan: ModelSpec):
    request = asked(wan)

    assert (request.width, request.height, request.num_frames) == (832, 480, 81)
    assert (request.fps, request.num_inference_steps) == (Fraction(16), 50)
    assert request.origins["width"] == request.origins["num_inference_steps"] == "zoo"


def test_the_strongest_layer_wins_and_is_named(wan: ModelSpec):
    request = asked(
        wan,
        ("user config", Options(guidance_scale=3.0, num_inference_steps=10)),
        ("project config", Options(num_inference_steps=20)),
        flags(num_inference_steps=30),
    )

    assert (request.num_inference_steps, request.origins["num_inference_steps"]) == (30, "flag")
    assert (request.guidance_scale, request.origins["guidance_scale"]) == (3.0, "user config")


def test_what_nobody_says_is_left_to_the_pipeline(wan: ModelSpec):
    request = asked(wan)

    assert (request.guidance_scale_2, request.origins["guidance_scale_2"]) == (None, "pipeline")


def test_every_value_has_an_origin(wan: ModelSpec):
    request = asked(wan, flags(width=512))

    assert request.to_dict().keys() == request.origins.keys()


def test_our_own_defaults_say_so(wan: ModelSpec):
    request = asked(wan)

    assert (request.memory, request.origins["memory"]) == ("auto", "t2v")
    assert request.origins["seed"] == "random"


def test_an_empty_negative_prompt_takes_the_default_away(wan: ModelSpec):
    assert asked(wan, flags(negative_prompt="")).negative_prompt == ""


def test_seconds_are_counted_at_the_rate_of_the_file(wan: ModelSpec):
    assert asked(wan, flags(seconds=2, fps="24")).num_frames == 49


def test_seconds_and_frames_of_one_layer_contradict(wan: ModelSpec):
    with pytest.raises(RequestError, match="--seconds and --num-frames both say how long"):
        asked(wan, flags(seconds=2, num_frames=33))


def test_the_contradiction_of_a_config_is_said_to_be_there(wan: ModelSpec):
    with pytest.raises(RequestError, match="in the user config both say"):
        asked(wan, ("user config", Options(seconds=2, num_frames=33)))


def test_seconds_of_a_higher_layer_win_over_frames_of_a_lower(wan: ModelSpec):
    request = asked(wan, ("user config", Options(num_frames=17)), flags(seconds=2))

    assert (request.num_frames, request.origins["num_frames"]) == (33, "flag")


def test_a_width_alone_keeps_the_native_shape(wan: ModelSpec):
    request = asked(wan, flags(width=416))

    assert (request.width, request.height) == (416, 240)
    assert request.origins["height"] == "flag"


def test_a_height_alone_keeps_the_native_shape(wan: ModelSpec):
    request = asked(wan, flags(height=240))

    assert (request.width, request.height) == (416, 240)


def test_a_width_that_is_native_brings_its_own_height(zoo: Zoo):
    request = asked(zoo.find("wan2.2-ti2v-5b"), flags(width=704))

    assert (request.width, request.height) == (704, 1280)


def test_a_width_alone_keeps_the_shape_of_the_config_below(wan: ModelSpec):
    request = asked(wan, ("user config", Options(width=512, height=512)), flags(width=256))

    assert (request.width, request.height) == (256, 256)


def test_a_rate_that_is_not_the_models_is_said(wan: ModelSpec):
    assert notes(wan, flags(fps="24")) == [
        "Wan moves at 16 fps; played at 24 everything is 1.5 times as fast"
    ]


def test_a_model_that_takes_the_rate_needs_no_warning(ltx: ModelSpec):
    assert notes(ltx, flags(fps="25")) == []


def test_a_second_guidance_scale_needs_a_second_denoiser(wan: ModelSpec):
    with pytest.raises(RequestError, match="one denoiser and takes no --guidance-scale-2"):
        asked(wan, flags(guidance_scale_2=3))


def test_a_second_guidance_scale_of_a_config_is_left_out_and_said(wan: ModelSpec):
    layer = ("user config", Options(guidance_scale_2=3))

    assert asked(wan, layer).guidance_scale_2 is None
    assert notes(wan, layer) == [
        "wan2.1-t2v-1.3b has one denoiser and takes no --guidance-scale-2; "
        "the user config's is left out"
    ]


def test_a_model_with_two_denoisers_takes_two_scales(zoo: Zoo):
    request = asked(zoo.find("wan2.2-t2v-a14b"), flags(guidance_scale_2=2.5))

    assert (request.guidance_scale_2, request.origins["guidance_scale_2"]) == (2.5, "flag")


def test_loras_are_found_before_anything_loads(wan: ModelSpec, tmp_path: Path):
    file = tmp_path / "ink.safetensors"
    file.touch()

    assert asked(wan, flags(lora=(f"{file}:0.5", "org/name"))).lora == (
        Lora(str(file), 0.5),
        Lora("org/name", 1.0),
    )


def test_everything_changed_is_said_once_and_in_order(wan: ModelSpec):
    assert notes(wan, flags(seconds=5, width=830, height=480, negative_prompt="a\x00")) == [
        "a control character was removed from the negative prompt",
        "830x480 -> 832x480, Wan makes multiples of 16 pixels",
        "5 s at 16 fps: 80 frames -> 81, Wan makes 4n+1",
    ]


def test_videos_differ_in_their_seed_alone(wan: ModelSpec):
    first, second = requests_for(wan, asked(wan, flags(seed=42)), 2)

    assert (first.seed, second.seed) == (42, 4251888718461)
    assert second.origins["seed"] == "derived from 42"
    assert {**second.to_dict(), "seed": None} == {**first.to_dict(), "seed": None}


def test_a_side_that_follows_cannot_grow_beyond_all_bounds(wan: ModelSpec):
    with pytest.raises(RequestError, match="28399x16384 is too large"):
        asked(wan, flags(height=16384))


def test_a_day_of_video_is_refused_with_its_frames(ltx: ModelSpec):
    with pytest.raises(RequestError, match="86400 s at 24 fps are 2,073,600 frames; at most"):
        asked(ltx, flags(seconds=86_400))


def sized(spec: ModelSpec, shifts: dict[int, float]) -> ModelSpec:
    defaults = spec.defaults.model_copy(update={"flow_shift_by_height": shifts})
    return spec.model_copy(update={"defaults": defaults})


@pytest.mark.parametrize(
    ("width", "height", "shift"),
    [(832, 480, 3.0), (480, 832, 3.0), (1280, 720, 5.0), (720, 1280, 5.0), (960, 544, 3.0)],
)
def test_a_flow_shift_can_follow_the_size(wan: ModelSpec, width: int, height: int, shift: float):
    request = asked(sized(wan, {480: 3.0, 720: 5.0}), flags(width=width, height=height))

    assert (request.flow_shift, request.origins["flow_shift"]) == (shift, "zoo")


def test_a_flow_shift_that_is_asked_for_stays(wan: ModelSpec):
    request = asked(sized(wan, {480: 3.0, 720: 5.0}), flags(flow_shift=8.0))

    assert (request.flow_shift, request.origins["flow_shift"]) == (8.0, "flag")


def test_a_negative_prompt_without_guidance_does_nothing_and_that_is_said(wan: ModelSpec):
    said = notes(wan, flags(negative_prompt="rain", guidance_scale=1.0))

    assert said == ["the negative prompt does nothing at a guidance scale of 1; above 1 it does"]


def test_a_negative_prompt_with_guidance_needs_no_words(wan: ModelSpec):
    assert notes(wan, flags(negative_prompt="rain")) == []


@pytest.mark.parametrize(("scale", "is_said"), [(1.0, True), (6.0, False)])
def test_built_in_guidance_looks_at_a_negative_prompt_with_a_true_cfg_scale(
    wan: ModelSpec, scale: float, is_said: bool
):
    defaults = wan.defaults.model_copy(update={"call": {"true_cfg_scale": scale}})
    distilled = wan.model_copy(update={"defaults": defaults})

    said = notes(distilled, flags(negative_prompt="rain"))

    assert ["true_cfg_scale above 1" in note for note in said] == [True] * is_said
