"""One share of a batch among machines that know nothing of each other."""

import re
from dataclasses import dataclass
from typing import Self

from t2v.errors import RequestError
from t2v.plan.wording import quoted

MOST = 10_000
_FORM = re.compile(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """Share number `index` (from 1) of `of`. Every key belongs to exactly one share."""

    index: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.of <= MOST:
            raise RequestError(
                f"--shard {self}: shares are counted from 1 to their number, which is at most "
                f"{MOST:,}. Of four machines, the first runs --shard 1/4."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The share that `2/8` means.

        >>> Shard.parse("2/8")
        Shard(index=2, of=8)
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise RequestError(
                f"--shard must look like 2/8, the second of eight, not {quoted(text)}"
            )
        return cls(int(match[1]), int(match[2]))

    def has(self, key: str) -> bool:
        """Whether the job with that key is of this share; the key alone decides."""
        return int(key, 16) % self.of == self.index - 1

    @property
    def label(self) -> str:
        """As file names have it: `2-of-8`."""
        return f"{self.index}-of-{self.of}"

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"
