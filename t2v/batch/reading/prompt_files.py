"""From prompt files of any format to items: all mistakes first, then one item at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import TextIO

from t2v.batch.items import Item
from t2v.batch.reading.alternatives import MAX_VIDEOS, Wildcards, is_plain
from t2v.batch.reading.beside import Beside
from t2v.batch.reading.documents import read_document
from t2v.batch.reading.entries import Entry, Values, checked, laid
from t2v.batch.reading.lines import read_lines
from t2v.batch.reading.mistakes import Mistakes
from t2v.batch.reading.records import read_records
from t2v.batch.reading.sweeps import Axis, Sheet, points, read_changes, read_sweeps
from t2v.batch.reading.tables import read_table
from t2v.batch.reading.texts import PromptFile, open_file
from t2v.batch.reading.variants import MisplacedError, check_beginning, texts_of, variants
from t2v.errors import DocumentError, T2VError
from t2v.plan.options import Options
from t2v.plan.wording import quoted

MAX_ITEMS = 1_000_000
"""Of all files: what no list of prompts has, but alternatives and sweeps soon multiply to."""

_OPTIONS = frozenset(Options.model_fields)
_NOTHING_SAID = Options()


def read_items(
    files: Sequence[str | Path],
    *,
    changes: Mapping[str, str] | None = None,
    sweeps: Mapping[str, Sequence[str]] | None = None,
    stdin: TextIO | None = None,
) -> Iterator[Item]:
    """The items of prompt files, in order; every file is checked whole before the first of them.

    Args:
        files: `.txt`, `.csv`, `.jsonl` or `.yaml` files; `-` is `stdin`, as text or JSON lines.
        changes: Values that hold for every item, whatever the files say.
        sweeps: Values that every item is made with, one after the other; several multiply.
        stdin: What `-` reads.

    Raises:
        DocumentError: Something is wrong; a line for every mistake of every file.
    """
    mistakes = Mistakes()
    here = Beside(Path())
    changed = read_changes(changes or {}, here, mistakes)
    layers = _Layers(changed, read_sweeps(sweeps or {}, changed, here, mistakes))
    opened = [file for given in files if (file := open_file(given, stdin, mistakes))]
    ids = _Ids()
    num_items = 0
    for file in opened:
        ids.names.append(file.name)
        num_items += _Reader(file, layers, mistakes, ids).check(MAX_ITEMS - num_items)
    mistakes.check()
    return _streamed(opened, layers)


@dataclass(frozen=True, slots=True)
class _Layers:
    """What the command line says, on top of any file."""

    changed: Values = field(default_factory=dict)
    axes: Sequence[Axis] = ()


@dataclass(frozen=True, slots=True)
class _Ids:
    """Where each `custom_id` was seen first."""

    names: list[str] = field(default_factory=list)
    """Of the files."""
    places: dict[int, int] = field(default_factory=dict)


def _streamed(opened: Sequence[PromptFile], layers: _Layers) -> Iterator[Item]:
    for file in opened:
        mistakes = Mistakes()
        yield from _Reader(file, layers, mistakes).items()
        mistakes.check()
        if file.has_changed():
            raise DocumentError(f"{file.name} was changed while it was read; run it again.")


class _Reader:
    """Reads one file, either to check it or to hand out its items."""

    def __init__(
        self,
        file: PromptFile,
        layers: _Layers,
        mistakes: Mistakes,
        ids: _Ids | None = None,
    ) -> None:
        self.file = file
        self.layers = layers
        self.mistakes = mistakes
        self.beside = Beside(file.folder)
        self.wildcards = Wildcards(file.folder)
        self.ids = ids or _Ids()

    def check(self, most: int) -> int:
        """Find everything that is wrong; the number of items."""
        before, num_items = self.mistakes.count, 0
        sheet = self._sheet()
        for entry in sheet.entries:
            for values, _, _ in self._made_of(entry, sheet):
                num_items += 1
                self._check_beginning(entry, values)
                if num_items > most:
                    self.mistakes.add(
                        entry.where((), 0), f"more than {MAX_ITEMS:,} videos up to here; split it."
                    )
                    return num_items
            self._check_id(entry)
        if not num_items and self.mistakes.count == before:
            self.mistakes.add(f"{self.file.name}:1:1", "there are no prompts in it.")
        return num_items

    def items(self) -> Iterator[Item]:
        """The items, in order."""
        sheet = self._sheet()
        for entry in sheet.entries:
            for values, custom_id, options in self._made_of(entry, sheet):
                yield Item(
                    values.get("prompt"),
                    _options(values) if options is None else options,
                    custom_id,
                    values.get("output"),
                    f"{self.file.short}:{entry.line}",
                )

    def _sheet(self) -> Sheet:
        match self.file.kind:
            case "lines":
                return Sheet(read_lines(self.file, self.mistakes))
            case "table":
                return Sheet(read_table(self.file, self.mistakes))
            case "records":
                return Sheet(read_records(self.file, self.mistakes))
            case "document":
                return read_document(self.file, self.beside, self.mistakes)

    def _made_of(
        self, entry: Entry, sheet: Sheet
    ) -> Iterator[tuple[Values, str | None, Options | None]]:
        """The values of every video that an entry stands for, and what its user calls it.

        Their options as well, where they are known already.
        """
        own = checked(entry, self.beside, self.mistakes)
        if own is None or self._is_in_matrix(entry, own, sheet):
            return
        if self._is_single(sheet) and all(is_plain(text) for _, text in texts_of(own)):
            yield own, own.get("custom_id"), entry.options
            return
        uppers = list(points(self.layers.axes))
        made: list[tuple[int, Iterable[Values]]] = []
        total = 0
        for lower in points(sheet.axes):
            for upper in uppers:
                values = laid(laid(sheet.defaults, lower), own)
                made.append(self._variants(entry, laid(values, self.layers.changed | upper)))
                total += made[-1][0]
                if total > MAX_VIDEOS:
                    self.mistakes.add(
                        entry.where((), 0), f"makes more than {MAX_VIDEOS:,} videos; write fewer."
                    )
                    return
        custom_id, numbers = own.get("custom_id"), count(1)
        for values in chain.from_iterable(one for _, one in made):
            name = custom_id if total == 1 else custom_id and f"{custom_id}-{next(numbers)}"
            yield values, name, None

    def _variants(self, entry: Entry, values: Values) -> tuple[int, Iterable[Values]]:
        try:
            return variants(values, self.wildcards)
        except MisplacedError as error:
            called = entry.called(str(error.path[0]))
            where = entry.where(error.path, error.offset if error.path[0] in entry.values else 0)
            self.mistakes.add(where, f"{called}: {error}")
            return 0, ()

    def _is_single(self, sheet: Sheet) -> bool:
        """Whether an entry is all that is said of its video."""
        layers = self.layers
        return not (sheet.defaults or sheet.axes or layers.changed or layers.axes)

    def _is_in_matrix(self, entry: Entry, own: Values, sheet: Sheet) -> bool:
        """Whether an item says itself what it is run through; then neither can be meant."""
        twice = [(axis, name) for axis in sheet.axes for name in sorted(axis.names & own.keys())]
        for axis, name in twice[:1]:
            self.mistakes.add(
                entry.where((name,), 0),
                f"{entry.called(name)} is in the matrix as {axis.called}; leave one of them out.",
            )
        return bool(twice)

    def _check_beginning(self, entry: Entry, values: Values) -> None:
        try:
            check_beginning(values)
        except (ValueError, T2VError) as error:
            self.mistakes.add(entry.where(("prompt",), 0), str(error))

    def _check_id(self, entry: Entry) -> None:
        custom_id = entry.values.get("custom_id")
        if custom_id is None:
            return
        # A hundred thousand names would have to be kept; numbers are small.
        place = len(self.ids.names) - 1 << 40 | entry.line
        first = self.ids.places.setdefault(hash(str(custom_id)), place)
        if first != place:
            where = f"{self.ids.names[first >> 40]}:{first & (1 << 40) - 1}"
            called = entry.called("custom_id")
            message = f"{called} {quoted(custom_id)} is there already, at {where}."
            self.mistakes.add(entry.where(("custom_id",), 0), message)


def _options(values: Values) -> Options:
    said = {name: value for name, value in values.items() if name in _OPTIONS and value is not None}
    return Options(**said) if said else _NOTHING_SAID
