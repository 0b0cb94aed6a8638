"""Where the subjects of a scene go, frame by frame."""

import math
import random
from dataclasses import dataclass, replace

import numpy as np

from training.world import (
    NUM_FRAMES,
    PAIR_RADIUS,
    SIZE_WORDS,
    SYMMETRY,
    USUAL_RADIUS,
    Scene,
    Subject,
)

#: How much of the picture a subject crosses.
WAY = (0.28, 0.40)

#: Latent frames, of four frames each, until a motion looks the same again; what spins turns clockwise.
#: A clip begins at one of so many places. Where more are possible, or both directions, a denoiser at
#: work draws one over the other.
SPIN_PERIOD = {"square": 1, "triangle": 1, "star": 1, "heart": 4}
BOUNCE_PERIOD = 2
ORBIT_PERIOD = 4


@dataclass(frozen=True)
class Track:
    """Where a subject is, as fractions of the picture, and its turn in radians, frame by frame."""

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    angle: np.ndarray


@dataclass(frozen=True)
class Room:
    """How far a subject goes: its way and its orbit's radius in pictures, its growth in radii.

    `middle` is how far the middle of its way is from the middle of its lane.
    """

    distance: float
    middle: float
    orbit: float
    growth: float


def tracks(
    scene: Scene, rng: random.Random, num_frames: int = NUM_FRAMES, first_frame: int = 0
) -> list[Track]:
    """Where each subject goes.

    Args:
        scene: What moves, and how.
        rng: The source of chance.
        num_frames: How long to look.
        first_frame: When to begin. A way begins at frame 0 and ends at NUM_FRAMES - 1; before and
            after, at the same pace, what goes or grows comes back and sets out again.
    """
    frames = first_frame + np.arange(num_frames)
    if len(scene.subjects) == 1:
        return [_alone(scene.subjects[0], rng, frames)]
    return _side_by_side(scene, rng, frames)


def _alone(subject: Subject, rng: random.Random, frames: np.ndarray) -> Track:
    track = _still(
        rng.uniform(0.36, 0.64), rng.uniform(0.36, 0.64), _radius(subject, rng), rng, len(frames)
    )
    distance = rng.uniform(0.18, 0.26) if subject.slow else rng.uniform(*WAY)
    room = Room(distance, _middle(distance, rng), orbit=0.18, growth=rng.uniform(0.38, 0.6))
    return _moved(track, subject, room, rng, frames)


def _radius(subject: Subject, rng: random.Random) -> float:
    if subject.size:
        return SIZE_WORDS[subject.size] * rng.uniform(0.94, 1.06)
    return rng.uniform(*USUAL_RADIUS)


def _side_by_side(scene: Scene, rng: random.Random, frames: np.ndarray) -> list[Track]:
    """The first named is on the left; on top where both go sideways."""
    sideways = all(subject.motion in ("left", "right") for subject in scene.subjects)
    result = []
    for subject, lane in zip(scene.subjects, (0.26, 0.74), strict=True):
        x, y = (0.5, lane) if sideways else (lane, rng.uniform(0.42, 0.58))
        track = _still(x, y, rng.uniform(*PAIR_RADIUS), rng, len(frames))
        crossing = subject.motion in ("left", "right") and not sideways
        distance = rng.uniform(0.18, 0.21) if crossing else rng.uniform(*WAY)
        middle = 0.0 if crossing else _middle(distance, rng)
        room = Room(distance, middle, orbit=0.12, growth=rng.uniform(0.38, 0.45))
        result.append(_moved(track, subject, room, rng, frames))
    return result


def _middle(distance: float, rng: random.Random) -> float:
    slack = (0.6 - distance) / 2
    return rng.uniform(-slack, slack)


def _still(x: float, y: float, radius: float, rng: random.Random, num_frames: int) -> Track:
    angle = rng.uniform(-0.05, 0.05)
    return Track(*(np.full(num_frames, value) for value in (x, y, radius, angle)))


def _moved(
    track: Track, subject: Subject, room: Room, rng: random.Random, frames: np.ndarray
) -> Track:
    time = frames / (NUM_FRAMES - 1)
    there_and_back = 1 - np.abs(1 - time % 2)
    way = room.distance * (there_and_back - 0.5)
    growth = room.growth * (2 * there_and_back - 1)
    base = float(track.radius[0])
    match subject.motion:
        case "right":
            return replace(track, x=_lane_center(track.x) + room.middle + way)
        case "left":
            return replace(track, x=_lane_center(track.x) + room.middle - way)
        case "down":
            return replace(track, y=_lane_center(track.y) + room.middle + way)
        case "up":
            return replace(track, y=_lane_center(track.y) + room.middle - way)
        case "bounce":
            height = np.abs(np.sin(math.pi * _rounds(BOUNCE_PERIOD, rng, frames)))
            return replace(track, y=0.72 - 0.34 * height)
        case "grow":
            return replace(track, radius=base * (0.98 + growth))
        case "shrink":
            return replace(track, radius=base * (0.98 - growth))
        case "spin":
            rounds = _rounds(SPIN_PERIOD.get(subject.shape, 1), rng, frames)
            angle = 2 * math.pi / SYMMETRY.get(subject.shape, 1) * rounds
            return replace(track, angle=angle, radius=track.radius * 1.1)
        case "orbit":
            phase = 2 * math.pi * _rounds(ORBIT_PERIOD, rng, frames)
            x = _lane_center(track.x) + room.orbit * np.cos(phase)
            return replace(track, x=x, y=0.5 + room.orbit * np.sin(phase))
        case _:
            return track


def _rounds(period: int, rng: random.Random, frames: np.ndarray) -> np.ndarray:
    """How often a motion has come round by each frame, from one of its beginnings."""
    return (rng.randrange(period) + frames / 4) / period


def _lane_center(start: np.ndarray) -> float:
    first = float(start[0])
    return 0.5 if 0.3 < first < 0.7 else first
