"""Every kind of prompt file becomes items."""

import io
import os
import threading

import pytest

from t2v.batch.reading.prompt_files import read_items
from t2v.errors import DocumentError
from tests.batch.reading import read, said

JOURNEY = "- a calm lake\n- {at: 5s, prompt: a storm over the lake}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Prompt files are read here, under their bare names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_lines_are_prompts_with_flags_behind_them(folder):
    items = read(
        "a.txt",
        "# animals\n\na fox --w 832 --h 480 --f 81 --d 42 --s 30 --g 5.5 --n blurry, dull\na cat\n",
    )

    assert [(item.prompt, item.source) for item in items] == [
        ("a fox", "a.txt:3"),
        ("a cat", "a.txt:4"),
    ]
    assert said(items[0]) == {
        "width": 832,
        "height": 480,
        "num_frames": 81,
        "seed": 42,
        "num_inference_steps": 30,
        "guidance_scale": 5.5,
        "negative_prompt": "blurry, dull",
    }
    assert said(items[1]) == {}


def test_lines_take_the_flags_of_the_command_line(folder):
    (item,) = read(
        "a.txt",
        "a fox --size=832x480 --seconds 5 --num_inference_steps 20 --no-metadata --loop "
        '--negative-prompt "low quality" --at 2s: it runs --at 3s: it rests '
        "--lora org/ink:0.5 --lora org/oil --id fox-1 --o fox.webm",
    )

    assert said(item) == {
        "width": 832,
        "height": 480,
        "seconds": 5.0,
        "num_inference_steps": 20,
        "metadata": False,
        "loop": True,
        "negative_prompt": "low quality",
        "at": ("2s: it runs", "3s: it rests"),
        "lora": ("org/ink:0.5", "org/oil"),
    }
    assert (item.custom_id, item.output) == ("fox-1", "fox.webm")


def test_a_table_names_its_columns(folder):
    items = read(
        "a.csv",
        "id,prompt,seed,size,negative-prompt\n"
        '1,"a fox, running",42,832x480,\n\n'
        '2,"two lines\nof ""prompt""",,,dull\n',
    )

    assert [(item.custom_id, item.prompt, said(item), item.source) for item in items] == [
        ("1", "a fox, running", {"seed": 42, "width": 832, "height": 480}, "a.csv:2"),
        ("2", 'two lines\nof "prompt"', {"negative_prompt": "dull"}, "a.csv:4"),
    ]


@pytest.mark.parametrize("sign", [";", "\t"], ids=["semicolon", "tab"])
def test_a_table_may_be_separated_as_spreadsheets_do(folder, sign):
    (item,) = read("a.csv", f"prompt{sign}seed\na fox, running{sign}3\n")

    assert (item.prompt, said(item)) == ("a fox, running", {"seed": 3})


def test_records_are_a_json_object_a_line(folder):
    items = read(
        "a.jsonl",
        '{"id": 7, "prompt": "a fox", "steps": 20, "lora": ["org/ink"], "output": "fox/{seed}.mp4"}\n'
        "\n"
        '{"prompt": "a \\u732b", "seed": null, "loop": true}\n',
    )

    assert [(item.custom_id, item.prompt, item.output, said(item)) for item in items] == [
        ("7", "a fox", "fox/{seed}.mp4", {"num_inference_steps": 20, "lora": ("org/ink",)}),
        (None, "a 猫", None, {"loop": True}),
    ]


def test_records_of_an_openai_batch_are_understood(folder):
    (item,) = read(
        "a.jsonl",
        '{"custom_id": "request-1", "method": "POST", "url": "/v1/videos", "body": '
        '{"model": "doodle", "prompt": "a fox", "size": "720x1280", "seconds": "4", "n": 2}}\n',
    )

    assert (item.custom_id, item.prompt) == ("request-1", "a fox")
    assert said(item) == {
        "model": "doodle",
        "width": 720,
        "height": 1280,
        "seconds": 4.0,
        "num_videos": 2,
    }


def test_a_document_is_a_list_of_prompts(folder):
    items = read("a.yaml", "- a fox\n- {prompt: a cat, frames: 17}\n")

    assert [(item.prompt, said(item), item.source) for item in items] == [
        ("a fox", {}, "a.yaml:1"),
        ("a cat", {"num_frames": 17}, "a.yaml:2"),
    ]


def test_a_document_has_defaults_and_a_matrix(folder):
    items = read(
        "a.yaml",
        "defaults: {size: 320x240, negative_prompt: dull, num_frames: 17}\n"
        "matrix:\n  model: [one, two]\n  seed: [1, 2]\n"
        "items:\n  - a fox\n  - {prompt: a cat, negative_prompt: null, seconds: 2, id: cat}\n",
    )

    foxes, cats = items[:4], items[4:]
    assert [(said(fox)["model"], said(fox)["seed"]) for fox in foxes] == [
        ("one", 1),
        ("one", 2),
        ("two", 1),
        ("two", 2),
    ]
    assert said(foxes[0]) == {
        "model": "one",
        "seed": 1,
        "width": 320,
        "height": 240,
        "negative_prompt": "dull",
        "num_frames": 17,
    }
    assert said(cats[3]) == {"model": "two", "seed": 2, "width": 320, "height": 240, "seconds": 2.0}
    assert [cat.custom_id for cat in cats] == ["cat-1", "cat-2", "cat-3", "cat-4"]


