"""`t2v inspect`: what made this video, and how far this batch is."""

from collections.abc import Iterator, Mapping
from typing import Any

import t2v
from t2v_cli import options as o
from t2v_cli.output import out
from t2v_cli.report import report_rows
from t2v_cli.run_status import show_run
from t2v_cli.values import examples

EXAMPLES = examples(
    "t2v inspect clip.mp4",
    "t2v inspect clip.mp4 --json | jq .record.seed",
    "t2v inspect out",
)


def inspect(file: o.MadeArg, json: o.JsonOpt = False) -> None:
    """Show how a video was made, or how far a batch is.

    Every setting and where it came from, the model and its revision, versions, timings and frame
    statistics, read from the file alone or from the sidecar beside it. Of a long video also its
    windows, and how it looks at their joins and from end to end. Of the folder of a batch: how far
    it is, what failed and why, and what is missing.
    """
    if t2v.is_run(file):
        show_run(t2v.run_status(file), file, json=json)
        return
    found = t2v.inspect(file)
    if json:
        out.json(found)
        return
    record = found["record"] or {}
    # The file may be a stranger's, so nothing in its record has to be as we write it.
    request = record.pop("request", None)
    request = request if isinstance(request, Mapping) else {}
    windows, report = record.pop("windows", None), record.pop("report", None)
    out.table(
        ("fact", "value", "from"), [*_rows(found["file"] or {}, "file"), *_request_rows(request)]
    )
    if record:
        rest = {name: value for name, value in record.items() if name not in request}
        out.table(("fact", "value", "from"), _rows(rest, "record"))
        _show_length(windows, report)
    else:
        out.talk("note: the file does not say how it was made")


def _show_length(windows: Any, report: Any) -> None:
    """The windows of a long video and what was measured at their joins."""
    if isinstance(windows, list) and windows:
        shown = [window for window in windows if isinstance(window, Mapping)]
        out.table(
            ("window", "shot", "first frame", "frames", "prompt"),
            [[_text(window.get(key)) for key in _WINDOW] for window in shown],
        )
    if rows := list(report_rows(report)):
        out.table(("measured", "value", "from"), rows)


_WINDOW = ("index", "shot", "first_frame", "num_frames", "prompt")


def _request_rows(request: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (name, _text(entry.get("value")), _text(entry.get("origin", "")))
        for name, entry in request.items()
        if isinstance(entry, Mapping)
    ]


def _rows(facts: Mapping[str, Any], origin: str) -> Iterator[tuple[str, str, str]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _rows({f"{name}.{key}": inner for key, inner in value.items()}, origin)
        elif value not in (None, [], ""):
            yield name, _text(value), origin


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, Mapping):
        return ":".join(map(_text, value.values()))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
