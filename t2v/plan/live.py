"""The prompts of an endless video: a story file that may grow while the video is made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from t2v.errors import T2VError
from t2v.plan.latents import first_pixel, nearest_latent
from t2v.plan.moments import Moment
from t2v.plan.story import Cue, parse_story, read_story
from t2v.plan.timeline import shot_seeds
from t2v.zoo.spec import LatentRule

_Stamp = tuple[int, int]
_Place = tuple[int, int]
"""A shot, and a latent frame of it."""


class Opening(NamedTuple):
    """Where a shot begins, in pixel frames of the video, and the seed of its noise."""

    first_frame: int
    seed: int


@dataclass(slots=True)
class LivePrompts:
    """Says what each next window shows, and looks into the story file again before it does.

    Windows are asked about in order. Latent frames are those of a shot, `begin` is the shot's first
    pixel frame.
    """

    cues: Sequence[Cue]
    fps: Fraction
    rule: LatentRule
    seed: int = 0
    """Of the video; the seeds of its shots follow from it."""
    negative_prompt: str | None = None
    file: Path | None = None
    used: list[Cue] = field(default_factory=list)
    """What has been shown so far, each prompt from where it came; the cuts among them open shots."""
    problems: list[str] = field(default_factory=list)
    """Why the file could not be read, where it could not; it was used as it was before."""
    _stamp: _Stamp | None = None
    _begun: Sequence[Cue] = ()
    _entry: int = 0
    """Which of `cues` opens the last shot that is known."""
    _asked: _Place = (0, -1)
    """Where was asked about last."""
    _recalled: _Place = (0, -1)
    """Where an earlier run asked about last."""

    def __post_init__(self) -> None:
        """Remember how the file is now: that is what `cues` were read from."""
        self._stamp = _stamp(self.file)
        self._begun = self.cues

    def __call__(self, shot: int, latent: int) -> tuple[str, str | None]:
        """The prompt and the negative prompt of the window that leads from this latent frame on."""
        begin = self.openings[shot].first_frame
        before = self._asked[1] if self._asked[0] == shot else -1
        self._asked = (shot, latent)
        if self._asked <= self._recalled:
            cue = self._latest(self.used[self._places[shot] :], begin, latent)
        else:
            self._look()
            cue = self._latest(self.cues[self._entry :] or self.used[-1:], begin, latent)
            self._remember(cue, begin, latent, before)
        return cue.prompt, self.negative_prompt if cue.negative_prompt is None else (
            cue.negative_prompt
        )

    def end(self, shot: int, least: int, most: int) -> int | None:
        """After how many pixel frames a cut ends the shot, if it is due with the window at hand.

        Args:
            shot: The one that was just asked about.
            least: The fewest that can be, since those before are promised to other windows. 0 for
                the first window, where a cut without a time can wait for the next.
            most: The most that need no further window; a later cut can still change.
        """
        openings = self.openings
        begin = openings[shot].first_frame
        if shot + 1 < len(openings):
            end = openings[shot + 1].first_frame - begin
            return end if end <= most else None
        if self._asked <= self._recalled:
            return None
        return self._settled_end(begin, least, most)

    @property
    def openings(self) -> list[Opening]:
        """The shots that are known by now, of which the last one has no end yet."""
        cues = [self.used[place] for place in self._places] or [self.cues[0]]
        firsts = [0, *(cue.at.frame(self.fps) for cue in cues[1:] if cue.at is not None)]
        return [*map(Opening, firsts, shot_seeds(cues, self.seed))]

    def to_dict(self) -> dict[str, Any]:
        """What has been shown, JSON-ready, for a run that goes on."""
        return {
            "last": list(max(self._asked, self._recalled)),
            "entry": self._entry,
            "used": [cue.to_dict() for cue in self.used],
        }

    def recall(self, found: Mapping[str, Any]) -> None:
        """Show what an earlier run has shown as far as that goes, and then what the file says now.

        Raises:
            LookupError, TypeError, ValueError: It is not what `to_dict` makes.
        """
        self.used = list(parse_story(found["used"]))
        shot, latent = map(int, found["last"])
        self._recalled, self._entry = (shot, latent), int(found["entry"])
        self._stamp = None

    def again(self) -> "LivePrompts":
        """The same from the beginning on, as far as was asked: what has been shown, and no more."""
        last = max(self._asked, self._recalled)
        used = list(self.used)
        return replace(self, file=None, used=used, problems=[], _asked=(0, -1), _recalled=last)

    @property
    def _places(self) -> list[int]:
        """Where among `used` shots begin."""
        return [place for place, cue in enumerate(self.used) if cue.cut or place == 0]

    def _latest(self, entries: Sequence[Cue], begin: int, latent: int) -> Cue:
        """The last before the next cut that has come: those without a time have come at once."""
        current = entries[0]
        for cue in entries[1:]:
            if cue.cut:
                break
            if self._has_come(cue, begin, latent):
                current = cue
        return current

    def _has_come(self, cue: Cue, begin: int, latent: int) -> bool:
        if cue.at is None:
            return True
        return nearest_latent(self.rule, cue.at.frame(self.fps) - begin) <= latent

    def _remember(self, cue: Cue, begin: int, latent: int, before: int) -> None:
        """Note where a prompt came: at its time, or where the first window was that it was there for."""
        if self.used and _said(self.used[-1]) == _said(cue):
            return
        is_late = cue.at is None or self._has_come(cue, begin, before)
        came = _frames(begin + first_pixel(self.rule, latent)) if is_late else cue.at
        # Only a cut that has come opens a shot.
        plain = replace(cue, cut=False, noise="new", seed=None) if self.used else cue
        self.used.append(replace(plain, at=came))

    def _settled_end(self, begin: int, least: int, most: int) -> int | None:
        """The end that the next cut makes, remembered if it is due."""
        cuts = self._cuts_ahead()
        entry, cut = next(cuts, (0, None))
        if cut is None or (cut.at is None and not least):
            return None
        latest = self.used[-1].at
        assert latest is not None
        end = max(least, 1 + latest.frame(self.fps) - begin)
        if cut.at is not None:
            end = max(end, cut.at.frame(self.fps) - begin)
        if end > most:
            return None
        for later, cue in cuts:  # what would have been shown for no frame at all
            if cue.at is None or cue.at.frame(self.fps) > begin + end:
                break
            entry, cut = later, cue
        is_late = cut.at is None or cut.at.frame(self.fps) != begin + end
        self.used.append(replace(cut, at=_frames(begin + end) if is_late else cut.at))
        self._entry = entry
        return end

    def _cuts_ahead(self) -> Iterator[tuple[int, Cue]]:
        return (
            (entry, cue) for entry, cue in enumerate(self.cues) if cue.cut and entry > self._entry
        )

    def _look(self) -> None:
        stamp = _stamp(self.file)
        if self.file is None or stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.cues = self._timed(read_story(self.file))
        except T2VError as error:
            self.problems.append(f"{error}; the story goes on as it was")

    def _timed(self, cues: Sequence[Cue]) -> Sequence[Cue]:
        """With the times that the first entries had at the beginning, where they have none."""
        begun = {index: cue.at for index, cue in enumerate(self._begun)}
        return [replace(cue, at=cue.at or begun.get(index)) for index, cue in enumerate(cues)]


def _said(cue: Cue) -> tuple[str, str | None]:
    return cue.prompt, cue.negative_prompt


def _frames(number: int) -> Moment:
    return Moment(Fraction(number), is_frames=True)


def _stamp(file: Path | None) -> _Stamp | None:
    try:
        status = file.stat() if file else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if status else None
