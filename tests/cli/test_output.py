"""What reaches a terminal: text from outside cannot harm it, tokens never appear."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.text import redacted
from t2v_cli.output import Output, one_line, safe_text, to_json

HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
ANYTHING = st.text(st.characters(), max_size=200) | st.text(
    "\x1b\x9b\x07\r\u202e[]31mhf_ \n\t\ud800"
)


def test_an_escape_sequence_loses_its_escape():
    assert safe_text("a \x1b[31mred\x1b[0m ball") == "a �[31mred�[0m ball"


def test_newlines_tabs_emoji_and_right_to_left_letters_stay():
    assert safe_text("a\n\tb 🦊 שלום 好") == "a\n\tb 🦊 שלום 好"


@given(ANYTHING)
def test_no_text_reaches_the_terminal_with_a_control_character(text: str):
    assert not HARMFUL.search(safe_text(text))
    assert not HARMFUL.search(one_line(text))
    assert "\n" not in one_line(text)


@given(ANYTHING)
def test_json_is_harmless_and_keeps_every_character(text: str):
    line = to_json({"prompt": text})
    assert not HARMFUL.search(line)
    assert "\n" not in line
    assert json.loads(line) == {"prompt": redacted(text)} or "hf_" in text


@given(rows=st.lists(st.tuples(ANYTHING, ANYTHING), min_size=1, max_size=4))
def test_no_cell_of_a_table_can_harm(rows: list[tuple[str, str]]):
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("t2v_cli.output._write", lambda _stream, line: written.append(line))
        Output().table(("a", "b"), rows)
    assert len(written) == len(rows) + 1
    assert not any(HARMFUL.search(line) or "\n" in line for line in written)


def test_tokens_and_passwords_are_taken_out():
    text = "get https://me:secret@host/x with hf_abcdefghijklmnopqrstuvwx"
    assert redacted(text) == "get https://***@host/x with ***"


def test_the_token_of_the_environment_is_taken_out_whatever_it_looks_like(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "my-own-kind-of-token")
    assert safe_text("Bearer my-own-kind-of-token") == "Bearer ***"


def test_one_line_joins_and_shortens():
    assert one_line("a red\n  ball bounces", limit=12) == "a red ball …"


def test_a_table_in_a_pipe_is_aligned_text(capsys):
    Output().table(("name", "size"), [("doodle-128", "15M"), ("wan", "[bold]1.3B[/x]")])
    assert capsys.readouterr().out.splitlines() == [
        "name        size",
        "doodle-128  15M",
        "wan         [bold]1.3B[/x]",
    ]


def test_talk_is_on_stderr_and_quiet_drops_it(capsys):
    output = Output()
    output.talk("said")
    output.quiet = True
    output.talk("not said")
    output.warn("said all the same")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "said\nwarning: said all the same\n")
