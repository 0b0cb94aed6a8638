"""What every video of a batch is called: names that are free, stable, and safe on every disk."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import PurePosixPath

from t2v.batch.jobs import Layout
from t2v.batch.reading.mistakes import Mistakes
from t2v.errors import RequestError
from t2v.media.codecs import check_encoding, container_of, suffix_of
from t2v.media.names import PROMPT_BYTES, check_template, filled, shortened, slug
from t2v.media.parts import MAX_NAME_BYTES
from t2v.plan.request import Request

LAYOUTS: tuple[Layout, ...] = ("flat", "vbench")
KEY_DIGITS = 8
"""Of the key in a name; more where two of them meet."""


@dataclass(slots=True)
class Draft:
    """A video that has no name yet."""

    key: str
    request: Request
    custom_id: str | None
    template: str | None
    """The output that its item asks for."""
    source: str
    sample: int
    """Number of this video among those of its item, from 0."""
    num_samples: int
    id: str = ""
    output: str = ""


def name_all(drafts: Sequence[Draft], layout: Layout, *, is_compared: bool) -> None:
    """Give every draft its id and its output.

    Args:
        drafts: All videos of the batch, whichever share of them is made here.
        layout: `flat`, or `vbench`: the prompt as it is, and the number of the sample.
        is_compared: Whether several models make the same videos; VBench then has a folder for each.

    Raises:
        PromptFilesError: Two items want the same output, or a name is impossible; has all of them.
    """
    for draft, name in zip(drafts, _ids(drafts), strict=True):
        draft.id = name
    names = _Names()
    if layout == "vbench":
        names.vbench(drafts, is_compared=is_compared)
    else:
        names.flat(drafts)
    names.mistakes.check()


def _ids(drafts: Sequence[Draft]) -> Iterator[str]:
    stems = [_stem(draft) for draft in drafts]
    number = Counter(stems)
    taken: set[str] = set()
    for stem, draft in zip(stems, drafts, strict=True):
        is_plain = draft.custom_id is not None and number[stem] == 1
        name = stem if is_plain else f"{stem}-{draft.key[:KEY_DIGITS]}"
        if name in taken:
            name = f"{stem}-{draft.key}"
        taken.add(name)
        yield name


def _stem(draft: Draft) -> str:
    if draft.custom_id is None:
        return slug(draft.request.prompt, PROMPT_BYTES)
    stem = slug(draft.custom_id, PROMPT_BYTES)
    return stem if draft.num_samples == 1 else f"{stem}-{draft.sample + 1}"


class _Names:
    """Outputs as they are handed out, and what is wrong with those that were asked for."""

    def __init__(self) -> None:
        self.mistakes = Mistakes()
        self._checked: set[tuple[str, str, int | None]] = set()

    def flat(self, drafts: Sequence[Draft]) -> None:
        asked = [draft for draft in drafts if draft.template is not None]
        for draft in asked:
            try:
                draft.output = _asked_for(draft)
                self._check_encoding(draft)
            except RequestError as error:
                self._wrong(draft, str(error))
        if self.mistakes.count:
            return
        self._settle_meetings(asked)
        taken = {_place(draft.output) for draft in asked}
        for draft in drafts:
            if draft.template is None:
                suffix = suffix_of(draft.request.codec)
                is_free = _place(draft.id + suffix) not in taken
                draft.output = f"{draft.id if is_free else f'{draft.id}-{draft.key}'}{suffix}"
                self._check_quietly(draft)

    def vbench(self, drafts: Sequence[Draft], *, is_compared: bool) -> None:
        """`$prompt-$i.mp4`, as VBench reads them; `i` counts the videos of a prompt."""
        number: Counter[str] = Counter()
        first: dict[str, Draft] = {}
        for draft in drafts:
            prompt = draft.request.prompt
            folder = f"{slug(draft.request.model, PROMPT_BYTES)}/" if is_compared else ""
            name = f"{prompt}-{number[folder + prompt]}{suffix_of(draft.request.codec)}"
            number[folder + prompt] += 1
            draft.output = folder + name
            unlike = _unlike(first.setdefault(folder + prompt, draft).request, draft.request)
            if unlike:
                self._wrong(
                    draft,
                    "--layout vbench counts the videos of a prompt as samples of it, which may "
                    f"differ in their seeds only; this one differs in {unlike}. "
                    "Give each setting a run folder of its own.",
                )
            elif "/" in prompt or not prompt.isprintable():
                self._wrong(
                    draft,
                    "--layout vbench makes the prompt a file name; it has a / in it"
                    " or a line break. Reword it, or use --layout flat.",
                )
            elif len(os.fsencode(name)) > MAX_NAME_BYTES:
                self._wrong(
                    draft,
                    f"--layout vbench makes the prompt a file name; it may have "
                    f"{MAX_NAME_BYTES - 10} bytes. Shorten it, or use --layout flat.",
                )
            else:
                self._check_quietly(draft)

    def _settle_meetings(self, asked: Sequence[Draft]) -> None:
        """Videos of one item get the key into their names; two items with one name are a mistake."""
        meeting: dict[str, list[Draft]] = {}
        for draft in asked:
            meeting.setdefault(_place(draft.output), []).append(draft)
        for drafts in meeting.values():
            if len(drafts) == 1:
                continue
            first = drafts[0]
            other = next((d for d in drafts if d.source != first.source), None)
            if other is not None:
                self._wrong(
                    other,
                    f"{shortened(other.output)} is the output of {first.source} "
                    "already. Give it another, or use {seed} or {prompt} in it.",
                )
                continue
            for draft in drafts:
                path = PurePosixPath(draft.output)
                draft.output = str(path.with_stem(f"{path.stem}-{draft.key[:KEY_DIGITS]}"))

    def _check_quietly(self, draft: Draft) -> None:
        try:
            self._check_encoding(draft)
        except RequestError as error:
            self._wrong(draft, str(error))

    def _check_encoding(self, draft: Draft) -> None:
        """Once for each kind of file."""
        request = draft.request
        kind = (PurePosixPath(draft.output).suffix, request.codec, request.crf)
        if kind not in self._checked:
            check_encoding(draft.output, request.codec, request.crf)
            self._checked.add(kind)

    def _wrong(self, draft: Draft, message: str) -> None:
        self.mistakes.add(draft.source, message)


def _unlike(one: Request, other: Request) -> str:
    """What two videos of a prompt differ in, besides the seed."""
    return ", ".join(
        field.name
        for field in fields(Request)
        if field.compare
        and field.name not in ("prompt", "seed")
        and getattr(one, field.name) != getattr(other, field.name)
    )


def _place(output: str) -> str:
    """What two outputs must not share: the sidecar has the name without the suffix."""
    return str(PurePosixPath(output).with_suffix("")).casefold()


def _asked_for(draft: Draft) -> str:
    """The output below the run folder that an item asks for."""
    template = draft.template or ""
    check_template(template)
    shown = shortened(template)
    path = PurePosixPath(filled(template, draft.request, draft.sample))
    if path.is_absolute() or "\\" in template or ":" in template or ".." in path.parts:
        raise RequestError(
            f"{shown}: an output lies below the folder of the run; its name has / between folders, "
            "and no .., : or \\."
        )
    if any(part.startswith((".", "~")) for part in path.parts):
        raise RequestError(f"{shown}: no file or folder of a run begins with a . or ~.")
    if any(len(os.fsencode(part)) > MAX_NAME_BYTES for part in path.parts):
        raise RequestError(f"{shown}: a name has at most {MAX_NAME_BYTES} bytes.")
    if not template.endswith("/"):
        container_of(path, shown)
    is_numbered = "{seed}" in template or "{index}" in template
    if draft.num_samples > 1 and not is_numbered:
        path = path.with_stem(f"{path.stem}-{draft.sample + 1}")
    return str(path)
