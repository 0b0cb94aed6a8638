"""Statistics of a stream of numbers in memory that does not grow with it."""

import cmath
from collections.abc import Sequence
from typing import Any

import numpy as np

_BINS, _SMALLEST, _LARGEST = 4096, 1e-4, 255.0


class Distribution:
    """Mean and median of changes from 0 to 255; the median to 0.2 percent."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0.0
        self._zeros = 0
        self._counts = np.zeros(_BINS, np.int64)
        self._per_bin = np.log(_LARGEST / _SMALLEST) / (_BINS - 1)

    def add(self, value: float) -> None:
        """Take note of one value."""
        self.count += 1
        self._sum += value
        if value < _SMALLEST:
            self._zeros += 1
            return
        place = round(float(np.log(value / _SMALLEST) / self._per_bin))
        self._counts[min(place, _BINS - 1)] += 1

    def mean(self) -> float:
        """The mean, 0 of nothing."""
        return self._sum / max(self.count, 1)

    def median(self) -> float:
        """The lower median, 0 of nothing."""
        rank = (self.count + 1) // 2
        if rank <= self._zeros:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._counts), rank - self._zeros))
        return float(_SMALLEST * np.exp(place * self._per_bin))


class Blocks:
    """Sums over equal stretches of the video, so that its ends can be compared at any time.

    A stretch is one frame to begin with. When there are too many, pairs become one, so that
    between half of `most` and `most` stretches are known however long the video gets.
    """

    def __init__(self, num_measures: int, most: int = 512) -> None:
        self._most = most
        self._size = 1
        self._sums = np.zeros((most, num_measures))
        self._counts = np.zeros(most, np.int64)
        self._used = 0
        self._changes, self._num_changes = 0.0, 0

    def add(self, values: Sequence[float], change: float | None) -> None:
        """Take note of a frame's values and of its change from the one before, if that counts."""
        if self._used and self._counts[self._used - 1] < self._size:
            place = self._used - 1
        else:
            if self._used == self._most:
                self._halve()
            place = self._used
            self._used += 1
        self._sums[place] += values
        self._counts[place] += 1
        if change is not None:
            self._changes += change
            self._num_changes += 1

    def _halve(self) -> None:
        half = self._most // 2
        self._sums[:half] = self._sums[0::2] + self._sums[1::2]
        self._counts[:half] = self._counts[0::2] + self._counts[1::2]
        self._sums[half:], self._counts[half:] = 0, 0
        self._used, self._size = half, 2 * self._size

    def ends(self, part: float) -> tuple[list[float], list[float]]:
        """The means over this part of the video at its beginning and at its end."""
        num_blocks = max(round(part * self._used), 1)
        first, last = slice(0, num_blocks), slice(max(self._used - num_blocks, 0), self._used)
        return self._mean(first), self._mean(last)

    def mean(self) -> list[float]:
        """The means over all frames."""
        return self._mean(slice(0, self._used))

    def mean_change(self) -> float:
        """The mean of the changes that count."""
        return self._changes / max(self._num_changes, 1)

    def _mean(self, blocks: slice) -> list[float]:
        total = self._sums[blocks].sum(axis=0) / max(int(self._counts[blocks].sum()), 1)
        return [float(value) for value in total]


class Rhythm:
    """How much of brightness and motion comes and goes once a window.

    Each stretch between two windows' beginnings is one turn of a wheel, whatever its length; what
    is left of the values when they are added up around the wheel has the period of the windows.
    """

    def __init__(self) -> None:
        self._began: int | None = None
        self._pending: list[tuple[float, float | None]] = []
        self._turns = 0
        self._luma, self._motion = _Wheel(), _Wheel()

    def beat(self, frame: int) -> None:
        """A window begins with the frame that comes next."""
        if self._began is not None:
            self._turns += 1
            for index, (luma, change) in enumerate(self._pending):
                direction = cmath.exp(-2j * cmath.pi * index / len(self._pending))
                self._luma.add(luma, direction)
                if change is not None:
                    self._motion.add(change, direction)
        self._began, self._pending = frame, []

    def add(self, luma: float, change: float | None) -> None:
        """Take note of a frame's brightness and of its change from the one before."""
        if self._began is not None and len(self._pending) < 4096:
            self._pending.append((luma, change))

    def facts(self) -> dict[str, Any] | None:
        """Amplitudes at the windows' period; None where fewer than two whole windows passed."""
        if self._turns < 2:
            return None
        motion = self._motion.amplitude() / self._motion.mean() if self._motion.mean() else 0.0
        return {
            "luma_percent": round(100 / 255 * self._luma.amplitude(), 3),
            "motion_percent": round(100 * motion, 1),
        }


class _Wheel:
    def __init__(self) -> None:
        self._count, self._sum = 0, 0.0
        self._vector, self._directions = 0j, 0j

    def add(self, value: float, direction: complex) -> None:
        self._count += 1
        self._sum += value
        self._vector += value * direction
        self._directions += direction

    def mean(self) -> float:
        return self._sum / max(self._count, 1)

    def amplitude(self) -> float:
        """Of the wave with one turn a window, about the mean."""
        return 2 * abs(self._vector - self.mean() * self._directions) / max(self._count, 1)
