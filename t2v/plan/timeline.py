"""Prompts on the frames of a video: scenes, and the shots they make up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise

from t2v.errors import RequestError
from t2v.plan.moments import Moment
from t2v.plan.story import Cue
from t2v.plan.wording import quoted

_START = Moment(Fraction(0))


@dataclass(frozen=True, slots=True)
class Scene:
    """What is shown from one pixel frame up to the next scene."""

    first_frame: int
    num_frames: int
    cue: Cue


@dataclass(frozen=True, slots=True)
class Take:
    """A shot to be: its place in pixel frames of the video, its seed, its scenes."""

    first_frame: int
    num_frames: int
    seed: int
    scenes: tuple[Scene, ...]


def with_opening(prompt: str | None, cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """The story from its first frame on: an own prompt is shown until the first cue.

    Raises:
        RequestError: Nothing says what comes first, or two do.
    """
    if not cues:
        if prompt is None:
            raise RequestError("There is no prompt; say what the video should show.")
        return ()
    first = cues[0]
    if first.at is None or first.at.value == 0:
        if prompt is not None and prompt != first.prompt:
            raise RequestError(
                f"The prompt {quoted(prompt)} and the story's first entry both begin the video; "
                "leave one of them out, or give every entry its time (at: 5s)."
            )
        return cues
    if prompt is None:
        raise RequestError(
            f"The story begins at {first.at}; give a prompt for what is shown before, or an entry "
            "at 0s."
        )
    return (Cue(prompt, _START), *cues)


def natural_frames(cues: Sequence[Cue], native: int, fps: Fraction) -> int:
    """How long a story is where nobody says it: its last prompt lasts as long as a clip."""
    last = cues[-1].at
    return (len(cues) * native) if last is None else last.frame(fps) + native


def place(cues: Sequence[Cue], num_frames: int, fps: Fraction) -> tuple[Scene, ...]:
    """Put a story on the frames of a video.

    Raises:
        RequestError: It is out of order, or there is no frame for one of its prompts.
    """
    firsts = _evenly(cues, num_frames) if _is_even(cues) else _timed(cues, num_frames, fps)
    ends = [*firsts[1:], num_frames]
    return tuple(
        Scene(first, end - first, cue) for first, end, cue in zip(firsts, ends, cues, strict=True)
    )


def timed(cues: Sequence[Cue], native: int, fps: Fraction) -> tuple[Cue, ...]:
    """The story of a video without an end: prompts without times last as long as a clip each.

    Raises:
        RequestError: It is out of order, or some prompts have times and others none.
    """
    if not _is_even(cues):
        _timed(cues, None, fps)
        return tuple(cues)
    firsts = [Moment(Fraction(native * index), is_frames=True) for index in range(len(cues))]
    return tuple(replace(cue, at=first) for cue, first in zip(cues, firsts, strict=True))


def takes(scenes: Sequence[Scene], seed: int) -> tuple[Take, ...]:
    """The shots that scenes make up: a new one at every cut."""
    shots: list[list[Scene]] = []
    for scene in scenes:
        if scene.cue.cut or not shots:
            shots.append([])
        shots[-1].append(scene)
    seeds = shot_seeds([shot[0].cue for shot in shots], seed)
    return tuple(
        Take(shot[0].first_frame, sum(s.num_frames for s in shot), own, tuple(shot))
        for shot, own in zip(shots, seeds, strict=True)
    )


def split(shots: Sequence[Take], most: int, seed: int) -> tuple[Take, ...]:
    """The same as shots of one scene and of at most so many frames each."""
    pieces: list[Scene] = []
    for scene in (scene for shot in shots for scene in shot.scenes):
        count = -(-scene.num_frames // most)
        bounds = [scene.num_frames * k // count for k in range(count + 1)]
        for k, (begin, end) in enumerate(pairwise(bounds)):
            cue = scene.cue if k == 0 else replace(scene.cue, seed=None, noise="new")
            pieces.append(Scene(scene.first_frame + begin, end - begin, cue))
    seeds = shot_seeds([piece.cue for piece in pieces], seed)
    return tuple(
        Take(piece.first_frame, piece.num_frames, own, (piece,))
        for piece, own in zip(pieces, seeds, strict=True)
    )


def shot_seeds(openings: Sequence[Cue], seed: int) -> list[int]:
    """A seed for each shot: its own, that of the shot before, or one that follows from the first."""
    seeds: list[int] = []
    for index, cue in enumerate(openings):
        if cue.seed is not None:
            seeds.append(cue.seed)
        elif index and cue.noise == "shared":
            seeds.append(seeds[-1])
        else:
            seeds.append(shot_seed(seed, index))
    return seeds


def shot_seed(seed: int, index: int) -> int:
    """The seed of the shot with that number: the video's own, then others that follow from it.

    >>> shot_seed(42, 0), shot_seed(42, 1)
    (42, 45880807268088)
    """
    if index == 0:
        return seed
    return int.from_bytes(sha256(f"{seed}:shot:{index}".encode()).digest()[:6])


def _is_even(cues: Sequence[Cue]) -> bool:
    """Whether no prompt has a time. The first needs none in any case."""
    timed = [cue.at is not None for cue in cues[1:]]
    if any(timed) and not all(timed):
        place = 2 + timed.index(False)
        raise RequestError(
            f"Entry {place} of the story has no time, and others have; give it one (at: 5s)."
        )
    return not any(timed)


def _evenly(cues: Sequence[Cue], num_frames: int) -> list[int]:
    if len(cues) > num_frames:
        raise RequestError(
            f"The story has {len(cues)} prompts and the video {num_frames} frames; "
            "make it longer with --seconds, or leave prompts out."
        )
    return [num_frames * index // len(cues) for index in range(len(cues))]


def _timed(cues: Sequence[Cue], num_frames: int | None, fps: Fraction) -> list[int]:
    firsts = [0, *(cue.at.frame(fps) for cue in cues[1:] if cue.at is not None)]
    for index in range(1, len(cues)):
        before, own = cues[index - 1].at or _START, cues[index].at
        if firsts[index] == firsts[index - 1]:
            raise RequestError(
                f"The prompts at {before} and {own} begin in the same frame; leave one of them out, "
                f"or move it by a frame (1/{fps} s)."
            )
        if firsts[index] < firsts[index - 1]:
            raise RequestError(
                f"The story is out of order: {own} comes after {before}. Sort its entries by time."
            )
        if num_frames is not None and firsts[index] >= num_frames:
            raise RequestError(
                f"The prompt at {own} begins after the last frame of the video "
                f"({float(num_frames / fps):.4g} s, {num_frames} frames); make it longer with "
                "--seconds, or leave the prompt out."
            )
    return firsts
