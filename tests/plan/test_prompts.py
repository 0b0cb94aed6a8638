import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.errors import RequestError
from t2v.plan.prompts import checked_prompt, clean_prompt, clean_text


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x1b"])
def test_an_empty_prompt_is_refused(text):
    with pytest.raises(RequestError, match="The prompt is empty"):
        checked_prompt(text)


def test_a_prompt_beyond_a_megabyte_is_refused_with_its_size():
    with pytest.raises(RequestError, match="has 10,000,000 bytes; at most 1,000,000 are taken"):
        checked_prompt("x" * 10_000_000)


@pytest.mark.parametrize(
    ("text", "cleaned", "notes"),
    [
        ("a\x00b", "ab", ["a control character was removed from the prompt"]),
        ("\x1b[31mred\x07", "[31mred", ["2 control characters were removed from the prompt"]),
        ("two\nlines\tand a tab", "two\nlines\tand a tab", []),
        ("a\u202egpj", "agpj", ["a control character was removed from the prompt"]),
        ("lone \udce9", "lone ", ["a control character was removed from the prompt"]),
        ("👩‍🚀 on the moon", "👩‍🚀 on the moon", []),
        ("كرة حمراء", "كرة حمراء", []),
    ],
)
def test_only_what_is_no_text_is_removed(text, cleaned, notes):
    assert clean_prompt(text) == (cleaned, notes)


@given(st.text())
def test_cleaned_text_is_safe_for_a_terminal_and_a_file(text):
    cleaned = clean_text(text)

    assert not {unicodedata.category(c) for c in cleaned if c not in "\n\t"} & {"Cc", "Cs"}
    assert cleaned.encode().decode() == cleaned
    assert clean_text(cleaned) == cleaned
