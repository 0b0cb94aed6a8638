"""What the page on prompt files shows is what they do."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

from t2v.batch.reading.entries import KEYS
from t2v.batch.reading.flags import FLAGS
from tests.batch.reading import complaints, prompts, read, said
from tests.docs.reading import FOLDER, blocks

PAGE = (FOLDER / "prompt-files.md").read_text("utf-8")
SUFFIXES = {"text": "a.txt", "csv": "a.csv", "json": "a.jsonl", "yaml": "a.yaml"}
BLOCKS = [block for block in blocks(*SUFFIXES) if block.document.name == "prompt-files.md"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("animals.txt").write_text("fox\nwolf\nowl\n")
    Path("wildcards/weather").mkdir(parents=True)
    Path("wildcards/weather/winter.txt").write_text("snow\n")
    Path("journey.yaml").write_text("- a calm lake\n- a storm\n")


def shown(start: str) -> str:
    """The text of the block that begins so."""
    (text,) = (block.text for block in BLOCKS if block.text.startswith(start))
    return text


def test_every_example_is_read():
    counts = [len(read(SUFFIXES[block.language], block.text)) for block in BLOCKS]

    assert counts == [3, 2, 2, 12, 2, 10, 5]


def test_alternatives_make_what_the_page_says():
    assert prompts("a.txt", shown("a {red"))[:6] == [
        "a red ball on grass",
        "a red ball on wet sand",
        "a red ball on dry sand",
        "a blue ball on grass",
        "a blue ball on wet sand",
        "a blue ball on dry sand",
    ]


def test_the_mistakes_on_the_page_are_those_that_are_told():
    told = re.search(r"```console\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()

    assert told == [
        *complaints("prompts.txt", "a\nb\na fox --stepz 3\n"),
        *complaints("prompts.csv", "prompt,seed\na fox runs, x\n"),
    ]


def test_every_key_and_every_short_flag_is_on_the_page():
    keys = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    flags = {flag for flag in FLAGS if len(flag) <= 2} - {"at"}

    assert set(KEYS) <= keys
    assert flags == set(re.findall(r"`--([a-z]{1,2})`", PAGE))


def test_a_request_of_openai_keeps_its_name():
    item = read("a.jsonl", shown('{"id"'))[1]

    assert (item.custom_id, item.prompt) == ("fox-2", "a fox that sleeps")
    assert said(item) == {"width": 1280, "height": 720, "seconds": 4.0}


@pytest.mark.parametrize("name", ["alternatives", "flags", "tables"])
def test_the_examples_of_docstrings_are_true(name):
    failed, _ = doctest.testmod(import_module(f"t2v.batch.reading.{name}"))

    assert failed == 0
