"""`{a|b}` and `__name__` in a prompt: one text that stands for several."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice, product
from pathlib import Path

from t2v.batch.reading.flags import first_flag
from t2v.batch.reading.mistakes import Mistakes
from t2v.batch.reading.texts import PromptFile, lines
from t2v.plan.wording import quoted, suggestion

MAX_VIDEOS = 100_000
"""Of one entry."""
MAX_DEPTH = 20

_SPECIAL = re.compile(
    r"(?P<escape>\\(?=[{}|]|__)|(?:^|(?<=\s))\\(?=[-–—]+[^\W\d_]))"
    r"|__(?P<name>[^\W_](?:[\w/-]{0,100}?[^\W_])?)(?::(?P<count>\d{1,6}))?__"
    r"|(?P<sign>[{}|])"
)
_MANY = 10**12
"""Nobody counts further; the true number can have more digits than memory holds."""
_WEIGHTED = re.compile(r"\s*[\d.,-]*(\$\$|::)")
_MAX_WILDCARD_BYTES = 4_000_000


class MisprintError(ValueError):
    """A mistake at a letter of a prompt."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Choice:
    """A place in a text where one of several stands."""

    __slots__ = ("count", "templates")

    def __init__(self, templates: tuple["Template", ...]) -> None:
        self.templates = templates
        # Counted once: files of wildcards that name each other would be walked through again and again.
        self.count: int = min(sum(one.count for one in templates), _MANY)

    def texts(self) -> Iterator[str]:
        """Each of them, in order."""
        for one in self.templates:
            yield from one.texts()


class Template:
    """A text with choices in it."""

    __slots__ = ("count", "parts")

    def __init__(self, parts: tuple["str | Choice", ...]) -> None:
        self.parts = parts
        self.count: int = 1
        for part in parts:
            if isinstance(part, Choice):
                self.count = min(self.count * part.count, _MANY)

    def texts(self) -> Iterator[str]:
        """All of them; the last choice changes first."""
        pools = [[part] if isinstance(part, str) else part.texts() for part in self.parts]
        return map("".join, product(*pools))


def is_plain(text: str) -> bool:
    """Whether a text can only stand for itself."""
    return "{" not in text and "__" not in text and "\\" not in text and "}" not in text


def expand(text: str, wildcards: "Wildcards") -> tuple[int, Iterable[str]]:
    r"""How many texts one stands for, and all of them, the first choice changing last.

    >>> list(expand(r"a {red|blue} ball on {a hill|{dry|wet} grass}, \{so\}", Wildcards(Path()))[1])
    ... # doctest: +NORMALIZE_WHITESPACE
    ['a red ball on a hill, {so}', 'a red ball on dry grass, {so}',
     'a red ball on wet grass, {so}', 'a blue ball on a hill, {so}',
     'a blue ball on dry grass, {so}', 'a blue ball on wet grass, {so}']

    Raises:
        MisprintError: A brace is not closed, a wildcard has no file, or it stands for too many.
    """
    if is_plain(text):
        return 1, (text,)
    template = compiled(text, wildcards)
    count = template.count
    if count > MAX_VIDEOS:
        raise MisprintError(f"stands for more than {MAX_VIDEOS:,} prompts; write fewer.")
    if all(isinstance(part, str) for part in template.parts):
        return 1, template.texts()
    return count, map(_tidy, template.texts())


def compiled(text: str, wildcards: "Wildcards", trail: tuple[str, ...] = ()) -> Template:
    """The choices of a text; `trail` names the wildcards that led here."""
    return _Parser(text, wildcards, trail).parse()


def _tidy(text: str) -> str:
    """Without the second blank that an empty alternative leaves behind."""
    return re.sub(" {2,}", " ", text).strip()


@dataclass(slots=True)
class _Group:
    """A brace that is open, and what has been seen in it."""

    start: int
    done: list[Template] = field(default_factory=list)
    parts: list[str | Choice] = field(default_factory=list)

    def next(self) -> None:
        self.done.append(Template(tuple(self.parts)))
        self.parts = []


