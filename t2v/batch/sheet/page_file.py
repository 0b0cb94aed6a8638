"""The contact sheet of a run: one page with every video, that opens from disk without a network."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from t2v import __version__
from t2v.batch.run_folder.derived import write_anew
from t2v.batch.sheet.cards import Card, cards_of

SHEET_NAME = "index.html"
SCRIPTS = ("base.js", "find.js", "grid.js", "detail.js", "compare.js", "start.js")
FIELDS = (
    *("id", "custom_id", "status", "prompt", "href", "output", "seed", "seconds"),
    *("made", "reason", "attempts", "frames_sha256", "story", "settings"),
)
"""Columns of the page's data, one row a video."""
_MAX_SHARED = 20_000
"""Distinct settings that are told once; every further one is a row of its own, and memory is flat."""


def write_sheet(folder: Path, *, title: str | None = None) -> Path:
    """Write `index.html` of a run folder from its journals; the one before is replaced.

    Args:
        folder: The run folder.
        title: What stands above the videos; the name of the folder without it.

    Raises:
        DiskError: A journal cannot be read, or the page cannot be written.
        RequestError: A newer t2v wrote the journal, or something else did.
    """
    folder = folder.absolute()
    return write_page(folder / SHEET_NAME, title or folder.name, cards_of(folder))


def write_page(path: Path, title: str, cards: Iterable[Card]) -> Path:
    """Write the page to `path`, whole or not at all; the cards are taken one at a time."""
    write_anew(path, (text.encode() for text in _page(title, cards)))
    return path


def _page(title: str, cards: Iterable[Card]) -> Iterator[str]:
    folder = files("t2v.batch.sheet") / "page"
    style = (folder / "sheet.css").read_text("utf-8")
    script = "\n".join((folder / name).read_text("utf-8") for name in SCRIPTS)
    values = {
        "title": html.escape(title.encode("utf-8", "replace").decode()),
        "version": __version__,
        "policy": _policy(style, script),
        "style": style,
        "script": script,
    }
    template = (folder / "sheet.html").read_text("utf-8")
    before, after = (
        re.sub(r"@(\w+)@", lambda match: values[match[1]], half)
        for half in template.split("@data@")
    )
    yield before
    yield from _data(cards)
    yield after


def _policy(style: str, script: str) -> str:
    """What the page may do: show files, run its own script; nothing is fetched or sent."""
    return (
        f"default-src 'none'; media-src 'self' file:; img-src 'self' file: data:; "
        f"style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(cards: Iterable[Card]) -> Iterator[str]:
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield f'{{"made":{_json(made)},"fields":{_json(FIELDS)},"items":['
    shared: dict[str, int] = {}
    for number, card in enumerate(cards):
        settings = _json(card.settings)
        if settings in shared or len(shared) < _MAX_SHARED:
            settings = str(shared.setdefault(settings, len(shared)))
        yield f"{',' if number else ''}\n[{_row(card)},{settings}]"
    yield '\n],"settings":[\n' + ",\n".join(shared) + "\n]}"


def _row(card: Card) -> str:
    href = None if card.output is None else _link(card.output)
    output = None if card.output == href else card.output
    values: list[Any] = [card.id, card.custom_id, card.status, card.prompt, href, output, card.seed]
    values += [card.seconds, card.made, card.reason, card.attempts, card.frames_sha256, card.story]
    return _json(values)[1:-1]


def _link(output: str) -> str | None:
    """The output as a relative address; None for what is not below the folder."""
    path = PurePosixPath(output)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    return quote(str(path), errors="surrogateescape")


def _json(value: Any) -> str:
    """JSON in ASCII in which nothing can end the script it stands in."""
    text = _encode(value)
    return text.replace("<", "\\u003c") if "<" in text else text


_encode = json.JSONEncoder(separators=(",", ":"), default=str, allow_nan=False).encode
