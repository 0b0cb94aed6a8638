"""The cartoon world of the embedded model: scenes, their captions and their frames.

A scene is one or two subjects in a place. Everything is drawn from tables at the top of this file;
a new colour, place, synonym or subject is one more row.
"""

import math
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

SIZE = 128
NUM_FRAMES = 17
FPS = 8
SUPERSAMPLING = 2

Rgb = tuple[int, int, int]
Points = list[tuple[float, float]]

COLORS: dict[str, Rgb] = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 220, 50),
    "green": (50, 170, 70),
    "blue": (50, 90, 220),
    "purple": (140, 60, 190),
    "pink": (250, 130, 180),
    "white": (250, 250, 250),
}

SHAPES: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "ball", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
}

MOTIONS: dict[str, tuple[str, ...]] = {
    "left": ("moves left", "slides left", "drifts left", "moves to the left", "moving left"),
    "right": ("moves right", "slides right", "drifts right", "moves to the right", "moving right"),
    "up": ("moves up", "rises", "floats up", "moving up", "rising"),
    "down": ("moves down", "falls", "sinks", "moving down", "falling"),
    "bounce": ("bounces", "is bouncing", "bouncing", "bounces up and down"),
    "grow": ("grows", "growing", "gets bigger"),
    "shrink": ("shrinks", "shrinking", "gets smaller"),
    "spin": ("spins", "spinning", "rotates"),
    "orbit": ("moves in a circle", "circles", "goes around", "circling"),
    "still": ("stays still", "rests", "resting", ""),
}

PLAIN: dict[str, Rgb] = {
    "white": (245, 245, 245),
    "black": (20, 20, 25),
    "gray": (128, 128, 128),
    "light blue": (150, 205, 245),
    "beige": (235, 220, 180),
    "dark green": (20, 70, 45),
}

SCENERY: dict[str, tuple[str, ...]] = {
    "hills": ("over green hills", "over the hills", "in the hills"),
    "sea": ("over the sea", "at sea"),
    "night": ("at night", "under the stars"),
    "snow": ("in the snow", "on snow"),
    "sunset": ("at sunset",),
}

PLACES: tuple[str, ...] = (*PLAIN, *SCENERY)

#: Subjects that cannot be told from the place behind them are never drawn.
INVISIBLE: frozenset[tuple[str, str]] = frozenset(
    {
        ("white", "white"),
        ("white", "snow"),
        ("white", "sea"),
        ("green", "hills"),
        ("orange", "sunset"),
        ("yellow", "sunset"),
    }
)

#: Words the model has never seen: it learns from them to ignore what it does not know.
STRANGE_WORDS: tuple[str, ...] = (
    "beautiful", "cute", "cinematic", "animated", "video", "of", "funny", "detailed", "happily",
    "realistic", "shiny", "somewhere", "4k", "cartoon", "very", "scene", "gracefully", "tiny",
)  # fmt: skip

SIZE_WORDS = {"small": 0.115, "big": 0.22}
USUAL_RADIUS = (0.145, 0.18)


@dataclass(frozen=True)
class Subject:
    """What moves: `size` is a key of SIZE_WORDS or empty, `slow` halves the motion."""

    color: str
    shape: str
    motion: str
    size: str = ""
    slow: bool = False


@dataclass(frozen=True)
class Scene:
    """One or two subjects in a place."""

    subjects: tuple[Subject, ...]
    place: str


@dataclass(frozen=True)
class Track:
    """Where a subject is, as fractions of the picture, and its turn in radians, frame by frame."""

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    angle: np.ndarray


# --- which scenes exist -------------------------------------------------------------------------


def is_held_out(scene: Scene) -> bool:
    """Whether a scene is kept out of training: a tenth of the triples, a twelfth of the pairs."""
    return any(
        _bucket(subject.color, subject.shape, subject.motion) % 10 == 0
        or _bucket(subject.shape, scene.place) % 12 == 0
        for subject in scene.subjects
    )


def _bucket(*words: str) -> int:
    return zlib.crc32(" ".join(words).encode())


def is_possible(subject: Subject, place: str) -> bool:
    """Whether the subject can be seen in the place, and its motion be seen at all."""
    turning_disc = subject.shape == "circle" and subject.motion == "spin"
    return not turning_disc and (subject.color, place) not in INVISIBLE


