"""Which windows of a shot share frames, and who hands on which."""

from collections.abc import Iterator
from dataclasses import dataclass

from t2v.plan.windows import Window


@dataclass(frozen=True, slots=True)
class Overlap:
    """Frames that two windows have in common, as each of them counts them."""

    own: int
    other: int
    length: int


class Grid:
    """The windows of one shot, taken from their source no earlier than they are needed.

    Windows are known here by their place in the shot, counted from 0.
    """

    def __init__(
        self, windows: Iterator[Window], *, loop_latents: int | None = None, stride: int = 0
    ) -> None:
        """Windows in the order of their starts.

        Args:
            windows: Of one shot; there may be no end to them.
            loop_latents: Latent frames of a shot whose end goes on with its beginning.
            stride: Latent frames that windows are apart, where there is no end to them.
        """
        self._source = windows
        self._windows: dict[int, Window] = {}
        self._num_taken, self._is_complete = 0, False
        self._loop, self._stride = loop_latents, stride
        self._givers: dict[int, list[int]] = {}
        self._last_givers: dict[int, list[int]] = {}
        self._takers: dict[int, list[int]] = {}
        if loop_latents is not None:
            self._take_up_to(None)

    def __getitem__(self, index: int) -> Window:
        return self._windows[index]

    def has(self, index: int) -> bool:
        """Whether there is such a window; it is taken from the source then."""
        while self._num_taken <= index and not self._is_complete:
            self._take()
        return index in self._windows

    def overlaps(self, index: int, other: int) -> list[Overlap]:
        """The frames that two windows share; on a small ring they may do so at both ends."""
        one, two = self._windows[index], self._windows[other]
        found = []
        for shift in self._shifts(two.start - one.start):
            begin, end = max(0, shift), min(one.length, shift + two.length)
            if begin < end:
                found.append(Overlap(begin, begin - shift, end - begin))
        return found

    def givers(self, index: int) -> list[int]:
        """The windows, itself among them, that count on frames of this one."""
        if index not in self._givers:
            window = self._windows[index]
            self._take_up_to(window.start + window.length)
            self._givers[index] = self._giving(index, window.length)
        return self._givers[index]

    def last_givers(self, index: int) -> list[int]:
        """The windows that count on the frames that this one hands on."""
        if index not in self._last_givers:
            self.givers(index)
            self._last_givers[index] = self._giving(index, self.owned(index))
        return self._last_givers[index]

    def takers(self, index: int) -> list[int]:
        """The windows that need the steps of this one."""
        if index not in self._takers:
            self.givers(index)
            self._takers[index] = [other for other in self._windows if self._counts(other, index)]
        return self._takers[index]

    def owned(self, index: int) -> int:
        """How many of its first frames a window hands on when it is done: up to the next start.

        All that count on them began no later, so that nobody further on has to be waited for.
        """
        window = self._windows[index]
        if self.has(index + 1):
            return min(self._windows[index + 1].start - window.start, window.length)
        if self._loop is not None:
            return self._windows[0].start + self._loop - window.start
        return window.length

    def forget_before(self, index: int) -> None:
        """Windows before this one are done with; on a ring they stay."""
        if self._loop is None:
            for gone in [other for other in self._windows if other < index]:
                del self._windows[gone]
                for known in (self._givers, self._last_givers, self._takers):
                    known.pop(gone, None)

    def _take(self) -> None:
        window = next(self._source, None)
        if window is None:
            self._is_complete = True
            return
        self._windows[self._num_taken] = window
        self._num_taken += 1

    def _take_up_to(self, latent: int | None) -> None:
        """Take all windows that begin before a latent frame."""
        while not self._is_complete and (latent is None or self._next_start() < latent):
            self._take()

    def _next_start(self) -> int:
        """The latent frame that the next window cannot begin before."""
        last = self._windows.get(self._num_taken - 1)
        return 0 if last is None else last.start + self._stride

    def _shifts(self, difference: int) -> list[int]:
        if self._loop is None:
            return [difference]
        return [difference + turn * self._loop for turn in range(-3, 4)]

    def _giving(self, index: int, num_latents: int) -> list[int]:
        return [
            other for other in self._windows if self._counts(index, other, num_latents=num_latents)
        ]

    def _counts(self, index: int, other: int, num_latents: int | None = None) -> bool:
        """Whether `other` has a weight on any of the first frames of a window."""
        weights = self._windows[other].weights
        wanted = self._windows[index].length if num_latents is None else num_latents
        return index == other or any(
            weights[overlap.other + i]
            for overlap in self.overlaps(index, other)
            for i in range(overlap.length)
            if overlap.own + i < wanted
        )
