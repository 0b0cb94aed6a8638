"""Flags behind a prompt are flags, and dashes in a prompt are dashes."""

import pytest

from tests.batch.reading import complaints, prompts, read, said


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "prompt",
    [
        "a well-known fox -- running",
        "a fox --",
        "-- a fox",
        "a fox---running",
        "a fox --- running",
        "10--12 foxes, at -5 degrees",
        "a fox --5",
        "a fox - running - fast",
        "a fox—running –quickly— away",
        "an -old- fox -w",
        "shot on 35mm; f/2.8 # not a comment",
        "C:\\new\\table",
    ],
)
def test_dashes_of_a_sentence_stay_in_it(prompt):
    assert prompts("a.txt", prompt) == [prompt]


def test_a_backslash_makes_text_of_a_flag():
    (item,) = read("a.txt", r"\#1 fox, \--fast and \-w 5 --n \--slow, dull --d 3")

    assert item.prompt == "#1 fox, --fast and -w 5"
    assert said(item) == {"negative_prompt": "--slow, dull", "seed": 3}


def test_the_last_flag_may_follow_a_text_with_dashes():
    (item,) = read("a.txt", "a fox --n ugly -- or worse --d 3")

    assert said(item) == {"negative_prompt": "ugly -- or worse", "seed": 3}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "a fox --stepz 3",
            r"a.txt:1:7: there is no flag --stepz. Did you mean --steps? Write \--stepz for the text.",
        ),
        (
            "a fox --w832",
            r"a.txt:1:7: there is no flag --w832. Did you mean --w 832? Write \--w832 for the text.",
        ),
        (
            "a fox --running",
            r"a.txt:1:7: there is no flag --running. Write \--running for the text.",
        ),
        (
            "a fox --ar 16:9",
            r"a.txt:1:7: there is no flag --ar. Write \--ar for the text.",
        ),
        (
            "a fox --Größe 3",
            r"a.txt:1:7: there is no flag --Größe. Write \--Größe for the text.",
        ),
        (
            "a fox —w 832",
            r"a.txt:1:7: —w has a long dash; write --w for the flag, or \—w for the text.",
        ),
        (
            "a fox -n blurry",
            r"a.txt:1:7: -n has one dash; write --n for the flag, or \-n for the text.",
        ),
        (
            "a fox -seed 5",
            r"a.txt:1:7: -seed has one dash; write --seed for the flag, or \-seed for the text.",
        ),
        ("a fox --d", "a.txt:1:7: --d has no value."),
        ("a fox --d 3 runs", "a.txt:1:7: --d must be a whole number, not '3 runs'"),
        ("a fox --d -1", "a.txt:1:7: --d must be at least 0, not -1"),
        ("a fox --f 0 --w x", "a.txt:1:7: --f must be at least 1, not 0"),
        (
            "a fox --loop and more",
            "a.txt:1:7: --loop takes no value, and text has no place behind the flags.",
        ),
        (
            "a fox --g 5 --l 6",
            "a.txt:1:13: --l says the same as --g; leave one of them out.",
        ),
        (
            "a fox --size 8x8 --h 8",
            "a.txt:1:18: --size and --h say the same; give one.",
        ),
        (
            "a fox --seconds 3 --f 81",
            "a.txt:1:19: --seconds and --f say the same; give one.",
        ),
        ("a fox --size 8", "a.txt:1:7: --size must look like 832x480, not '8'"),
        ("a fox --size 99999x8", "a.txt:1:7: --size must be at most 16384, not 99999"),
        (
            "a fox --endless",
            "a.txt:1:7: an endless video never lets the next one begin; it is for t2v generate.",
        ),
        (
            '  {"prompt": "a fox", "seed": 3}',
            r"a.txt:1:3: JSON, which in .txt is text; name the file .jsonl, or write \{ for the text.",
        ),
        ("--d 3", "a.txt:1:1: there is no prompt; say what the video should show."),
        (
            "a fox --o ../fox.mp4",
            "a.txt:1:7: --o: '../fox.mp4' leads out of the run folder; name a file below it",
        ),
        (
            "a fox --lora ink.safetensors",
            "a.txt:1:7: --lora: There is no LoRA file 'ink.safetensors'; "
            "give a .safetensors file, or a Hub repository as org/name",
        ),
    ],
)
def test_a_flag_that_cannot_be_is_never_part_of_the_prompt(line, message):
    assert complaints("a.txt", line)[0] == message


def test_all_mistakes_of_a_line_are_told():
    assert complaints("a.txt", "a cat\n  a fox --w x --d y --sed 3\n") == [
        r"a.txt:2:21: there is no flag --sed. Did you mean --seed? Write \--sed for the text.",
    ]
    assert complaints("a.txt", "a cat\n  a fox --w x --d y\n") == [
        "a.txt:2:9: --w must be a whole number, not 'x'",
        "a.txt:2:15: --d must be a whole number, not 'y'",
    ]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.csv", "seed,prompt\n3,a fox --w 832\n", "a.csv:2:3"),
        ("a.jsonl", '{"prompt": "a fox --w 832"}', "a.jsonl:1:2"),
        ("a.yaml", "- a fox --w 832\n", "a.yaml:1:3"),
        ("a.yaml", "items:\n- {prompt: a fox --w 832}\n", "a.yaml:2:4"),
    ],
)
def test_flags_in_other_formats_are_not_lost_in_the_prompt(name, text, place):
    assert complaints(name, text) == [
        rf"{place}: prompt: --w looks like a flag; make it a key, or write \--w for the text."
    ]
