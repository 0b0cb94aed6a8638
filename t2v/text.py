"""Text for people: sizes in bytes, and no secrets."""

import os
import re

__all__ = ["gb", "gib", "redacted"]

_SECRETS = re.compile(r"hf_[A-Za-z0-9]{16,}|(?<=://)[^/@\s]+@|(?i:(?<=bearer )\S+)")
_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_MIN_TOKEN = 8
"""Letters; what is shorter is no token, and would be cut out of plain words."""


def gib(count: int | None) -> str:
    """Memory for people: `14.5 GiB`, `28 MiB`.

    >>> gib(15_569_256_448), gib(29_360_128), gib(None)
    ('14.5 GiB', '28 MiB', 'unknown')
    """
    if count is None:
        return "unknown"
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 // 10 else f"{count / 2**20:.0f} MiB"


def gb(count: int) -> str:
    """A file or a download for people, in the units of disks: `14.7 GB`, `14 MB`, `512 bytes`.

    >>> gb(14_708_000_000), gb(13_961_392), gb(2100), gb(7)
    ('14.7 GB', '14 MB', '2.1 kB', '7 bytes')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            scaled = count / size
            return (
                f"{scaled:.1f} {unit}" if unit != "MB" and scaled < 1000 else f"{scaled:.0f} {unit}"
            )
    return f"{count} bytes"


def redacted(text: str) -> str:
    """The text without access tokens, and without the passwords that addresses can hold.

    >>> redacted("https://me:secret@example.org, hf_abcdefghijklmnopqrstuvwx")
    'https://***@example.org, ***'
    """
    for variable in _TOKEN_VARIABLES:
        token = os.environ.get(variable, "").strip()
        if len(token) >= _MIN_TOKEN:
            text = text.replace(token, "***")
    return _SECRETS.sub(lambda match: "***@" if match[0].endswith("@") else "***", text)