def test_a_matrix_may_run_through_sizes_and_loras(folder):
    items = read("a.yaml", "matrix: {size: [8x8, 16x8], lora: [[], org/ink]}\nitems: [a fox]\n")

    assert [said(item) for item in items] == [
        {"width": 8, "height": 8, "lora": ()},
        {"width": 8, "height": 8, "lora": ("org/ink",)},
        {"width": 16, "height": 8, "lora": ()},
        {"width": 16, "height": 8, "lora": ("org/ink",)},
    ]


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("a fox --d 3\na cat\n", ["a fox", "a cat"]),
        ('{"prompt": "a fox", "seed": 3}\n{"prompt": "a cat"}\n', ["a fox", "a cat"]),
        ("{red|blue} fox\n", ["red fox", "blue fox"]),
        ("[intro] a fox\n", ["[intro] a fox"]),
    ],
    ids=["lines", "records", "alternatives", "brackets"],
)
def test_stdin_is_lines_or_records(folder, text, prompts):
    items = list(read_items(["-"], stdin=io.StringIO(text)))

    assert [item.prompt for item in items] == prompts
    assert items[0].source == "stdin:1"


def test_stdin_of_a_process_has_bytes(folder):
    stdin = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfein F\xc3\xbcchslein\r\n"), encoding="ascii")

    assert [item.prompt for item in read_items(["-"], stdin=stdin)] == ["ein Füchslein"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once(folder):
    os.mkfifo("pipe.jsonl")
    write = threading.Thread(target=lambda: (folder / "pipe.jsonl").write_text('{"prompt": "fox"}'))
    write.start()
    items = list(read_items(["pipe.jsonl"]))
    write.join()

    assert [item.prompt for item in items] == ["fox"]


def test_several_files_follow_one_another(folder):
    (folder / "b.jsonl").write_text('{"prompt": "a cat"}')
    (folder / "prompts").write_text("a fox")

    items = read_items(["prompts", folder / "b.jsonl"])

    assert [(item.prompt, item.source) for item in items] == [
        ("a fox", "prompts:1"),
        ("a cat", "b.jsonl:1"),
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_no_text(folder):
    (folder / "a.txt").write_bytes(b"\xef\xbb\xbf# fox\r\na fox --d 3\r\n")
    (folder / "a.csv").write_bytes(b"\xef\xbb\xbfprompt,seed\r\na fox,3\r\n")
    (folder / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"prompt": "a fox", "seed": 3}\r\n')
    (folder / "a.yaml").write_bytes(b"\xef\xbb\xbf- {prompt: a fox, seed: 3}\r\n")

    items = list(read_items(["a.txt", "a.csv", "a.jsonl", "a.yaml"]))

    assert [(item.prompt, said(item)) for item in items] == [("a fox", {"seed": 3})] * 4


def test_a_story_may_stand_in_an_item(folder):
    items = read(
        "a.yaml", "- prompt: dawn\n  story: [{at: 2s, prompt: day}]\n- story: [night, dawn]\n"
    )

    assert [cue.prompt for cue in said(items[0])["story"]] == ["day"]
    assert items[1].prompt is None
    assert [cue.prompt for cue in said(items[1])["story"]] == ["night", "dawn"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "--story journey.yaml\n"),
        ("a.csv", "story\njourney.yaml\n"),
        ("a.jsonl", '{"story": "journey.yaml"}\n'),
        ("a.yaml", "- story: journey.yaml\n"),
    ],
)
def test_paths_begin_at_the_folder_of_the_file(folder, name, text):
    lists = folder / "lists"
    lists.mkdir()
    (lists / "journey.yaml").write_text(JOURNEY)
    (lists / name).write_text(text)

    (item,) = read_items([f"lists/{name}"])

    assert [cue.prompt for cue in said(item)["story"]] == ["a calm lake", "a storm over the lake"]


def test_loras_and_models_of_a_file_lie_beside_it(folder):
    lists = folder / "lists"
    (lists / "models" / "mine").mkdir(parents=True)
    (lists / "ink.safetensors").write_bytes(b"")
    (lists / "a.txt").write_text("a fox --lora ink.safetensors:0.5 --m ./models/mine\n")

    (item,) = read_items(["lists/a.txt"])

    assert said(item) == {
        "lora": (f"{lists / 'ink.safetensors'}:0.5",),
        "model": str(lists / "models" / "mine"),
    }


def test_changes_hold_whatever_a_file_says(folder):
    items = read(
        "a.yaml",
        "matrix: {seed: [1, 2]}\nitems: [{prompt: a fox, frames: 9}]\n",
        changes={"seed": "7", "seconds": "2", "negative-prompt": ""},
    )

    assert [said(item) for item in items] == [
        {"seed": 7, "seconds": 2.0, "negative_prompt": ""}
    ] * 2


def test_sweeps_multiply(folder):
    items = read(
        "a.txt",
        "a fox --d 1\na cat\n",
        sweeps={"seed": ["5", "6"], "size": ["8x8", "16x16"], "lora": [""]},
    )

    assert [(item.prompt, said(item)["seed"], said(item)["width"]) for item in items] == [
        ("a fox", 5, 8),
        ("a fox", 5, 16),
        ("a fox", 6, 8),
        ("a fox", 6, 16),
        ("a cat", 5, 8),
        ("a cat", 5, 16),
        ("a cat", 6, 8),
        ("a cat", 6, 16),
    ]
    assert said(items[0])["lora"] == ()


def test_items_come_one_at_a_time_after_all_was_checked(folder):
    (folder / "a.txt").write_text("a fox\na cat --d x\n")

    with pytest.raises(DocumentError, match=r"^a\.txt:2:7: --d must be a whole number, not 'x'$"):
        read_items(["a.txt"])


def test_a_file_that_changes_under_the_reader_is_noticed(folder):
    (folder / "a.txt").write_text("a fox\na cat\n")
    items = read_items(["a.txt"])
    next(items)
    (folder / "a.txt").write_text("a fox\na cat\na dog\n")

    with pytest.raises(DocumentError, match=r"a\.txt was changed while it was read"):
        list(items)
