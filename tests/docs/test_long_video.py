"""The page on long videos: its commands with its story, and its timeline."""

import json
import re
from pathlib import Path

import pytest

from t2v.plan.history import Workload, record_timings
from t2v_cli.__main__ import run
from tests.docs.reading import FOLDER, blocks, commands
from tests.docs.schemas import faults

PAGE = "long-video.md"
OTHERS = tuple(document.name for document in FOLDER.rglob("*.md") if document.name != PAGE)
COMMANDS = commands(but=(*OTHERS, "README.md", "CONTRIBUTING.md", "AGENTS.md"))
PLANNED = [line for line in COMMANDS if "--resume" not in line]


def block(language: str) -> str:
    return next(one.text for one in blocks(language) if one.document.name == PAGE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "story.yaml").write_text(block("yaml"))
    return tmp_path


@pytest.mark.parametrize("line", PLANNED, ids=" ".join)
def test_the_commands_can_be_planned(line, folder, capsys):
    assert run([*line, "--dry-run"] if line[0] == "generate" else line) == 0
    assert re.search(r"^made as +windows ", capsys.readouterr().out, re.MULTILINE)


def test_the_timeline_is_the_one_that_is_printed(folder, capsys):
    (line,) = [line for line in PLANNED if line[0] == "plan"]
    run(line)
    assert capsys.readouterr().out.endswith(block("text"))


ASKED = {
    "a clip": ["a ball"],
    "a long video": ["a ball", "--seconds", "10"],
    "a story": ["--story", "story.yaml", "--seconds", "12"],
    "a loop": ["a ball", "--seconds", "5", "--loop"],
    "no end": ["a ball", "--endless"],
    "clips": ["a ball", "--seconds", "10", "--method", "cut", "--num-videos", "2"],
    "a LoRA": ["a ball", "--lora", "ada/watercolor:0.5", "--device", "cpu", "--crf", "20"],
}


@pytest.mark.parametrize("arguments", ASKED.values(), ids=ASKED)
def test_a_plan_as_json_is_what_its_schema_says(arguments, folder, capsys):
    assert run(["plan", *arguments, "--json"]) == 0
    assert faults("plan", json.loads(capsys.readouterr().out)) == []


def test_a_plan_with_an_estimate_is_what_its_schema_says(folder, capsys):
    run(["plan", "a ball", "--json"])
    machine = json.loads(capsys.readouterr().out)["machine"]
    workload = Workload("doodle-128", machine["device_name"], 128, 128, 17, 16)
    record_timings(workload, {"load": 1.0, "denoise": 2.0})
    run(["plan", "a ball", "--json"])
    plan = json.loads(capsys.readouterr().out)
    assert plan["estimate"]["runs"] == 1
    assert faults("plan", plan) == []


def test_the_schema_refuses_what_is_missing_or_misspelt(folder, capsys):
    run(["plan", "a ball", "--seconds", "10", "--json"])
    plan = json.loads(capsys.readouterr().out)
    broken = [
        {name: value for name, value in plan.items() if name != "windows"},
        plan | {"windwos": []},
        plan | {"windows": [plan["windows"][0] | {"first_frame": -1}]},
        plan | {"long": plan["long"] | {"method": "magic"}},
        plan | {"request": plan["request"] | {"seed": {"value": "3", "origin": "flag"}}},
    ]
    assert all(faults("plan", one) for one in broken)
