"""`.csv`: the first row names the columns, every other row is a video."""

import csv
from collections.abc import Iterator
from itertools import chain

from t2v.batch.reading.entries import KEYS, Entry, by_name
from t2v.batch.reading.mistakes import Mistakes
from t2v.batch.reading.texts import PromptFile, lines
from t2v.zoo.documents import KeyPath

_DELIMITERS = (",", ";", "\t")


class _Rows:
    """The rows of a table, and the text of the one that was read last."""

    def __init__(self, file: PromptFile, mistakes: Mistakes) -> None:
        self.name = file.name
        self.line = 0
        """Where the last row begins."""
        self.raw: list[str] = []
        self._lines = ((number, f"{text}\n") for number, text in lines(file, mistakes))
        header = next((pair for pair in self._lines if pair[1].strip()), (1, ""))
        self.delimiter = next((one for one in _DELIMITERS if one in header[1]), ",")
        self._reader = csv.reader(
            self._watched(header), delimiter=self.delimiter, strict=True, skipinitialspace=True
        )

    def __iter__(self) -> Iterator[list[str]]:
        while True:
            self.raw, self.line = [], 0
            row = next(self._reader, None)
            if row is None:
                return
            if any(cell.strip() for cell in row):
                yield row

    def where(self, index: int) -> str:
        """`file:line:column` of a cell of the last row."""
        return place_of(self.name, self.line, "".join(self.raw), self.delimiter, index)

    def _watched(self, header: tuple[int, str]) -> Iterator[str]:
        for number, text in chain([header], self._lines):
            self.line = self.line or number
            self.raw.append(text)
            yield text


def read_table(file: PromptFile, mistakes: Mistakes) -> Iterator[Entry]:
    """The entries of a table; what is wrong with a row goes to `mistakes`."""
    rows = _Rows(file, mistakes)
    try:
        header = next(iter(rows), None)
        columns, written = _columns(rows, header, mistakes) if header else ([], {})
        for row in rows if columns else ():
            if len(row) == len(columns):
                yield _entry(rows, row, columns, written)
            else:
                extra = min(len(row) - 1, len(columns))
                hint = " Put text with commas in quotes." if len(row) > len(columns) else ""
                message = f"cells in this row: {len(row)}; columns: {len(columns)}."
                mistakes.add(rows.where(extra), message + hint)
    except csv.Error as error:
        mistakes.add(f"{file.name}:{rows.line or 1}:1", _explained(error))


def place_of(name: str, line: int, raw: str, delimiter: str, index: int) -> str:
    """`file:line:column` of a cell, in the text of its row.

    >>> place_of("a.csv", 7, '"one, two", 3, 4', ",", 2)
    'a.csv:7:16'
    """
    column, is_quoted = 1, False
    for letter in raw:
        if index == 0 and letter != " ":
            break
        column += 1
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == "\n":
            line, column = line + 1, 1
        elif letter == delimiter and not is_quoted:
            index -= 1
    return f"{name}:{line}:{column}"


def _columns(rows: _Rows, row: list[str], mistakes: Mistakes) -> tuple[list[str], dict[str, str]]:
    """Proper names of the columns, none after a mistake, and what the file calls them."""
    cells = [cell.strip() for cell in row]
    before = mistakes.count

    def wrong(key: str, message: str) -> None:
        index = len(cells) - 1 - cells[::-1].index(key)
        mistakes.add(rows.where(index), message)

    if not any(cell.replace("-", "_") in KEYS for cell in cells):
        mistakes.add(rows.where(0), "the first row must name the columns, such as prompt,seed.")
        return [], {}
    values, written = by_name(((cell, cell) for cell in cells), wrong)
    return (list(values), written) if mistakes.count == before else ([], {})


def _entry(rows: _Rows, row: list[str], columns: list[str], written: dict[str, str]) -> Entry:
    name, line, raw, delimiter = rows.name, rows.line, rows.raw, rows.delimiter

    def where(path: KeyPath, _: int) -> str:
        index = columns.index(str(path[0])) if path and path[0] in columns else 0
        return place_of(name, line, "".join(raw), delimiter, index)

    values = {key: cell for key, cell in zip(columns, row, strict=True) if cell.strip()}
    return Entry(line, values, where, written, is_text=True)


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text or "unexpected end" in text:
        return "a quoted cell of this row is not closed, or is longer than any prompt."
    return f"not CSV: {text}."
