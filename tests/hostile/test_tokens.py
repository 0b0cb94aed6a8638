"""A token in the environment appears in no output, no error and no file."""

import json
from pathlib import Path

import pytest

import t2v
from t2v_cli.output import out
from tests.hostile.world import CANARY, World

COMMANDS = [
    ("doctor",),
    ("doctor", "--json"),
    ("models", "list"),
    ("models", "show", "doodle-128", "--json"),
    ("models", "pull", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"),
    ("models", "pull", f"org/{CANARY}"),
    ("plan", f"a ball {CANARY}"),
    ("plan", "a ball", "-m", CANARY),
    ("plan", "a ball", "-m", f"https://user:{CANARY}@huggingface.co/org/name"),
    ("plan", "a ball", "-o", f"{CANARY}.exe"),
    ("plan", "a ball", "--lora", f"./{CANARY}.safetensors"),
    ("plan", "a ball", f"--{CANARY}"),
    (CANARY,),
    ("inspect", CANARY),
    ("replay", f"https://user:{CANARY}@example.org/x.mp4"),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: " ".join(a).replace(CANARY, "TOKEN"))
def test_no_command_prints_the_token(world: World, arguments: tuple[str, ...]):
    assert world(*arguments).code in (0, 1, 2, 74)


def test_no_file_of_a_run_has_the_token(world: World, doodle: t2v.Generator):
    doodle.generate(
        "a ball", output="x.mp4", num_frames=5, num_inference_steps=1, save_latents=True
    )
    assert world("generate", "a ball", "--steps", "1", "--num-frames", "5", "-o", "y.mp4").code == 0
    files = [path for path in world.root.rglob("*") if path.is_file()]
    files += [path for path in world.home.rglob("*") if path.is_file()]
    assert {"x.mp4", "x.json", "run.json", "y.mp4"} <= {path.name for path in files}
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_crash_report_of_ours_would_not_have_it_either(
    world: World, capsys: pytest.CaptureFixture[str]
):

    out.error(f"failed with {CANARY} at https://me:secret@example.org")
    assert "***" in (said := capsys.readouterr().err)
    assert CANARY not in said
    assert "secret" not in said


def test_the_record_names_no_folder_of_this_machine(world: World, doodle: t2v.Generator):
    doodle.generate("a ball", output=world.work / "x.mp4", num_frames=5, num_inference_steps=1)
    record = json.loads(Path("x.json").read_text())
    assert str(world.root) not in json.dumps(record)
    assert str(Path.home()) not in json.dumps(record)