class _Parser:
    def __init__(self, text: str, wildcards: "Wildcards", trail: tuple[str, ...]) -> None:
        self.text = text
        self.wildcards = wildcards
        self.trail = trail
        self.groups = [_Group(-1)]
        self.num_picks = 0

    def parse(self) -> Template:
        place = 0
        for match in _SPECIAL.finditer(self.text):
            # The letter behind a backslash is text, whatever it is.
            if match.start() < place:
                continue
            self._put(self.text[place : match.start()])
            place = match.end()
            if match["escape"]:
                width = 1 if self.text[place] in "{}|-–—" else 2
                self._put(self.text[place : place + width])
                place += width
            elif match["name"]:
                self._wildcard(match)
            else:
                self._sign(match["sign"], match.start())
        self._put(self.text[place:])
        while len(self.groups) > 1:
            self._unclosed()
        return Template(tuple(self.groups[0].parts))

    def _put(self, *parts: str | Choice) -> None:
        self.groups[-1].parts += [part for part in parts if part != ""]

    def _sign(self, sign: str, place: int) -> None:
        is_inside = len(self.groups) > 1
        if sign == "{":
            if len(self.groups) > MAX_DEPTH:
                raise MisprintError(f"braces nested deeper than {MAX_DEPTH} levels.", place)
            self.groups.append(_Group(place))
        elif sign == "}" and is_inside:
            self._close()
        elif sign == "|" and is_inside:
            self.groups[-1].next()
        else:
            self._put(sign)

    def _close(self) -> None:
        group = self.groups.pop()
        if not group.done:  # braces without a bar are text, as in a prompt that is JSON
            self._put("{", *group.parts, "}")
            return
        group.next()
        for one in group.done:
            if one.parts and isinstance(one.parts[0], str) and _WEIGHTED.match(one.parts[0]):
                raise MisprintError(
                    f"{quoted(one.parts[0])} has a weight or a number, which alternatives do not "
                    "take: each of them is made.",
                    group.start,
                )
        self._put(Choice(tuple(group.done)))

    def _unclosed(self) -> None:
        group = self.groups.pop()
        if group.done:
            raise MisprintError(
                "a { with alternatives is not closed; add the }, or write \\{ for the brace.",
                group.start,
            )
        self._put("{", *group.parts)

    def _wildcard(self, match: re.Match[str]) -> None:
        name, start = match["name"], match.start()
        try:
            found = self.wildcards.find(name, self.trail)
        except MisprintError as error:
            raise MisprintError(str(error), start) from None
        if match["count"] is None:
            self._put(Choice(found))
            return
        count = int(match["count"])
        if not 1 <= count <= len(found):
            raise MisprintError(f"__{name}__ has {len(found):,} lines, not {count:,}.", start)
        self.num_picks += 1
        self._put(Choice(self._picked(found, count, f"{self.num_picks}:{self.text}")))

    def _picked(self, found: tuple[Template, ...], count: int, key: str) -> tuple[Template, ...]:
        """Some of them: always the same for the same prompt, others for another."""
        ranks = [
            sha256(f"{key}\n{n}".encode("utf-8", "surrogatepass")).digest()
            for n in range(len(found))
        ]
        return tuple(found[n] for n in sorted(range(len(found)), key=ranks.__getitem__)[:count])


class Wildcards:
    """The wildcard files beside a prompt file; each is read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found: dict[str, tuple[Template, ...]] = {}

    def find(self, name: str, trail: tuple[str, ...] = ()) -> tuple[Template, ...]:
        """The lines of `NAME.txt`, or of `wildcards/NAME.txt`.

        Raises:
            MisprintError: There is no such file, or something in it is wrong.
        """
        if name in trail:
            raise MisprintError(f"__{name}__ leads back to itself.")
        if len(trail) >= MAX_DEPTH:
            raise MisprintError(f"wildcards in wildcards, deeper than {MAX_DEPTH} levels.")
        if name not in self._found:
            self._found[name] = tuple(self._read(name, trail))
        return self._found[name]

    def _read(self, name: str, trail: tuple[str, ...]) -> Iterator[Template]:
        path = self._path(name)
        shown = path.relative_to(self.folder).as_posix()
        mistakes = Mistakes()
        count = 0
        for number, line in lines(PromptFile(shown, path.parent, path=path), mistakes):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            count += 1
            if count > MAX_VIDEOS:
                raise MisprintError(f"{shown} has more than {MAX_VIDEOS:,} lines.")
            if flag := first_flag(text):
                raise MisprintError(
                    f"{shown}:{number}:{flag[0] + 1}: a wildcard holds no flags such as {flag[1]}."
                )
            try:
                yield compiled(text, self, (*trail, name))
            except MisprintError as error:
                raise MisprintError(
                    _once(f"{shown}:{number}:{error.offset + 1}: ", str(error))
                ) from None
        if mistakes.lines:
            raise MisprintError(mistakes.lines[0])
        if not count:
            raise MisprintError(f"{shown} has no lines.")

    def _path(self, name: str) -> Path:
        for path in (self.folder / f"{name}.txt", self.folder / "wildcards" / f"{name}.txt"):
            if path.is_file():
                if path.stat().st_size > _MAX_WILDCARD_BYTES:
                    raise MisprintError(
                        f"{path.name} is larger than {_MAX_WILDCARD_BYTES // 10**6} MB."
                    )
                return path
        raise MisprintError(
            f"there is no file {name}.txt for __{name}__.{suggestion(name, self._names())} "
            f"Write \\__{name}__ for the text."
        )

    def _names(self) -> list[str]:
        """Of the files that could be meant; a folder of thousands is not walked through."""
        folders = (self.folder, self.folder / "wildcards")
        return [one.stem for folder in folders for one in islice(folder.glob("*.txt"), 1000)]


def _once(place: str, message: str) -> str:
    """The place before the message, unless a deeper one is there."""
    return message if re.match(r"\S+\.txt:\d+:\d+: ", message) else place + message
