"""Points in time as people write them: `5s`, `1m30s`, `00:05`, `2.5`, `40f`."""

import re
from fractions import Fraction
from typing import NamedTuple

from t2v.plan.wording import quoted

TIME = (
    r"(?:\d{1,3}:)?\d{1,3}:[0-5]\d(?:\.\d{1,6})?"  # [hours:]minutes:seconds
    r"|(?:\d{1,5}h)?(?:\d{1,6}m)?\d{1,6}(?:\.\d{1,6})?s?"
    r"|(?:\d{1,5}h)?\d{1,6}m|\d{1,5}h"
    r"|\d{1,8}f"
)
_TIME = re.compile(TIME, re.ASCII)
_UNITS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", re.ASCII)
FORMS = "5s, 2.5s, 1m30s, 00:05 or 40f (frames)"


class Moment(NamedTuple):
    """A point in time: seconds, or a number of pixel frames."""

    value: Fraction
    is_frames: bool = False

    def frame(self, fps: Fraction) -> int:
        """The nearest frame, halves upward."""
        return int(self.value if self.is_frames else self.value * fps + Fraction(1, 2))

    def __str__(self) -> str:
        """As `parse_moment` reads it again."""
        if self.is_frames:
            return f"{self.value}f"
        return f"{float(self.value):.6f}".rstrip("0").rstrip(".") + "s"


def parse_moment(value: object) -> Moment:
    """The moment that a text or a number of seconds stands for.

    >>> [str(parse_moment(text)) for text in ("5", "1m30s", "00:05.5", "1:00:00", "40f", 2.5)]
    ['5s', '90s', '5.5s', '3600s', '40f', '2.5s']

    Raises:
        ValueError: It is none; the message says what is.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value).strip() if is_number or isinstance(value, str) else ""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{quoted(value)} is no time such as {FORMS}")
    if text.endswith("f"):
        return Moment(Fraction(text[:-1]), is_frames=True)
    if ":" in text:
        seconds = Fraction(0)
        for part in text.split(":"):
            seconds = seconds * 60 + Fraction(part)
        return Moment(seconds)
    match = _UNITS.fullmatch(text)
    assert match is not None
    hours, minutes, rest = (Fraction(part or 0) for part in match.groups())
    return Moment(hours * 3600 + minutes * 60 + rest)
