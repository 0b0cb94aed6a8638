"""Whatever is in a prompt file: items, or an error in lines with places. Never a crash, never a guess."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from t2v.batch.reading.alternatives import Wildcards, expand
from t2v.batch.reading.entries import KEYS
from t2v.batch.reading.flags import FLAGS, first_flag, split, target
from t2v.batch.reading.prompt_files import read_items
from t2v.errors import DocumentError

SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = ("a.txt", "a.csv", "a.jsonl", "a.yaml", "-")
WORDS = ("fox", "--", "--w", "--n", "-n", "—w", "832", "{", "|", "}", "__x__", "\\", '"', ",", "\t")
MARKS = (
    "\n",
    "\r\n",
    "#",
    ":",
    "- ",
    "[",
    "]",
    "prompt",
    "seed",
    "items",
    "defaults",
    "'",
    "\x85",
    " ",
)
ENGLISH = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz ,.'äß猫-"), min_size=1).filter(
    lambda text: text.strip() and not first_flag(text) and not text.strip().startswith("-")
)
UNKNOWN = st.from_regex(r"[a-z][a-z_]{0,15}", fullmatch=True).filter(
    lambda key: key not in KEYS and target(key) is None
)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("red\nblue\n")


def outcome(name: str, data: bytes) -> list[str] | str:
    """The prompts, or the message."""
    if name != "-":
        Path(name).write_bytes(data)
    stdin = io.TextIOWrapper(io.BytesIO(data))
    try:
        return [str(item.prompt) for item in read_items([name], stdin=stdin)]
    except DocumentError as error:
        return str(error)


@SETTINGS
@given(st.sampled_from(NAMES), st.lists(st.sampled_from((*WORDS, *MARKS)), max_size=30))
def test_any_text_is_items_or_an_error_with_a_place(name, words):
    found = outcome(name, "".join(words).encode())

    if isinstance(found, str):
        shown = "stdin" if name == "-" else re.escape(name)
        for line in found.splitlines():
            assert re.match(rf"{shown}:\d+:\d+: \S", line), line


@SETTINGS
@given(st.sampled_from(NAMES), st.binary(max_size=80))
@example("a.csv", b"\xff\xfe")
@example("a.yaml", b"\xef\xbb\xbf")
@example("a.jsonl", b'{"prompt": "\\ud800"}')
def test_any_bytes_are_items_or_an_error(name, data):
    assert outcome(name, data)


@SETTINGS
@given(ENGLISH, UNKNOWN, st.integers(0, 9))
def test_an_unknown_key_is_never_accepted(prompt, key, value):
    table = io.StringIO()
    csv.writer(table).writerows([["prompt", key], [prompt, value]])
    files = {
        "a.txt": f"{prompt} --{key} {value}",
        "a.csv": table.getvalue(),
        "a.jsonl": json.dumps({"prompt": prompt, key: value}),
        "a.yaml": f"- {json.dumps({'prompt': prompt, key: value})}",
    }

    for name, text in files.items():
        message = outcome(name, text.encode())
        assert isinstance(message, str)
        assert "there is no" in message
        assert key in message


@SETTINGS
@given(ENGLISH, st.integers(0, 2**63 - 1), st.integers(1, 16384))
def test_every_format_says_the_same(prompt, seed, width):
    table = io.StringIO()
    csv.writer(table).writerows([["prompt", "seed", "width"], [prompt.strip(), seed, width]])
    record = json.dumps({"prompt": prompt.strip(), "seed": seed, "width": width})
    for name, text in {
        "a.txt": f"{prompt} --d {seed} --w {width}",
        "a.csv": table.getvalue(),
        "a.jsonl": record,
        "a.yaml": f"- {record}",
    }.items():
        Path(name).write_text(text, "utf-8")

    for item in read_items([name for name in NAMES if name != "-"]):
        assert item.prompt == prompt.strip()
        assert item.options.said() == {"seed": seed, "width": width}


@SETTINGS
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_nothing_of_a_line_is_lost_between_prompt_and_flags(line):
    prompt, flags = split(line)

    assert first_flag(prompt) is None
    assert line.startswith(prompt)
    for flag in flags:
        assert line[flag.start :].startswith(f"--{flag.name}")
        assert flag.value in line


@SETTINGS
@given(st.text(st.sampled_from("ab{}|\\_- "), max_size=25))
def test_alternatives_are_as_many_as_counted_or_a_mistake(text):
    try:
        count, made = expand(text, Wildcards(Path()))
    except ValueError:
        return

    assert len(list(made)) == count


def test_every_flag_is_a_key_of_the_other_formats():
    assert set(FLAGS.values()) - {"endless"} <= set(KEYS)
    assert set(KEYS.values()) - {"prompt"} <= set(FLAGS.values())
