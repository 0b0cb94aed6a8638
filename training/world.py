"""The cartoon world of the embedded model: which scenes there are, and their captions.

A scene is one or two subjects in a place. Everything is drawn from tables at the top of this file;
a new colour, synonym or place is one more row, and its picture one more in `drawing.py`.
"""

import random
import zlib
from dataclasses import dataclass

SIZE = 128
NUM_FRAMES = 17
FPS = 8

Rgb = tuple[int, int, int]

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

#: Into how many equal parts a full turn of a shape falls, all of which look alike.
SYMMETRY = {"square": 4, "triangle": 3, "star": 5, "heart": 1}

#: Shapes whose points a blurred clip loses first.
POINTED = ("star", "triangle")

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

SIZE_WORDS = {"small": 0.16, "big": 0.26}
USUAL_RADIUS = (0.195, 0.225)
PAIR_RADIUS = (0.15, 0.165)


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
class Word:
    """A word of a caption, and the index of the subject that it speaks of."""

    text: str
    subject: int | None = None


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
    pointed: float = 0.0,
    spinning: float = 0.0,
) -> Scene:
    """A random scene; by default one of the training set.

    Args:
        rng: The source of chance.
        num_subjects: One or two; None draws two in three cases of ten.
        held_out: True and False choose a side of the training split, None takes both.
        pointed: The part of scenes that must have a star or a triangle.
        spinning: The part of scenes where something must spin.
    """
    must_point = pointed > 0 and rng.random() < pointed
    must_spin = spinning > 0 and rng.random() < spinning
    while True:
        count = num_subjects or (1 if rng.random() < 0.7 else 2)
        place = rng.choice(list(PLAIN) if rng.random() < 0.45 else list(SCENERY))
        scene = Scene(tuple(_draw_subject(rng, count) for _ in range(count)), place)
        if not all(is_possible(subject, place) for subject in scene.subjects):
            continue
        if len({subject.color for subject in scene.subjects}) < count:
            continue
        if must_point and not any(subject.shape in POINTED for subject in scene.subjects):
            continue
        if must_spin and not any(subject.motion == "spin" for subject in scene.subjects):
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
    return joined(caption_words(scene, rng, strange=strange))


def joined(words: list[Word]) -> str:
    """The caption that the words make."""
    return " ".join(word.text for word in words)


def caption_words(scene: Scene, rng: random.Random, *, strange: float = 0.1) -> list[Word]:
    """The words of a caption, each with the subject it speaks of."""
    clauses = [
        [Word(text, index) for text in _clause(subject, rng).split()]
        for index, subject in enumerate(scene.subjects)
    ]
    joint = Word(rng.choice(("and", "while")))
    words = [word for clause in clauses for word in (*clause, joint)][:-1]
    where = _where(scene.place, rng)
    if rng.random() < 0.2:
        where += rng.choice(("", ","))
        words = [*map(Word, where.split()), *words]
    else:
        words += map(Word, where.split())
    if rng.random() < strange:
        for _ in range(rng.randint(1, 3)):
            words.insert(rng.randint(0, len(words)), Word(rng.choice(STRANGE_WORDS)))
    return words


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


def vocabulary() -> list[str]:
    """Every word and sign that captions are made of, sorted."""
    phrases = [*COLORS, *PLAIN, "a an the on against background and while slowly , ."]
    for table in (SHAPES, MOTIONS, SCENERY):
        phrases += [phrase for row in table.values() for phrase in row]
    return sorted({word for phrase in (*phrases, *SIZE_WORDS) for word in phrase.split()})
