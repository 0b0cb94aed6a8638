"""What reaches the model and the terminal of a text that a user gave."""

import unicodedata

from t2v.errors import RequestError

MAX_PROMPT_BYTES = 1_000_000
_KEPT = frozenset("\n\t")
# Embeddings, overrides and isolates can make a terminal show another text than the one that is used.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str) -> str:
    """The text without control characters, lone surrogates and reordering marks."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(filter(_is_text, text))


def clean_prompt(text: str, what: str = "prompt") -> tuple[str, list[str]]:
    """The prompt as the model gets it, and what is to be said about it."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_PROMPT_BYTES:
        raise RequestError(f"The {what} has {size:,} bytes; at most {MAX_PROMPT_BYTES:,} are taken")
    cleaned = clean_text(text)
    removed = len(text) - len(cleaned)
    notes = [f"{removed} control characters were removed from the {what}"] if removed > 1 else []
    return cleaned, notes or ([f"a control character was removed from the {what}"] * removed)


def checked_prompt(text: str) -> tuple[str, list[str]]:
    """The same for the main prompt, which must say something."""
    cleaned, notes = clean_prompt(text)
    if not cleaned.strip():
        raise RequestError("The prompt is empty; say what the video should show")
    return cleaned, notes


def _is_text(character: str) -> bool:
    if character in _KEPT:
        return True
    return unicodedata.category(character) not in {"Cc", "Cs"} and character not in _REORDERING