def draw_scene(
    rng: random.Random,
    *,
    num_subjects: int | None = None,
    held_out: bool | None = False,
) -> Scene:
    """A random scene; by default one of the training set.

    Args:
        rng: The source of chance.
        num_subjects: One or two; None draws two in three cases of ten.
        held_out: True and False choose a side of the training split, None takes both.
    """
    while True:
        count = num_subjects or (1 if rng.random() < 0.7 else 2)
        place = rng.choice(list(PLAIN) if rng.random() < 0.45 else list(SCENERY))
        scene = Scene(tuple(_draw_subject(rng, count) for _ in range(count)), place)
        if not all(is_possible(subject, place) for subject in scene.subjects):
            continue
        if len({subject.color for subject in scene.subjects}) < count:
            continue
        if held_out is None or is_held_out(scene) == held_out:
            return scene


def _draw_subject(rng: random.Random, count: int) -> Subject:
    motion = rng.choice(list(MOTIONS))
    resizes = motion in ("grow", "shrink")
    size = "" if resizes or count > 1 or rng.random() < 0.75 else rng.choice(list(SIZE_WORDS))
    slow = motion in ("left", "right", "up", "down") and count == 1 and rng.random() < 0.15
    return Subject(rng.choice(list(COLORS)), rng.choice(list(SHAPES)), motion, size, slow)


# --- captions -----------------------------------------------------------------------------------


def caption(scene: Scene, rng: random.Random, *, strange: float = 0.1) -> str:
    """A phrase for the scene, with another choice of words at every call.

    Args:
        scene: What is to be said.
        rng: The source of chance.
        strange: How often words from outside the world are mixed in.
    """
    clauses = [_clause(subject, rng) for subject in scene.subjects]
    joint = rng.choice((" and ", " while "))
    text, where = joint.join(clauses), _where(scene.place, rng)
    if rng.random() < 0.2:
        text = f"{where}{rng.choice((' ', ', '))}{text}"
    else:
        text = f"{text}{'' if where.startswith(',') else ' '}{where}"
    return _with_strange_words(text, rng) if rng.random() < strange else text


def _clause(subject: Subject, rng: random.Random) -> str:
    words = [rng.choice(("a", "a", "a", "the", "")), subject.size, subject.color]
    motion = rng.choice(MOTIONS[subject.motion])
    adverb = "slowly" if subject.slow else ""
    if rng.random() < 0.5:
        motion, adverb = adverb, motion
    words += [rng.choice(SHAPES[subject.shape]), motion, adverb]
    article_fixed = " ".join(word for word in words if word)
    return article_fixed.replace("a orange", "an orange")


def _where(place: str, rng: random.Random) -> str:
    if place in SCENERY:
        return rng.choice(SCENERY[place])
    preposition = rng.choice(("on a", "on a", "against a", "on the"))
    return f"{preposition} {place} background"


def _with_strange_words(text: str, rng: random.Random) -> str:
    words = text.split()
    for _ in range(rng.randint(1, 3)):
        words.insert(rng.randint(0, len(words)), rng.choice(STRANGE_WORDS))
    return " ".join(words)


def vocabulary() -> list[str]:
    """Every word and sign that captions are made of, sorted."""
    phrases = [*COLORS, *PLAIN, "a an the on against background and while slowly , ."]
    for table in (SHAPES, MOTIONS, SCENERY):
        phrases += [phrase for row in table.values() for phrase in row]
    return sorted({word for phrase in (*phrases, *SIZE_WORDS) for word in phrase.split()})


# --- motion -------------------------------------------------------------------------------------


def tracks(scene: Scene, rng: random.Random, num_frames: int = NUM_FRAMES) -> list[Track]:
    """Where each subject goes. Time runs on past NUM_FRAMES at the same pace."""
    if len(scene.subjects) == 1:
        return [_alone(scene.subjects[0], rng, num_frames)]
    return _side_by_side(scene, rng, num_frames)


def _alone(subject: Subject, rng: random.Random, num_frames: int) -> Track:
    track = _still(
        rng.uniform(0.36, 0.64), rng.uniform(0.36, 0.64), _radius(subject, rng), rng, num_frames
    )
    distance = rng.uniform(0.24, 0.3) if subject.slow else rng.uniform(0.5, 0.6)
    return _moved(track, subject.motion, distance, 0.24, rng)


