from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.errors import RequestError
from t2v.plan.lora import is_path, locate, parse_lora
from t2v.plan.request import Lora


@pytest.mark.parametrize(
    ("text", "source", "scale"),
    [
        ("org/name", "org/name", 1.0),
        ("org/name:0.8", "org/name", 0.8),
        ("org/name:-1", "org/name", -1.0),
        ("org/name:.5", "org/name", 0.5),
        ("org/name:+2.", "org/name", 2.0),
        ("org/name:1e-2", "org/name", 0.01),
        (r"C:\loras\ink.safetensors", r"C:\loras\ink.safetensors", 1.0),
        (r"C:\loras\ink.safetensors:0.5", r"C:\loras\ink.safetensors", 0.5),
        ("C:/ink.safetensors", "C:/ink.safetensors", 1.0),
        ("a:b.safetensors:2", "a:b.safetensors", 2.0),
        (" ink.safetensors ", "ink.safetensors", 1.0),
    ],
)
def test_the_scale_is_the_number_after_the_last_colon(text, source, scale):
    assert parse_lora(text) == Lora(source, scale)


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "\x1b[2J:1"])
def test_what_is_no_source_is_refused(text):
    with pytest.raises(RequestError, match=r"--lora takes REPO_OR_FILE\[:SCALE\]"):
        parse_lora(text)


@pytest.mark.parametrize("text", ["org/name:1000", "org/name:1e300", "org/name:1e999"])
def test_an_absurd_scale_is_refused(text):
    with pytest.raises(RequestError, match="lies between -100 and 100"):
        parse_lora(text)


sources = st.text("abcXYZ019/._-\\ ", min_size=1).map(str.strip).filter(bool)
scales = st.floats(-100, 100)


@given(sources, scales)
def test_a_lora_reads_back_what_it_writes(source, scale):
    assert parse_lora(str(Lora(source, scale))) == Lora(source, scale)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("org/name", False),
        ("org/name@main", False),
        ("org/name/folder/file.safetensors", False),
        ("ink.safetensors", True),
        ("loras/ink.safetensors", True),
        ("./org/name", True),
        ("~/ink", True),
        (r"C:\ink", True),
        ("ink", True),
    ],
)
def test_files_are_told_from_repositories(source, answer):
    assert is_path(source) is answer


def test_a_file_that_is_there_becomes_absolute(tmp_path: Path):
    file = tmp_path / "ink.safetensors"
    file.touch()

    assert locate(Lora("ink.safetensors", 0.5), tmp_path) == Lora(str(file), 0.5)


def test_a_missing_file_is_said_before_anything_loads(tmp_path: Path):
    with pytest.raises(RequestError, match=r"no LoRA file 'ink\.safetensors'"):
        locate(Lora("ink.safetensors"), tmp_path)


def test_a_repository_stays_a_repository(tmp_path: Path):
    assert locate(Lora("org/name"), tmp_path) == Lora("org/name")
