"""Say what a clip of the world shows, from its pixels alone: `python -m training.measure`.

Knows the palette, the empty places and the outlines; knows nothing of how a clip came to be. Run as
a program it checks itself on rendered clips: what was drawn has to be found, and a caption with one
thing wrong refused.
"""

import argparse
import itertools
import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from training import drawing, world

BACKGROUND_TOLERANCE = 26
COLOR_TOLERANCE = 80.0
MIN_AREA = 45
PATCH = 40
SECTORS = 90


@dataclass(frozen=True)
class Seen:
    """One subject as it was found."""

    color: str
    shape: str
    motion: str


@dataclass(frozen=True)
class Reading:
    """What a clip shows."""

    place: str
    subjects: tuple[Seen, ...]


@dataclass(frozen=True)
class Verdict:
    """Which of the things asked for were found."""

    color: bool
    shape: bool
    motion: bool
    place: bool

    @property
    def everything(self) -> bool:
        """All of it at once."""
        return self.color and self.shape and self.motion and self.place


def read(frames: np.ndarray) -> Reading:
    """What is in the frames (uint8, frames x height x width x 3)."""
    place = find_place(frames)
    subjects = []
    for color, masks in find_colors(frames, place).items():
        seen = [mask for mask in masks if mask.sum() >= MIN_AREA]
        subjects.append(Seen(color, find_shape(seen), find_motion(masks)))
    return Reading(place, tuple(subjects))


def judge(reading: Reading, scene: world.Scene) -> Verdict:
    """Compare what was read with what was asked for."""
    found = {subject.color: subject for subject in reading.subjects[: len(scene.subjects)]}
    pairs = [(found.get(subject.color), subject) for subject in scene.subjects]
    return Verdict(
        color=all(seen is not None for seen, _ in pairs),
        shape=all(seen is not None and seen.shape == asked.shape for seen, asked in pairs),
        motion=all(seen is not None and seen.motion == asked.motion for seen, asked in pairs),
        place=reading.place == scene.place,
    )


# --- place and color ----------------------------------------------------------------------------


def find_place(frames: np.ndarray) -> str:
    """The place that most pixels agree with."""
    part = frames[::4].astype(np.int16)
    agreement = {place: float((_difference(part, place) < 20).mean()) for place in world.PLACES}
    return max(agreement, key=agreement.__getitem__)


def _difference(frames: np.ndarray, place: str) -> np.ndarray:
    return np.abs(frames.astype(np.int16) - _empty(place)).max(-1)


@cache
def _empty(place: str) -> np.ndarray:
    return drawing.empty_place(place).astype(np.int16)


def find_colors(frames: np.ndarray, place: str) -> dict[str, list[np.ndarray]]:
    """The one or two colors that stand out from the place, with a mask a frame, largest first."""
    palette = np.array(list(world.COLORS.values()), dtype=np.float32)
    distance = np.linalg.norm(frames[..., None, :].astype(np.float32) - palette, axis=-1)
    nearest = distance.argmin(-1)
    foreground = (_difference(frames, place) > BACKGROUND_TOLERANCE) & (
        distance.min(-1) < COLOR_TOLERANCE
    )
    found = {}
    for index, color in enumerate(world.COLORS):
        masks = [_largest_part(mask) for mask in foreground & (nearest == index)]
        areas = np.array([mask.sum() for mask in masks])
        if (areas >= MIN_AREA).mean() >= 0.7:
            found[color] = (areas.mean(), masks)
    ordered = sorted(found, key=lambda color: -found[color][0])
    return {color: found[color][1] for color in ordered[:2]}


