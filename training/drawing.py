"""Scenes as pictures: outlines, backgrounds, frames."""

import math
import random
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from training.motion import Track, tracks
from training.world import COLORS, NUM_FRAMES, PLAIN, SIZE, Rgb, Scene

SUPERSAMPLING = 2
DIFFERENT = 12
"""Levels of 255 by which a subject stands out from its place."""

Points = list[tuple[float, float]]


def render(scene: Scene, rng: random.Random, num_frames: int = NUM_FRAMES) -> np.ndarray:
    """The frames of a scene, uint8, (frames, SIZE, SIZE, 3)."""
    return paint(scene, tracks(scene, rng, num_frames))


def paint(scene: Scene, ways: list[Track]) -> np.ndarray:
    """The frames of a scene whose subjects go these ways, uint8, (frames, SIZE, SIZE, 3)."""
    return np.stack([_frame(scene, ways, index) for index in range(len(ways[0].x))])


def subject_pixels(clip: np.ndarray, place: str) -> np.ndarray:
    """Where a clip shows more than its place, and a margin of two pixels for the outline."""
    differs = np.abs(clip.astype(np.int16) - empty_place(place)).max(-1) > DIFFERENT
    return ndimage.binary_dilation(differs, np.ones((1, 5, 5), bool))


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
