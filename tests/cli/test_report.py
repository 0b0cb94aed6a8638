"""What `t2v inspect` says of a long video's looks."""

import pytest

from t2v_cli.report import report_rows

REPORT = {
    "seams": {"joins": 10, "ratio": 1.011, "worst": 1.248, "worst_frame": 117, "each": []},
    "drift_percent": {"luma": -0.364, "saturation": 1.067, "contrast": 1.664},
    "dynamic_degree": 6.0236,
    "sharpness": {"mean": 2.5, "first": 2.15, "last": 3.29},
    "flicker": {"luma_percent": 0.012, "motion_percent": 2.5},
    "cuts": [49, 98],
    "switches": [
        {"asked": 40, "seen": 42, "change": 0.2},
        {"asked": 80, "seen": None, "change": 0.0},
    ],
}


def said(report):
    return {fact: value for fact, value, _ in report_rows(report)}


def test_every_part_of_a_report_is_told():
    assert said(REPORT) == {
        "seams": "1.011 times the usual change at 10 joins, at most 1.248 at frame 117",
        "drift": "luma -0.36%, saturation +1.1%, contrast +1.7% from the first 15% to the last",
        "dynamic degree": "6.024 of 255 a frame",
        "sharpness": "2.15 at the beginning, 3.29 at the end (variance of the Laplacian)",
        "flicker": "luma 0.012%, motion 2.5% at the period of the windows",
        "cuts": "at frame 49, 98",
        "switches": "asked for at frame 40, seen at 42; asked for at frame 80, not seen in the colors",
    }


def test_what_is_not_there_is_not_told():
    empty = {"seams": {"joins": 0, "ratio": 0.0}, "flicker": None, "cuts": [], "switches": []}
    assert said(empty) == {}


def test_a_loop_is_told():
    assert said({"seams": {**REPORT["seams"], "loop": 1.3}})["seams"].endswith(
        "; 1.3 from the end to the beginning"
    )


def test_a_long_list_is_cut_short():
    assert said({"cuts": list(range(100))})["cuts"].endswith(", 11, and 88 more")


@pytest.mark.parametrize(
    "report",
    [
        None,
        7,
        "text",
        [],
        {"seams": 3, "drift_percent": [], "sharpness": "x", "flicker": 1, "cuts": {}},
        {"seams": {"joins": {}, "ratio": []}, "switches": [None, 7, {"asked": []}]},
        {"drift_percent": {"luma": None}, "dynamic_degree": {"a": 1}, "cuts": [[], {}]},
    ],
)
def test_a_strangers_report_does_no_harm(report):
    assert all(isinstance(value, str) for value in said(report).values())