def _largest_part(mask: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(ndimage.binary_opening(mask, np.ones((3, 3))))
    if count == 0:
        return labels.astype(bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(labels == sizes.argmax())


# --- shape --------------------------------------------------------------------------------------


def find_shape(masks: Sequence[np.ndarray]) -> str:
    """The outline that fits best, over all turns, averaged over the larger masks."""
    if not masks:
        return ""
    larger = sorted(masks, key=lambda mask: -mask.sum())[: max(1, 2 * len(masks) // 3)]
    patches = np.stack([_standard(mask) for mask in larger[:: max(1, len(larger) // 6)]])
    scores = {}
    for shape in world.SHAPES:
        templates = _templates(shape)
        both = np.einsum("ihw,thw->it", patches, templates)
        union = patches.sum((1, 2))[:, None] + templates.sum((1, 2)) - both
        scores[shape] = float((both / union).max(1).mean())
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > 0.7 else ""


def _standard(mask: np.ndarray) -> np.ndarray:
    """The mask with its centroid in the middle of a patch and its area a fixed part of it."""
    rows, columns = np.nonzero(mask)
    scale = math.sqrt(len(rows) / (0.3 * PATCH * PATCH))
    grid = (np.arange(PATCH) - (PATCH - 1) / 2) * scale
    points = np.meshgrid(grid + rows.mean(), grid + columns.mean(), indexing="ij")
    return ndimage.map_coordinates(mask.astype(np.float32), points, order=1)


@cache
def _templates(shape: str) -> np.ndarray:
    drawn = []
    for degrees in range(0, 360, 8):
        canvas = Image.new("L", (160, 160))
        outline = drawing.OUTLINES[shape](50, math.radians(degrees))
        ImageDraw.Draw(canvas).polygon([(80 + x, 80 + y) for x, y in outline], fill=1)
        drawn.append(_standard(np.asarray(canvas).astype(bool)))
    return np.stack(drawn)


# --- motion -------------------------------------------------------------------------------------


def find_motion(masks: Sequence[np.ndarray]) -> str:
    """The motion that the masks of successive frames make."""
    visible = [mask for mask in masks if mask.sum() >= MIN_AREA]
    if len(visible) < 4:
        return ""
    side = visible[0].shape[-1]
    y, x = (np.array(axis) / side for axis in zip(*map(_centroid, visible), strict=True))
    radius = np.sqrt([mask.sum() for mask in visible])
    growth = math.log(np.mean(radius[-2:]) / np.mean(radius[:2]))
    across, along = x[-1] - x[0], y[-1] - y[0]
    if _sweep(x, y) > 1.4 * math.pi and min(np.ptp(x), np.ptp(y)) > 0.1:
        return "orbit"
    if np.ptp(y) > 0.18 and np.ptp(x) < 0.14 and _reversals(y) >= 2:
        return "bounce"
    if abs(growth) > 0.5:
        return "grow" if growth > 0 else "shrink"
    if max(abs(across), abs(along)) > 0.11:
        if abs(across) > abs(along):
            return "right" if across > 0 else "left"
        return "down" if along > 0 else "up"
    if abs(_turn(visible)) > math.radians(100):
        return "spin"
    return "still" if max(np.ptp(x), np.ptp(y)) < 0.1 and abs(growth) < 0.3 else ""


def _centroid(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


def _sweep(x: np.ndarray, y: np.ndarray) -> float:
    """How far the track goes around its own middle, in radians."""
    middle = ((x.max() + x.min()) / 2, (y.max() + y.min()) / 2)
    angle = np.unwrap(np.arctan2(y - middle[1], x - middle[0]))
    return float(abs(angle[-1] - angle[0]))


def _reversals(y: np.ndarray, least: float = 0.08) -> int:
    """How often the height turns around by more than `least`."""
    count, direction, extreme = 0, 0, y[0]
    for value in y:
        if (direction >= 0 and value > extreme) or (direction <= 0 and value < extreme):
            if direction == 0 and abs(value - extreme) > least:
                direction = 1 if value > extreme else -1
            if direction != 0:
                extreme = value
        elif direction != 0 and abs(value - extreme) > least:
            count, direction, extreme = count + 1, -direction, value
    return count


def _turn(masks: Sequence[np.ndarray]) -> float:
    """The angle the outline turns by from the first frame to the last, in radians."""
    profiles = np.stack([_profile(mask) for mask in masks])
    if np.ptp(profiles, axis=1).mean() < 0.12:
        return 0.0
    total = 0.0
    reach = SECTORS // 12
    for before, after in itertools.pairwise(profiles):
        shifts = range(-reach, reach + 1)
        errors = np.array([np.abs(np.roll(before, shift) - after).sum() for shift in shifts])
        total += shifts[int(errors.argmin())] * 2 * math.pi / SECTORS
    return total


def _profile(mask: np.ndarray) -> np.ndarray:
    """How far the outline is from the centroid in every direction, on average one."""
    row, column = _centroid(mask)
    angles = 2 * math.pi * np.arange(SECTORS) / SECTORS
    reach = np.arange(0.5, 64, 0.5)
    points = (row + np.outer(np.sin(angles), reach), column + np.outer(np.cos(angles), reach))
    inside = ndimage.map_coordinates(mask.astype(np.float32), points, order=1)
    lengths = ndimage.gaussian_filter1d(inside.sum(1), 1.5, mode="wrap")
    return lengths / lengths.mean()


# --- the check on itself ------------------------------------------------------------------------


def check(num_clips: int, seed: int = 0) -> dict[str, float]:
    """How often rendered clips are read right, and how often a wrong caption is accepted."""
    rng = random.Random(seed)
    scenes = [world.draw_scene(rng, held_out=None) for _ in range(num_clips)]
    readings = [read(drawing.render(scene, rng)) for scene in scenes]
    verdicts = [judge(*pair) for pair in zip(readings, scenes, strict=True)]
    accepted = [
        judge(reading, nearly(scene, rng)).everything
        for reading, scene in zip(readings, scenes, strict=True)
    ]
    right = {
        name: float(np.mean([asdict(v)[name] for v in verdicts])) for name in asdict(verdicts[0])
    }
    right["everything"] = float(np.mean([verdict.everything for verdict in verdicts]))
    return {**right, "wrong_accepted": float(np.mean(accepted))}


def nearly(scene: world.Scene, rng: random.Random) -> world.Scene:
    """The scene with one thing about it wrong: a color, a shape, a motion or the place."""
    aspect = rng.choice(("color", "shape", "motion", "place"))
    table = {
        "color": world.COLORS,
        "shape": world.SHAPES,
        "motion": world.MOTIONS,
        "place": world.PLACES,
    }
    first, *others = scene.subjects
    right = scene.place if aspect == "place" else getattr(first, aspect)
    taken = {other.color for other in others} if aspect == "color" else set()
    wrong = rng.choice([word for word in table[aspect] if word != right and word not in taken])
    if aspect == "place":
        return replace(scene, place=wrong)
    return replace(scene, subjects=(replace(first, **{aspect: wrong}), *others))


def main() -> None:
    """Print the figures of the self-check; exit with an error if they are not good enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=500, help="clips")
    figures = check(parser.parse_args().limit)
    print(json.dumps(figures, indent=2))
    if figures["everything"] < 0.97 or figures["wrong_accepted"] > 0.05:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
