"""Whatever arrives, the answer is a plan or an error of ours."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from t2v.errors import DocumentError, RequestError
from t2v.plan.config import read_config
from t2v.plan.options import MAX_FRAMES, Options
from t2v.plan.request import Request
from t2v.plan.resolve import resolve
from t2v.zoo.spec import ModelSpec

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["1e999999999", "9" * 5000, "\x00", "../../etc", "\udce9", "NaN", "-0"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([*Options.model_fields, "size", "steps"]) | st.text(max_size=10)


@settings(max_examples=50)
@given(st.dictionaries(names, values, max_size=6))
def test_any_options_are_taken_or_refused(given_values):
    with contextlib.suppress(RequestError):
        Options.checked(given_values)


@given(st.dictionaries(names, st.text(max_size=30), max_size=6))
def test_any_text_pairs_are_taken_or_refused(pairs):
    with contextlib.suppress(RequestError):
        Options.from_strings(pairs)


@given(
    st.text(max_size=50),
    st.builds(
        Options,
        width=st.none() | st.integers(1, 16384),
        height=st.none() | st.integers(1, 16384),
        num_frames=st.none() | st.integers(1, 1_000_000),
        seconds=st.none() | st.floats(0, 86_400, exclude_min=True),
        fps=st.none() | st.sampled_from(["0.1", "1000", "23.976", "1/7"]),
    ),
)
def test_any_request_is_legal_or_refused(wan: ModelSpec, prompt: str, options: Options):
    with contextlib.suppress(RequestError):
        request, _ = resolve(wan, prompt, [("flag", options)])
        assert request.width % 16 == request.height % 16 == 0
        # Windows make any number of frames that is longer than one clip.
        assert request.num_frames % 4 == 1 or request.num_frames > 81
        assert request.num_frames <= MAX_FRAMES


entries = st.fixed_dictionaries({}, optional={"value": values, "origin": values}) | values


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*Request.__slots__, "more"]), entries))
def test_any_record_is_a_request_or_refused(record):
    with contextlib.suppress(RequestError):
        Request.from_dict(record)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
@example("a: &a [*a]")
@example("models: {x: {lora: [[[]]]}}")
@example("lora: [1, {a: b}]\nmodel: [x]\nfps: {}\n")
@example("seed: 99999999999999999999999999\nwidth: 1e400\n")
@example("? [a, b]\n: c\n")
def test_any_config_is_read_or_refused(tmp_path: Path, text: str):
    path = tmp_path / "t2v.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))

    with contextlib.suppress(DocumentError):
        read_config(path, inside=tmp_path)


@pytest.mark.parametrize(
    "text",
    ["~nobody-such/x.safetensors", "a" * 300, "/" + "a/" * 3000],
    ids=["no user", "long name", "long path"],
)
def test_a_path_that_no_system_takes_is_a_clear_error(wan: ModelSpec, text: str):
    with pytest.raises(RequestError):
        resolve(wan, "a fox", [("flag", Options(lora=(text,)))])