def _radius(subject: Subject, rng: random.Random) -> float:
    if subject.size:
        return SIZE_WORDS[subject.size] * rng.uniform(0.94, 1.06)
    return rng.uniform(*USUAL_RADIUS)


def _side_by_side(scene: Scene, rng: random.Random, num_frames: int) -> list[Track]:
    """The first named is on the left; on top where both go sideways."""
    sideways = all(subject.motion in ("left", "right") for subject in scene.subjects)
    result = []
    for subject, lane in zip(scene.subjects, (0.27, 0.73), strict=True):
        x, y = (0.5, lane) if sideways else (lane, rng.uniform(0.42, 0.58))
        track = _still(x, y, rng.uniform(0.115, 0.14), rng, num_frames)
        crossing = subject.motion in ("left", "right") and not sideways
        distance = rng.uniform(0.22, 0.26) if crossing else rng.uniform(0.5, 0.6)
        result.append(_moved(track, subject.motion, distance, 0.12, rng))
    return result


def _still(x: float, y: float, radius: float, rng: random.Random, num_frames: int) -> Track:
    angle = rng.uniform(-0.12, 0.12)
    return Track(*(np.full(num_frames, value) for value in (x, y, radius, angle)))


def _moved(track: Track, motion: str, distance: float, orbit: float, rng: random.Random) -> Track:
    num_frames = len(track.x)
    time = np.arange(num_frames) / (NUM_FRAMES - 1)
    if num_frames > NUM_FRAMES:  # there and back again, so that long clips stay in the picture
        time = 1 - np.abs(1 - time % 2)
    way = distance * (time - 0.5)
    scale = 2 * time - 1
    base = float(track.radius[0])
    match motion:
        case "right":
            return replace(track, x=_centered(track.x, way))
        case "left":
            return replace(track, x=_centered(track.x, -way))
        case "down":
            return replace(track, y=_centered(track.y, way))
        case "up":
            return replace(track, y=_centered(track.y, -way))
        case "bounce":
            height = np.abs(np.sin(2 * math.pi * time + rng.uniform(0.0, 0.6)))
            return replace(track, y=0.77 - 0.47 * height)
        case "grow":
            return replace(track, radius=base * (0.98 + 0.62 * scale))
        case "shrink":
            return replace(track, radius=base * (0.98 - 0.62 * scale))
        case "spin":
            turn = rng.choice((1, -1)) * 1.5 * math.pi * time
            return replace(track, angle=track.angle + turn, radius=track.radius * 1.1)
        case "orbit":
            phase = rng.uniform(0, 2 * math.pi) + 2 * math.pi * np.arange(num_frames) / (
                NUM_FRAMES - 1
            )
            x = _lane_center(track.x) + orbit * np.cos(phase)
            return replace(track, x=x, y=0.5 + orbit * np.sin(phase))
        case _:
            return track


def _centered(start: np.ndarray, way: np.ndarray) -> np.ndarray:
    """The way with its middle near the middle of the lane it is in."""
    return _lane_center(start) + 0.35 * (start - _lane_center(start)) + way


def _lane_center(start: np.ndarray) -> float:
    first = float(start[0])
    return 0.5 if 0.3 < first < 0.7 else first


# --- pictures -----------------------------------------------------------------------------------


def render(scene: Scene, rng: random.Random, num_frames: int = NUM_FRAMES) -> np.ndarray:
    """The frames of a scene, uint8, (frames, SIZE, SIZE, 3)."""
    ways = tracks(scene, rng, num_frames)
    return np.stack([_frame(scene, ways, index) for index in range(num_frames)])


def _frame(scene: Scene, ways: list[Track], index: int) -> np.ndarray:
    canvas = background(scene.place).copy()
    draw = ImageDraw.Draw(canvas)
    for subject, way in zip(scene.subjects, ways, strict=True):
        center = (way.x[index] * canvas.width, way.y[index] * canvas.width)
        outline = OUTLINES[subject.shape](way.radius[index] * canvas.width, way.angle[index])
        points = [(center[0] + x, center[1] + y) for x, y in outline]
        draw.polygon(points, fill=COLORS[subject.color])
    return np.asarray(canvas.reduce(SUPERSAMPLING))


