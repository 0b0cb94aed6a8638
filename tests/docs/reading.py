"""Reads the documentation as its readers and GitHub do."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pages"
PAGES = sorted(FOLDER.rglob("*.md"))
DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "AGENTS.md")), *PAGES]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
_OPERATORS = frozenset({"|", "||", "&&", ";", "&"})


@dataclass(frozen=True)
class Block:
    """A fenced block of code and where it stands."""

    document: Path
    language: str
    text: str

    def __str__(self) -> str:
        first = self.text.strip().splitlines()[0]
        return f"{self.document.name}: {first[:60]}"


def blocks(*languages: str) -> list[Block]:
    """Every block in one of these languages, in all documents."""
    return [
        Block(document, language, text)
        for document in DOCUMENTS
        for language, text in _FENCE.findall(document.read_text("utf-8"))
        if language in languages
    ]


def links(document: Path) -> list[str]:
    """The links of a document to other files."""
    text = _FENCE.sub("", document.read_text("utf-8"))
    found = (markdown or html for markdown, html in _LINK.findall(text))
    return [link for link in found if not link.startswith(("http", "#"))]


def commands(*, but: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The arguments of every `t2v` command in a shell block, each once; but some pages'."""
    found = (
        tuple(words[1:])
        for block in blocks("bash", "sh", "console")
        if block.document.name not in but
        for line in block.text.replace("\\\n", " ").splitlines()
        for words in _simple_commands(line)
        if words[:1] == ["t2v"]
    )
    return list(dict.fromkeys(found))


def _simple_commands(line: str) -> Iterator[list[str]]:
    words: list[str] = []
    for word in shlex.split(line, comments=True):
        if word in _OPERATORS:
            yield words
            words = []
        else:
            words.append(word)
    yield words
