"""The prompts of an endless video: a story file that may grow while the video is made."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from t2v.errors import T2VError
from t2v.plan.latents import first_pixel, nearest_latent
from t2v.plan.moments import Moment
from t2v.plan.story import Cue, read_story
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

    def __post_init__(self) -> None:
        """Remember how the file is now: that is what `cues` were read from."""
        self._stamp = _stamp(self.file)
        self._begun = self.cues

    def __call__(self, latent: int) -> tuple[str, str | None]:
        """The prompt and the negative prompt from this latent frame on."""
        self._look()
        cue = self._current(latent)
        shown = replace(cue, at=Moment(Fraction(first_pixel(self.rule, latent)), is_frames=True))
        if not self.used or replace(self.used[-1], at=None) != replace(cue, at=None):
            self.used.append(shown)
        return cue.prompt, self.negative_prompt if cue.negative_prompt is None else (
            cue.negative_prompt
        )

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