def _polygon(radii: tuple[float, ...], start: float) -> Callable[[float, float], Points]:
    def outline(radius: float, angle: float) -> Points:
        count = len(radii)
        turns = [start + angle + 2 * math.pi * i / count for i in range(count)]
        return [
            (radius * part * math.cos(turn), radius * part * math.sin(turn))
            for part, turn in zip(radii, turns, strict=True)
        ]

    return outline


def _heart(radius: float, angle: float) -> Points:
    points = []
    for i in range(40):
        t = 2 * math.pi * i / 40
        x = 16 * math.sin(t) ** 3 / 14.5
        y = -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 14.5
        points.append(
            (
                radius * (x * math.cos(angle) - y * math.sin(angle)),
                radius * (x * math.sin(angle) + y * math.cos(angle)),
            )
        )
    return points


#: The outline of each shape around the origin, from its radius and its turn.
OUTLINES: dict[str, Callable[[float, float], Points]] = {
    "circle": _polygon((1.0,) * 48, 0.0),
    "square": _polygon((1.15,) * 4, math.pi / 4),
    "triangle": _polygon((1.25,) * 3, -math.pi / 2),
    "star": _polygon((1.32, 0.56) * 5, -math.pi / 2),
    "heart": _heart,
}


@cache
def background(place: str) -> Image.Image:
    """The place without anybody in it, supersampled."""
    side = SIZE * SUPERSAMPLING
    if place in PLAIN:
        return Image.new("RGB", (side, side), PLAIN[place])
    canvas = Image.new("RGB", (side, side))
    _SCENERY_PAINTERS[place](canvas)
    return canvas


def empty_place(place: str) -> np.ndarray:
    """The place without anybody in it, uint8, (SIZE, SIZE, 3)."""
    return np.asarray(background(place).reduce(SUPERSAMPLING))


def _gradient(canvas: Image.Image, top: Rgb, bottom: Rgb, start: float, stop: float) -> None:
    draw = ImageDraw.Draw(canvas)
    first, last = round(start * canvas.height), round(stop * canvas.height)
    for row in range(first, last):
        part = (row - first) / max(1, last - first - 1)
        fill = tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        draw.line([(0, row), (canvas.width, row)], fill=fill)


def _ellipse(canvas: Image.Image, box: tuple[float, ...], fill: Rgb) -> None:
    ImageDraw.Draw(canvas).ellipse([value * canvas.width for value in box], fill=fill)


def _hills(canvas: Image.Image) -> None:
    _gradient(canvas, (120, 190, 245), (210, 235, 250), 0, 1)
    _ellipse(canvas, (-0.47, 0.62, 0.70, 1.80), (90, 175, 80))
    _ellipse(canvas, (0.31, 0.70, 1.56, 1.88), (60, 145, 65))


def _sea(canvas: Image.Image) -> None:
    _gradient(canvas, (150, 205, 245), (225, 240, 250), 0, 0.6)
    _gradient(canvas, (40, 120, 190), (15, 60, 120), 0.6, 1)


def _night(canvas: Image.Image) -> None:
    _gradient(canvas, (8, 10, 35), (35, 35, 85), 0, 1)
    sky = random.Random(7)
    for _ in range(30):
        x, y = sky.random(), sky.random()
        _ellipse(canvas, (x - 0.008, y - 0.008, x + 0.008, y + 0.008), (230, 230, 210))


def _snow(canvas: Image.Image) -> None:
    _gradient(canvas, (180, 200, 220), (225, 232, 240), 0, 0.67)
    _gradient(canvas, (250, 250, 252), (250, 250, 252), 0.67, 1)


def _sunset(canvas: Image.Image) -> None:
    _gradient(canvas, (90, 40, 110), (250, 150, 70), 0, 0.66)
    _ellipse(canvas, (0.34, 0.48, 0.66, 0.80), (255, 215, 110))
    _gradient(canvas, (60, 30, 60), (60, 30, 60), 0.66, 1)


_SCENERY_PAINTERS: dict[str, Callable[[Image.Image], None]] = {
    "hills": _hills,
    "sea": _sea,
    "night": _night,
    "snow": _snow,
    "sunset": _sunset,
}
