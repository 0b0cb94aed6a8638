"""What was measured of a long video, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_LISTED = 12
"""Switches that are told one by one; `--json` has them all."""


def report_rows(report: Any) -> Iterator[tuple[str, str, str]]:
    """Rows for a table, of what there is; the report may be a stranger's, and anything."""
    for name, tell in _TOLD.items():
        part = report.get(name) if isinstance(report, Mapping) else None
        if part is not None and (text := tell(part)):
            yield name.removesuffix("_percent").replace("_", " "), text, "frames"


def _seams(seams: Any) -> str:
    if not isinstance(seams, Mapping) or not seams.get("joins"):
        return ""
    text = (
        f"{_number(seams.get('ratio'))} times the usual change at {_number(seams['joins'])} joins"
    )
    if "worst" in seams:
        text += f", at most {_number(seams['worst'])} at frame {_number(seams.get('worst_frame'))}"
    if "loop" in seams:
        text += f"; {_number(seams['loop'])} from the end to the beginning"
    return text


def _drift(drift: Any) -> str:
    if not isinstance(drift, Mapping):
        return ""
    parts = [f"{name} {_signed(value)}%" for name, value in drift.items()]
    return f"{', '.join(parts)} from the first 15% to the last" if parts else ""


def _motion(degree: Any) -> str:
    return f"{_number(degree)} of 255 a frame"


def _sharpness(sharpness: Any) -> str:
    if not isinstance(sharpness, Mapping):
        return ""
    first, last = _number(sharpness.get("first")), _number(sharpness.get("last"))
    return f"{first} at the beginning, {last} at the end (variance of the Laplacian)"


def _flicker(flicker: Any) -> str:
    if not isinstance(flicker, Mapping):
        return ""
    luma, motion = _number(flicker.get("luma_percent")), _number(flicker.get("motion_percent"))
    return f"luma {luma}%, motion {motion}% at the period of the windows"


def _cuts(cuts: Any) -> str:
    return f"at frame {_listed(cuts, _number)}" if isinstance(cuts, list) and cuts else ""


def _switches(switches: Any) -> str:
    return _listed(switches, _switch) if isinstance(switches, list) and switches else ""


def _switch(switch: Any) -> str:
    if not isinstance(switch, Mapping):
        return "?"
    seen = switch.get("seen")
    where = "not seen in the colors" if seen is None else f"seen at {_number(seen)}"
    return f"asked for at frame {_number(switch.get('asked'))}, {where}"


def _listed(values: list[Any], tell: Any) -> str:
    more = f", and {len(values) - MOST_LISTED} more" if len(values) > MOST_LISTED else ""
    separator = ", " if tell is _number else "; "
    return separator.join(tell(value) for value in values[:MOST_LISTED]) + more


def _number(value: Any) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:.4g}" if is_number and abs(value) < 1e6 else str(value)[:20]


def _signed(value: Any) -> str:
    return f"{value:+.2g}" if isinstance(value, (int, float)) else str(value)[:20]


_TOLD = {
    "seams": _seams,
    "drift_percent": _drift,
    "dynamic_degree": _motion,
    "sharpness": _sharpness,
    "flicker": _flicker,
    "cuts": _cuts,
    "switches": _switches,
}
