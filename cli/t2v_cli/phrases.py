"""Numbers as a person says them."""

from typing import TYPE_CHECKING

import t2v

if TYPE_CHECKING:
    from t2v import Event


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> [duration(s) for s in (0.42, 9.96, 75, 3700)]
    ['0.42 s', '10 s', '1:15 min', '1:01 h']
    """
    if seconds < 59.5:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02} h"


def length(seconds: float) -> str:
    """How long a video is.

    >>> [length(s) for s in (2.125, 60.0, 86400.0)]
    ['2.125 s', '60 s', '86,400 s']
    """
    return f"{seconds:.4g} s" if seconds < 1000 else f"{seconds:,.0f} s"


def counted(number: int, what: str) -> str:
    """`1 video`, `2 videos`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def pace(event: "Event") -> str:
    """`12/50, 1.3 s/it, 49 s left`; what is loaded in steps is bytes."""
    parts = [f"{event.step}/{event.of}"] if event.of else []
    if event.of and event.stage == "load":
        parts = [f"{t2v.text.gb(event.step or 0)} of {t2v.text.gb(event.of)}"]
    if event.seconds_per_step:
        parts.append(f"{event.seconds_per_step:.3g} s/it")
    if event.eta_s is not None:
        parts.append(f"{duration(event.eta_s)} left")
    return ", ".join(parts)
