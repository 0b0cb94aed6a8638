import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.errors import RequestError
from t2v.plan.options import Options
from t2v.plan.request import Request
from t2v.plan.resolve import resolve
from t2v.zoo.spec import ModelSpec


def made(spec: ModelSpec, **values: object) -> Request:
    return resolve(spec, "a fox", [("flag", Options(**values))])[0]


@given(
    st.builds(
        Options,
        num_frames=st.integers(1, 300),
        seed=st.integers(0, 2**63 - 1),
        fps=st.sampled_from(["16", "23.976", "12.5"]),
        guidance_scale=st.none() | st.floats(0, 100),
        lora=st.none() | st.just(("org/name:0.25", "org/other")),
    )
)
def test_a_request_survives_json(wan: ModelSpec, options: Options):
    request = resolve(wan, "a fox", [("flag", options)])[0]
    again = Request.from_dict(json.loads(json.dumps(request.to_dict())))

    assert again == request
    assert again.origins == request.origins


def test_each_value_stands_beside_its_origin(wan: ModelSpec):
    record = made(wan, fps="23.976", lora=("org/name:0.5",)).to_dict()

    assert record["fps"] == {"value": "24000/1001", "origin": "flag"}
    assert record["lora"] == {"value": [{"source": "org/name", "scale": 0.5}], "origin": "flag"}
    assert record["width"] == {"value": 832, "origin": "zoo"}


def test_names_of_a_later_version_are_left_out(wan: ModelSpec):
    request = made(wan, seed=1)

    assert Request.from_dict({**request.to_dict(), "hologram": {"value": 1}}) == request


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": {"value": 10**12}}, "num_frames must be at most"),
        ({"num_frames": {"value": [81]}}, "num_frames must be a whole number"),
        ({"width": 832}, "Not a request of t2v"),
        ({"lora": {"value": 7}}, "lora must be a list"),
        ({"lora": {"value": [{"where": "x"}]}}, "lora must be a list"),
        ({"prompt": {"value": ""}}, "The prompt is empty"),
        ({"fps": {"value": None}}, "it lacks fps"),
        ({"max_sequence_length": {"value": "x"}}, "max_sequence_length must be a whole number"),
    ],
)
def test_a_record_of_a_stranger_is_checked(wan: ModelSpec, change: dict, message: str):
    with pytest.raises(RequestError, match=message):
        Request.from_dict({**made(wan).to_dict(), **change})


def test_a_record_without_a_seed_is_no_request(wan: ModelSpec):
    record = made(wan).to_dict()
    del record["seed"]

    with pytest.raises(RequestError, match="it lacks seed"):
        Request.from_dict(record)


def test_a_request_can_be_asked_for_again(wan: ModelSpec):
    request = made(wan, seconds=2, lora=("org/name:-0.5",), codec="hevc")

    assert resolve(wan, "a fox", [("replay", request.to_options())])[0] == request


def test_the_length_in_seconds_is_frames_over_rate(wan: ModelSpec):
    assert made(wan, num_frames=81).duration_s == 5.0625
