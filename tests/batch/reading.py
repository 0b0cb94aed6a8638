"""Prompt files with a text, read."""

from pathlib import Path

import pytest

from t2v.batch.items import Item
from t2v.batch.reading.prompt_files import read_items
from t2v.errors import DocumentError


def read(name: str, text: str | bytes, **more) -> list[Item]:
    """The items of a file with this text."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    Path(name).write_bytes(data)
    return list(read_items([name], **more))


def prompts(name: str, text: str, **more) -> list[str | None]:
    """The prompts of a file with this text."""
    return [item.prompt for item in read(name, text, **more)]


def said(item: Item) -> dict[str, object]:
    """What an item asks for."""
    return item.options.said()


def complaints(name: str, text: str | bytes, **more) -> list[str]:
    """The lines of the error that a file with this text is refused with."""
    with pytest.raises(DocumentError) as caught:
        read(name, text, **more)
    return str(caught.value).splitlines()
