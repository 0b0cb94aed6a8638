"""A table that fits its width: columns leave in order of their rank, and nothing wraps."""

import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "
_UNLIMITED = 1 << 30


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, how soon it leaves, and how narrow it may become."""

    title: str
    rank: int
    """The lowest ranks stay longest."""
    shortest: int | None = None
    """Characters that tell enough of a cell; None for one that is shown whole or not at all."""
    is_number: bool = False
    """Numbers end at the right edge."""


def terminal_width() -> int:
    """Columns of the terminal, or what `COLUMNS` says."""
    return shutil.get_terminal_size((100, 24)).columns


def text_width(text: str) -> int:
    """How many columns the text takes: letters of East Asia take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def shortened(text: str, width: int) -> str:
    """The text in so many columns, with an ellipsis where some of it is cut off."""
    if text_width(text) <= width:
        return text
    kept = ""
    for letter in text:
        if text_width(kept + letter) > width - 1:
            break
        kept += letter
    return f"{kept.rstrip()}…"


def fitted(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[tuple[int, int]]:
    """Which columns are shown, and how wide: (index, width) from left to right."""
    natural = [
        max(text_width(text) for text in (column.title, *(row[index] for row in rows)))
        for index, column in enumerate(columns)
    ]
    chosen: dict[int, int] = {}
    left = width + len(GAP)
    for index in sorted(range(len(columns)), key=lambda index: columns[index].rank):
        least = columns[index].shortest or natural[index]
        room = left - len(GAP)
        if chosen and min(least, natural[index]) > room:
            break
        chosen[index] = max(min(natural[index], room), 1)
        left -= chosen[index] + len(GAP)
    return sorted(chosen.items())


def lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None = None
) -> list[str]:
    """The table as text, headings first; without a width, all of it."""
    shown = fitted(columns, rows, _UNLIMITED if width is None else width)
    headings = [column.title for column in columns]
    return [
        GAP.join(_cell(columns[i], row[i], wide) for i, wide in shown).rstrip()
        for row in (headings, *rows)
    ]


def _cell(column: Column, text: str, width: int) -> str:
    text = shortened(text, width)
    padding = " " * (width - text_width(text))
    return padding + text if column.is_number else text + padding
