"""The prompts of an endless video: a story file that may grow while the video is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import takewhile
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
    """What has been shown, in order of time: cuts at their frames, other prompts at their time or,
    where they came too late for that, about where their first window took over."""
    problems: list[str] = field(default_factory=list)
    """Why the file could not be read, where it could not; it was used as it was before."""
    openings: list[Opening] = field(init=False)
    """The shots that are known by now; the last one has no end yet."""
    _stamp: _Stamp | None = field(init=False)
    _begun: Sequence[Cue] = field(init=False)
    _opener: Cue = field(init=False)
    """The entry that opened the last of these shots, as the file had it."""
    _behind: int = 1
    """The first of `cues` behind it."""
    _asked: _Place = (0, -1)
    """Where was asked about last."""
    _recalled: _Place = (0, -1)
    """Where an earlier run asked about last."""

    def __post_init__(self) -> None:
        """Remember how the file is now: that is what `cues` were read from."""
        self._stamp = _stamp(self.file)
        self._begun = self.cues
        self._opener = self.cues[0]
        self._find_openings()

    def __call__(self, shot: int, latent: int) -> tuple[str, str | None]:
        """The prompt and the negative prompt of the window that leads from this latent frame on."""
        before = self._asked[1] if self._asked[0] == shot else -1
        self._asked = (shot, latent)
        if self._asked <= self._recalled:
            cue = self._shown(shot, latent)
        else:
            self._look()
            cue = self._current(shot, latent)
            self._remember(cue, shot, latent, before)
        negative = self.negative_prompt if cue.negative_prompt is None else cue.negative_prompt
        return cue.prompt, negative

    def end(self, shot: int, least: int, most: int) -> int | None:
        """After how many pixel frames a cut ends the shot, if it is due with the window at hand.

        Args:
            shot: The one that was just asked about.
            least: The fewest that can be: those before are handed on by earlier windows. 0 for the
                first window; a cut that is past, or has no time, waits for the next one there.
            most: The most that need no further window; a later cut can still change.
        """
        if (known := self.known_end(shot)) is not None:
            return known if known <= most else None
        if self._asked <= self._recalled:
            return None
        return self._settled_end(self.openings[shot].first_frame, least, most)

    def known_end(self, shot: int) -> int | None:
        """After how many pixel frames a cut ends the shot; None as long as none was due."""
        if shot + 1 == len(self.openings):
            return None
        return self.openings[shot + 1].first_frame - self.openings[shot].first_frame

    def to_dict(self) -> dict[str, Any]:
        """What has been shown, JSON-ready, for a run that goes on."""
        return {
            "last": list(max(self._asked, self._recalled)),
            "used": [cue.to_dict() for cue in self.used],
            "opener": self._opener.to_dict(),
            "behind": self._behind,
        }

    def recall(self, found: Mapping[str, Any]) -> None:
        """Show what an earlier run has shown as far as that goes, and then what the file says now.

        Raises:
            LookupError, TypeError, ValueError: It is not what `to_dict` makes.
        """
        self.used = list(parse_story(found["used"]))
        (self._opener,) = parse_story([found["opener"]])
        self._behind = int(found["behind"])
        shot, latent = map(int, found["last"])
        self._recalled = (shot, latent)
        self._find_openings()
        self._stamp = None

    def again(self) -> "LivePrompts":
        """The same from the beginning on, as far as was asked: what has been shown, and no more."""
        last = max(self._asked, self._recalled)
        return replace(
            self,
            cues=self._begun,
            file=None,
            used=list(self.used),
            problems=[],
            _asked=(0, -1),
            _recalled=last,
        )

    def _find_openings(self) -> None:
        cuts = [cue for cue in self.used[1:] if cue.cut]
        firsts = [0, *(cue.at.frame(self.fps) for cue in cuts if cue.at is not None)]
        seeds = shot_seeds([self._begun[0], *cuts], self.seed)
        self.openings = [*map(Opening, firsts, seeds)]

    def _shown(self, shot: int, latent: int) -> Cue:
        """What an earlier run has shown there."""
        places = [0, *(place for place, cue in enumerate(self.used) if place and cue.cut)]
        opener, *later = self.used[places[shot] :]
        return self._latest(opener, later, shot, latent)

    def _current(self, shot: int, latent: int) -> Cue:
        """What the story says now. A shot begins with the prompt that opens it."""
        if not self.used:
            return self.cues[0]
        if latent == 0:
            return self.used[-1]
        is_listed = self.cues[self._behind - 1 : self._behind] == [self._opener]
        current = self._opener if is_listed else self.used[-1]
        return self._latest(current, self.cues[self._behind :], shot, latent)

    def _latest(self, current: Cue, later: Sequence[Cue], shot: int, latent: int) -> Cue:
        """The last of the later cues before the next cut that has come, if any has."""
        begin = self.openings[shot].first_frame
        for cue in takewhile(lambda cue: not cue.cut, later):
            if self._has_come(cue, begin, latent):
                current = cue
        return current

    def _has_come(self, cue: Cue, begin: int, latent: int) -> bool:
        """Whether it is time for it; one without a time comes at once."""
        if cue.at is None:
            return True
        return nearest_latent(self.rule, cue.at.frame(self.fps) - begin) <= latent

    def _remember(self, cue: Cue, shot: int, latent: int, before: int) -> None:
        """Note what is shown from now on, at a time from which on it would be shown again."""
        if not self.used:
            seed = self._begun[0].seed
            self.used.append(
                Cue(cue.prompt, _frames(0), seed=seed, negative_prompt=cue.negative_prompt)
            )
        if _said(self.used[-1]) == _said(cue):
            return
        begin = self.openings[shot].first_frame
        is_late = cue.at is None or self._has_come(cue, begin, before)
        late = _frames(begin + first_pixel(self.rule, (before + 1 + latent) // 2))
        self.used.append(
            Cue(cue.prompt, late if is_late else cue.at, negative_prompt=cue.negative_prompt)
        )

    def _settled_end(self, begin: int, least: int, most: int) -> int | None:
        """The end that the next cut makes, remembered if it is due."""
        cuts = [place for place in range(self._behind, len(self.cues)) if self.cues[place].cut]
        if not cuts:
            return None
        frames = [self._frame_of(self.cues[place]) for place in cuts]
        wanted = None if frames[0] is None else frames[0] - begin
        if least == 0 and (wanted is None or wanted <= 0):
            return None
        shown = self._frame_of(self.used[-1])
        assert shown is not None
        end = max(least, shown - begin + 1, wanted or 0)
        if end > most:
            return None
        # Of cuts that are due at once, the last one alone would be seen.
        due = [*takewhile(lambda frame: frame is not None and frame <= begin + end, frames[1:])]
        place = cuts[len(due)]
        self._opener, self._behind = self.cues[place], place + 1
        self.used.append(replace(self._opener, at=_frames(begin + end)))
        self._find_openings()
        return end

    def _frame_of(self, cue: Cue) -> int | None:
        return None if cue.at is None else cue.at.frame(self.fps)

    def _look(self) -> None:
        stamp = _stamp(self.file)
        if self.file is None or stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            cues = read_story(self.file)
        except T2VError as error:
            self.problems.append(f"{error}; the story goes on as it was")
            return
        self.cues = self._timed(cues)
        self._find_opener()

    def _timed(self, cues: Sequence[Cue]) -> Sequence[Cue]:
        """The file's story with its beginning, and the times that it had without saying so."""
        first = cues[0].at
        if first is not None and first.value > 0:
            return [self._begun[0], *cues]
        begun = {index: cue.at for index, cue in enumerate(self._begun)}
        return [replace(cue, at=cue.at or begun.get(index)) for index, cue in enumerate(cues)]

    def _find_opener(self) -> None:
        """Find the place in the story again, where more has changed than its end."""
        was = self._behind - 1
        places = [place for place, cue in enumerate(self.cues) if cue == self._opener]
        if places:
            self._behind = 1 + min(places, key=lambda place: abs(place - was))
            return
        here = self.cues[was] if was < len(self.cues) else None
        if here and (here.cut, here.at) == (self._opener.cut, self._opener.at):
            self._opener = here  # put into other words
        else:
            self._behind = min(was, len(self.cues))


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
