"""Prompts over time: how they are written, and every mistake at its place."""

from fractions import Fraction
from pathlib import Path

import pytest

from t2v.errors import DocumentError, RequestError
from t2v.plan.moments import Moment, parse_moment
from t2v.plan.options import Options
from t2v.plan.story import Cue, parse_at, parse_story, read_story


def seconds(value) -> Moment:
    return Moment(Fraction(value))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("5s", seconds(5)),
        ("2.5", seconds("2.5")),
        (0, seconds(0)),
        ("1m30s", seconds(90)),
        ("2m", seconds(120)),
        ("1h", seconds(3600)),
        ("00:05", seconds(5)),
        ("1:02:03.5", seconds("3723.5")),
        ("40f", Moment(Fraction(40), is_frames=True)),
    ],
)
def test_times_are_written_in_many_ways(text, moment):
    assert parse_moment(text) == moment
    assert parse_moment(str(moment)) == moment


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1:75", "5 s", "1e3", "٣s", True, None, [5]])
def test_what_is_no_time_is_refused_with_what_is(text):
    with pytest.raises(ValueError, match=r"is no time such as 5s, 2\.5s, 1m30s, 00:05 or 40f"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("fps", "frame"), [("16", 40), ("24000/1001", 60), ("1", 3), ("1000", 2500)]
)
def test_a_moment_is_the_nearest_frame(fps, frame):
    assert parse_moment("2.5s").frame(Fraction(fps)) == frame


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("5s: a fox", Cue("a fox", seconds(5))),
        ("00:05: at noon: a fox", Cue("at noon: a fox", seconds(5))),
        ("40f: a fox\nin snow", Cue("a fox\nin snow", Moment(Fraction(40), is_frames=True))),
    ],
)
def test_a_time_and_a_prompt_are_parted_by_a_colon(text, cue):
    assert parse_at(text) == cue


@pytest.mark.parametrize("text", ["a fox", "5s a fox", "5s:", "5:30 foxes run", "soon: a fox"])
def test_at_without_its_form_is_refused(text):
    with pytest.raises(RequestError, match=r"^--at: must look like '5s: what is shown"):
        Options.checked({"at": (text,)})


def story(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "story.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_story_file_has_prompts_times_cuts_seeds(tmp_path):
    path = story(
        tmp_path,
        "- a red ball\n- {at: 1m5s, prompt: it rains, negative_prompt: sun}\n- at: 00:70\n".replace(
            "00:70", "01:10"
        )
        + "  prompt: a blue cube\n  cut: true\n  seed: 7\n"
        "- {at: 80, prompt: a green cone, cut: true, noise: shared}\n",
    )
    assert read_story(path) == (
        Cue("a red ball"),
        Cue("it rains", seconds(65), negative_prompt="sun"),
        Cue("a blue cube", seconds(70), cut=True, seed=7),
        Cue("a green cone", seconds(80), cut=True, noise="shared"),
    )


def test_every_mistake_of_a_story_file_is_said_with_its_place(tmp_path):
    path = story(
        tmp_path,
        "- {at: soon, prompt: a fox}\n"
        '- {at: 5s, prompt: ""}\n'
        "- {at: 6s, prompt: rain, cut: perhaps, promt: x}\n"
        "- {at: 7s, prompt: rain, seed: 3}\n"
        "- 12\n"
        "- {at: 8s}\n",
    )
    with pytest.raises(DocumentError) as caught:
        read_story(path)
    assert str(caught.value).replace(f"{path}:", "").splitlines() == [
        "1:4: [0].at: 'soon' is no time such as 5s, 2.5s, 1m30s, 00:05 or 40f (frames)",
        "2:12: [1].prompt: The prompt is empty; say what the video should show",
        "3:26: [2].cut: must be true or false, not 'perhaps'",
        "3:40: [2].promt: there is no key 'promt'. Did you mean 'prompt'?",
        "4:26: [3].seed: only a new shot has it; add `cut: true`",
        "5:3: [4]: must be a prompt or {at: ..., prompt: ...}",
        "6:3: [5]: has no prompt",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b\n", "a story is a list of"),
        ("[]\n", "the story is empty"),
        ("- &a x\n- *a\n", "anchors and aliases"),
        ("- x\n" * 10_001, "a story has at most 10,000"),
    ],
)
def test_what_is_no_story_is_refused(tmp_path, text, message):
    with pytest.raises(DocumentError, match=message):
        read_story(story(tmp_path, text))


def test_a_list_of_a_program_is_checked_like_a_file():
    with pytest.raises(RequestError) as caught:
        Options(story=["a fox", {"at": "5s", "prompt": "rain", "seed": -1}])
    assert str(caught.value) == "story: entry 2, seed: must be a whole number from 0, not -1"


def test_a_story_survives_json():
    cues = parse_story(
        ["a fox", {"at": "2.25s", "prompt": "rain", "cut": True, "seed": 3, "negative_prompt": ""}]
    )
    assert parse_story([cue.to_dict() for cue in cues]) == cues


def test_control_characters_of_a_story_do_not_reach_the_model():
    assert parse_story(["a \x1b[31mfox"]) == (Cue("a [31mfox"),)


@pytest.mark.parametrize(
    ("story", "message"),
    [
        (5, "story: must be a file or a list of prompts, not 5"),
        ([], "story: the story is empty"),
        ([["a"]], "story: entry 1: must be a prompt or {at: ..., prompt: ...}"),
        (
            [{5: "a", "prompt": "b"}],
            "story: entry 1, 5: there is no key '5'. "
            "Known: at, prompt, cut, noise, seed, negative_prompt.",
        ),
        (
            [{"prompt": "a", "seed": True}],
            "story: entry 1, seed: must be a whole number from 0, not True",
        ),
    ],
)
def test_what_is_no_list_of_prompts_is_refused(story, message):
    with pytest.raises(RequestError) as caught:
        Options(story=story)
    assert str(caught.value) == message
