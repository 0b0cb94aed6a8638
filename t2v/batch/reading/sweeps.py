"""Values that several videos share, and values that are run through: `matrix`, `--set`, `--sweep`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from t2v.batch.reading.beside import Beside
from t2v.batch.reading.entries import KEYS, Entry, Values, Where, by_name, checked, unknown
from t2v.batch.reading.mistakes import Mistakes

OF_ALL = {key: name for key, name in KEYS.items() if name not in ("prompt", "custom_id")}
"""What can be said of all videos at once."""
SWEPT = {key: name for key, name in OF_ALL.items() if name != "output"}


class Axis(NamedTuple):
    """A key, and the values that it runs through."""

    called: str
    points: tuple[Values, ...]

    @property
    def names(self) -> frozenset[str]:
        """What it sets: two names for a size."""
        return frozenset().union(*self.points)


@dataclass(slots=True)
class Sheet:
    """A prompt file, read: its entries, and what holds for all of them."""

    entries: Iterable[Entry]
    defaults: Values = field(default_factory=dict)
    axes: Sequence[Axis] = ()


def points(axes: Sequence[Axis]) -> Iterator[Values]:
    """One value of each axis, the last axis changing first."""
    for chosen in product(*(axis.points for axis in axes)):
        yield {name: value for point in chosen for name, value in point.items()}


def read_changes(changes: Mapping[str, str], beside: Beside, mistakes: Mistakes) -> Values:
    """The values of `--set`, which hold whatever a file says."""
    values, written = by_name(
        changes.items(), lambda key, message: mistakes.add(f"--set {key}", message), OF_ALL
    )
    entry = Entry(0, values, _place_in("--set"), written, is_text=True)
    return checked(entry, beside, mistakes) or {}


def read_sweeps(
    sweeps: Mapping[str, Sequence[str]], changed: Values, beside: Beside, mistakes: Mistakes
) -> list[Axis]:
    """The axes of `--sweep`, in their order."""
    axes: list[Axis] = []
    taken = dict.fromkeys(changed, "--set")
    for key, texts in sweeps.items():
        name = SWEPT.get(key.strip().replace("-", "_"))
        if name is None:
            mistakes.add(f"--sweep {key}", unknown(key, SWEPT))
            continue
        entries = [
            Entry(0, {name: text}, _place_in("--sweep"), {name: key}, True) for text in texts
        ]
        axis = axis_of(key, entries, beside, mistakes)
        if axis is None:
            continue
        if not axis.points:
            mistakes.add(f"--sweep {key}", "has no values; give some, as in seed=1,2,3.")
            continue
        for other in sorted(axis.names & taken.keys()):
            mistakes.add(f"--sweep {key}", f"{other} is in {taken[other]} as well.")
        taken |= dict.fromkeys(axis.names, "another --sweep")
        axes.append(axis)
    return axes


def axis_of(
    called: str, entries: Iterable[Entry], beside: Beside, mistakes: Mistakes
) -> Axis | None:
    """An axis with a point for each entry; None where one of them is wrong."""
    found = [checked(entry, beside, mistakes) for entry in entries]
    return (
        Axis(called, tuple(one for one in found if one is not None)) if None not in found else None
    )


def _place_in(flag: str) -> Where:
    return lambda path, offset: flag
