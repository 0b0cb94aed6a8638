"""The timeline of a long video, drawn with letters: seconds, prompts, shots, windows."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from t2v_cli.output import one_line

LABEL = 9
"""Columns before the drawing."""
NARROWEST, WIDEST = 60, 160
MOST_LANES = 6
"""Windows overlap with their neighbors alone, but for prompts that hold very briefly."""


def timeline(plan: Mapping[str, Any]) -> list[str]:
    """The lines of a plan's timeline, from its `to_dict`; none for a plain clip or without an end."""
    windows = plan["windows"]
    if not windows:
        return []
    columns = max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns)) - LABEL - 1
    scale = _Scale(int(plan["request"]["num_frames"]["value"]), plan["duration_s"], columns)
    rows = [("seconds", scale.ruler())]
    prompts = _ring_prompts(windows, scale) if plan["long"]["loop"] else _prompts(windows)
    rows += [("prompts", _spread(prompts, scale))]
    shots = plan["long"]["shots"]
    if len(shots) > 1:
        texts = [(shot["first_frame"], f"seed {shot['seed']}") for shot in shots]
        rows += [("shots", _spread(texts, scale))]
    lanes = _lanes(windows, scale)
    rows += [("windows" if index == 0 else "", lane) for index, lane in enumerate(lanes)]
    return [f"{label:<{LABEL}}{text}".rstrip() for label, text in rows]


class _Scale:
    """Frames to columns."""

    def __init__(self, num_frames: int, seconds: float, columns: int) -> None:
        self.num_frames, self.seconds, self.columns = num_frames, seconds, columns

    def __call__(self, frame: int) -> int:
        return min(frame, self.num_frames) * self.columns // self.num_frames

    def ruler(self) -> str:
        """Seconds at round distances, about one in ten columns."""
        least = self.seconds * 10 / self.columns
        steps = [factor * 10**power for power in range(-2, 6) for factor in (1, 2, 5)]
        step = next(step for step in steps if step >= least)
        line = ""
        for count in range(int(self.seconds / step) + 1):
            text = f"{count * step:g}"
            at = round(count * step / self.seconds * self.columns)
            line = line.ljust(min(at, self.columns + 1 - len(text))) + text
        return line


def _prompts(windows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Each prompt and the frame at which its first window is half blended in."""
    found: list[tuple[int, str]] = []
    said, end = None, 0
    for window in windows:
        text = (window["shot"], window["prompt"], window["negative_prompt"])
        first = window["first_frame"]
        if text != said:
            overlap = max(0, end - first) if found else 0
            found.append((first + overlap // 2, window["prompt"]))
        said, end = text, first + window["num_frames"]
    return found


def _ring_prompts(windows: Sequence[Mapping[str, Any]], scale: _Scale) -> list[tuple[int, str]]:
    """The same on a loop, where the last window goes on with the first."""
    found = []
    for before, window in zip([windows[-1], *windows[:-1]], windows, strict=True):
        if window["prompt"] != before["prompt"]:
            end = before["first_frame"] + before["num_frames"]
            overlap = (end - window["first_frame"]) % scale.num_frames
            first = (window["first_frame"] + overlap // 2) % scale.num_frames
            found.append((first, window["prompt"]))
    found.sort()
    if not found or found[0][0] > 0:
        found.insert(0, (0, found[-1][1] if found else windows[0]["prompt"]))
    return found


def _spread(texts: Sequence[tuple[int, str]], scale: _Scale) -> str:
    """Texts where they begin, each cut short before the next."""
    line = ""
    begins = [scale(frame) for frame, _ in texts]
    for (_, text), begin, end in zip(texts, begins, [*begins[1:], scale.columns], strict=True):
        mark = "|" if begin else ""
        room = end - begin - len(mark)
        if room >= 0:
            line = line.ljust(begin) + mark + (one_line(text, room) if room > 1 else "")
    return line


def _lanes(windows: Sequence[Mapping[str, Any]], scale: _Scale) -> list[str]:
    """Bars from the first frame a window counts on to its last, none over another."""
    lanes: list[str] = []
    for bar, begin, end in _bars(windows, scale):
        lane = next((i for i, text in enumerate(lanes) if len(text) <= begin), len(lanes))
        if lane == MOST_LANES:
            return [f"{len(windows)}, too many to draw at this width"]
        lanes[lane : lane + 1] = [(lanes[lane] if lane < len(lanes) else "").ljust(begin) + bar]
        assert len(lanes[lane]) == end
    return lanes


def _bars(windows: Sequence[Mapping[str, Any]], scale: _Scale) -> Iterator[tuple[str, int, int]]:
    for window in windows:
        begin = scale(window["first_frame"])
        last = window["first_frame"] + window["num_frames"]
        end = max(begin + 1, scale(last))
        number = str(window["index"] + 1)
        room = end - begin - 2
        inside = f"{number if room >= len(number) else '':=^{max(0, room)}}"
        # What goes on at the beginning of a loop has no end here.
        closing = ">" if last > scale.num_frames else "]"
        yield (f"[{inside}{closing}" if room >= 0 else "|"), begin, end
