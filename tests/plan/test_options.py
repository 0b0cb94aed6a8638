from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from t2v.errors import RequestError
from t2v.plan.options import Options, parse_rate, parse_size


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_frames": -3}, "--num-frames must be at least 1, not -3"),
        ({"num_frames": "-3"}, "--num-frames must be at least 1, not -3"),
        ({"num_frames": "many"}, "--num-frames must be a whole number, not 'many'"),
        ({"num_frames": 1.5}, "--num-frames must be a whole number, not 1.5"),
        ({"width": 99999}, "--width must be at most 16384, not 99999"),
        ({"seconds": 0}, "--seconds must be more than 0, not 0"),
        ({"seconds": float("nan")}, "--seconds must be a finite number, not nan"),
        ({"seed": -1}, "--seed must be at least 0, not -1"),
        ({"seed": 2**63}, "--seed must be at most 9223372036854775807, not 9223372036854775808"),
        ({"device": "tpu"}, "--device must be auto, cpu, mps, xpu, cuda or cuda:N, not 'tpu'"),
        ({"dtype": "int8"}, "--dtype must be auto, float32, float16 or bfloat16, not 'int8'"),
        ({"metadata": "perhaps"}, "--metadata must be yes or no, not 'perhaps'"),
        ({"model": 5}, "--model must be text, not 5"),
        ({"model": "m" * 5000}, f"--model must be at most 4096 characters, not '{'m' * 35}...'"),
        ({"lora": 5}, "--lora must be a list, not 5"),
        (
            {"scheduler": "a b"},
            "--scheduler must be a scheduler class of diffusers such as UniPCMultistepScheduler, not 'a b'",
        ),
        (
            {"fps": "fast"},
            "--fps: not a frame rate such as 16, 23.976 or 24000/1001 (it is 'fast')",
        ),
        ({"fps": "0"}, "--fps: a frame rate lies between 0.1 and 1000 (it is '0')"),
        ({"num_frame": 3}, "There is no option 'num_frame'. Did you mean 'num_frames'?"),
        ({"xyzzy": 3}, "There is no option 'xyzzy'."),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_flag(values, message):
    with pytest.raises(RequestError) as caught:
        Options.checked(values)

    assert str(caught.value) == message


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(RequestError) as caught:
        Options.checked({"num_frames": 0, "fps": 16, "memory": "lots"})

    assert str(caught.value).splitlines() == [
        "--num-frames must be at least 1, not 0",
        "--memory must be auto, none, model, group or sequential, not 'lots'",
    ]


def test_python_callers_read_the_names_of_their_arguments():
    with pytest.raises(RequestError, match=r"^num_frames must be at least 1, not -3$"):
        Options(num_frames=-3)


def test_control_characters_of_a_wrong_value_do_not_reach_the_terminal():
    with pytest.raises(RequestError) as caught:
        Options.checked({"dtype": "\x1b[31mred"})

    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("16", "16"),
        ("23.976", "24000/1001"),
        ("23.98", "24000/1001"),
        ("29.97", "30000/1001"),
        ("59.94", "60000/1001"),
        ("30000/1001", "30000/1001"),
        ("12.5", "25/2"),
        ("1", "1"),
        ("0.5", "1/2"),
        ("24.0", "24"),
        (" 25 ", "25"),
    ],
)
def test_rates_are_exact(text, rate):
    assert parse_rate(text) == Fraction(rate)


@given(st.text(max_size=20))
@example("1e999999999")
@example("1/0")
@example("-1")
@example("1_0")
@example("١٦")
def test_what_is_no_rate_is_refused_and_never_hangs(text):
    try:
        assert Fraction(1, 10) <= parse_rate(text) <= 1000
    except ValueError as error:
        assert "frame rate" in str(error)  # noqa: PT017 - any text may also be a good rate


@pytest.mark.parametrize("value", [16, 16.0, "16", Fraction(16)])
def test_a_rate_may_be_a_number_or_text(value):
    assert Options(fps=value).fps == "16"


@pytest.mark.parametrize("text", ["832x480", "832X480", "832×480", " 832 x 480 "])
def test_sizes_are_width_times_height(text):
    assert parse_size(text) == (832, 480)


@pytest.mark.parametrize("text", ["832", "x", "832x", "-8x8", "832x480x81", "9999999x8"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(RequestError, match="must look like 832x480"):
        parse_size(text)


def test_text_pairs_take_the_short_names_and_dashes_of_the_command_line():
    pairs = {
        "steps": "20",
        "guidance": "4.5",
        "size": "832x480",
        "num-frames": "17",
        "lora": "org/one:0.5,two.safetensors",
        "metadata": "no",
        "fps": "23.976",
    }

    assert Options.from_strings(pairs) == Options(
        num_inference_steps=20,
        guidance_scale=4.5,
        width=832,
        height=480,
        num_frames=17,
        lora=("org/one:0.5", "two.safetensors"),
        metadata=False,
        fps="24000/1001",
    )


def test_a_wrong_text_pair_is_named_as_it_was_written_in_the_library():
    with pytest.raises(
        RequestError, match=r"^num_inference_steps must be a whole number, not 'x'$"
    ):
        Options.from_strings({"steps": "x"})


def test_an_unknown_text_pair_gets_a_suggestion():
    with pytest.raises(RequestError, match="Did you mean 'guidance_scale'"):
        Options.from_strings({"guidance_scal": "3"})


def test_options_on_top_win():
    assert Options(seed=1, width=64).overlaid(Options(seed=2)) == Options(seed=2, width=64)


def test_seconds_on_top_replace_the_frame_count_below():
    assert Options(num_frames=81).overlaid(Options(seconds=2)) == Options(seconds=2)
