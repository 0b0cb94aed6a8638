"""The prompts of an endless video: a story file that may grow while the video is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from t2v.errors import T2VError
from t2v.plan.latents import first_pixel, nearest_latent
from t2v.plan.moments import Moment
from t2v.plan.story import Cue, parse_story, read_story
from t2v.zoo.spec import LatentRule

_Stamp = tuple[int, int]


@dataclass(slots=True)
class LivePrompts:
    """Says what each next window shows, and looks into the story file again before it does."""

    cues: Sequence[Cue]
    fps: Fraction
    rule: LatentRule
    negative_prompt: str | None = None
    file: Path | None = None
    used: list[Cue] = field(default_factory=list)
    """What has been shown so far, each prompt from the frame on at which it came."""
    problems: list[str] = field(default_factory=list)
    """Why the file could not be read, where it could not; it was used as it was before."""
    _stamp: _Stamp | None = None
    _begun: Sequence[Cue] = ()
    _last: int = -1
    """The last latent frame that was asked about."""
    _recalled: int = -1
    """The last one that an earlier run asked about."""

    def __post_init__(self) -> None:
        """Remember how the file is now: that is what `cues` were read from."""
        self._stamp = _stamp(self.file)
        self._begun = self.cues

    def __call__(self, latent: int) -> tuple[str, str | None]:
        """The prompt and the negative prompt from this latent frame on."""
        self._last = max(self._last, latent)
        cue = self._shown(latent) if latent <= self._recalled else self._next(latent)
        return cue.prompt, self.negative_prompt if cue.negative_prompt is None else (
            cue.negative_prompt
        )

    def to_dict(self) -> dict[str, Any]:
        """What has been shown, JSON-ready, for a run that goes on."""
        return {"last": self._last, "used": [cue.to_dict() for cue in self.used]}

    def recall(self, found: Mapping[str, Any]) -> None:
        """Show what an earlier run has shown as far as that goes, and then what the file says now.

        Raises:
            LookupError, TypeError, ValueError: It is not what `to_dict` makes.
        """
        self.used = list(parse_story(found["used"]))
        self._recalled = int(found["last"])
        self._stamp = None

    def _shown(self, latent: int) -> Cue:
        """What an earlier run has shown there."""
        frame = first_pixel(self.rule, latent)
        came = [cue for cue in self.used if cue.at is None or cue.at.frame(self.fps) <= frame]
        return came[-1]

    def _next(self, latent: int) -> Cue:
        """What is shown from there on, which is remembered."""
        self._look()
        cue = self._current(latent)
        shown = replace(cue, at=Moment(Fraction(first_pixel(self.rule, latent)), is_frames=True))
        if not self.used or replace(self.used[-1], at=None) != replace(cue, at=None):
            self.used.append(shown)
        return cue

    def _current(self, latent: int) -> Cue:
        """The last cue whose time has come; one without a time counts as soon as it is there."""
        current = self.cues[0]
        for cue in self.cues[1:]:
            if cue.at is None or nearest_latent(self.rule, cue.at.frame(self.fps)) <= latent:
                current = cue
        return current

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


def _stamp(file: Path | None) -> _Stamp | None:
    try:
        status = file.stat() if file else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if status else None
