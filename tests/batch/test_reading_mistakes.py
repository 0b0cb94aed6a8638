"""What is wrong with prompt files is said all at once, a line each, with its place."""

from pathlib import Path

import pytest

from t2v.batch.reading.prompt_files import read_items
from t2v.batch.reading.texts import MAX_LINE_BYTES
from t2v.errors import DocumentError
from tests.batch.reading import complaints


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_all_mistakes_of_all_files_are_told_at_once():
    Path("a.txt").write_text("a fox --sed 3\na cat --d x\n")
    Path("b.jsonl").write_text('{"prompt": "a", "sed": 3}\n{"prompt": 5}\n')
    Path("folder.txt").mkdir()

    with pytest.raises(DocumentError) as caught:
        read_items(
            ["a.txt", "prompt.txt", "b.jsonl", "folder.txt", "letter.docx"],
            changes={"sed": "3"},
            sweeps={"prompt": ["x"]},
        )

    assert str(caught.value).splitlines() == [
        "--set sed: there is no key 'sed'. Did you mean 'seed'?",
        "--sweep prompt: there is no key 'prompt'.",
        "prompt.txt: there is no such file.",
        "folder.txt: is a folder; name a prompt file in it.",
        "letter.docx: there is no such file.",
        r"a.txt:1:7: there is no flag --sed. Did you mean --seed? Write \--sed for the text.",
        "a.txt:2:7: --d must be a whole number, not 'x'",
        "b.jsonl:1:17: there is no key 'sed'. Did you mean 'seed'?",
        "b.jsonl:2:2: prompt must be text, not 5",
    ]


def test_a_hundred_mistakes_are_told_and_the_rest_counted():
    lines = complaints("a.txt", "".join(f"fox {n} --d x{n}\n" for n in range(1234)))

    assert len(lines) == 101
    assert lines[99:] == ["a.txt:100:8: --d must be a whole number, not 'x99'", "and 1,134 more"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "a.txt:1:1: there are no prompts in it."),
        ("a.txt", b"# nothing\n\n", "a.txt:1:1: there are no prompts in it."),
        ("a.csv", b"prompt\n", "a.csv:1:1: there are no prompts in it."),
        ("a.jsonl", b"\n", "a.jsonl:1:1: there are no prompts in it."),
        ("a.yaml", b"", "a.yaml:1:1: there are no prompts in it."),
        ("a.yaml", b"items: []\n", "a.yaml:1:1: there are no prompts in it."),
        ("a.txt", "a fox".encode("utf-16"), "a.txt:1:1: UTF-16 text; save the file as UTF-8."),
        (
            "a.txt",
            "a fox".encode("utf-16-le"),
            "a.txt:1:2: a NUL byte: this is no text, or it is UTF-16; save the file as UTF-8.",
        ),
        (
            "a.csv",
            b"prompt\nfox\0\n",
            "a.csv:2:4: a NUL byte: this is no text, or it is UTF-16; save the file as UTF-8.",
        ),
        (
            "a.txt",
            b"a fox\nein F\xfcchslein\n",
            "a.txt:2:6: not UTF-8 text; save the file in that encoding.",
        ),
        (
            "a.txt",
            b"a fox\ra cat\r",
            "a.txt:1:6: a carriage return inside a line; end lines with a line feed (or CR and LF).",
        ),
        (
            "a.txt",
            b"a fox\n" + b"x" * (MAX_LINE_BYTES + 1),
            "a.txt:2:1: a line of more than 4 MB; no prompt is that long.",
        ),
        (
            "a.txt",
            b"x" * 1_000_001,
            "a.txt:1:1: The prompt has 1,000,001 bytes; at most 1,000,000 are taken",
        ),
        (
            "a.yaml",
            b"- fox\n" * 2_000_000,
            "a.yaml:1:1: larger than 10 MB, which is much for YAML; .jsonl has no limit.",
        ),
        ("a.docx", b"PK", "a.docx: '.docx' is no prompt file; known are .txt, .csv, .tsv, .jsonl, "
                          ".ndjson, .yaml, .yml."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_prompt_file_is_refused_in_one_line(name, data, message):
    assert complaints(name, data) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a fox\na cat\n", "a.csv:1:1: the first row must name the columns, such as prompt,seed."),
        ("prompt,sed\nx,3\n", "a.csv:1:8: there is no key 'sed'. Did you mean 'seed'?"),
        (
            "prompt,steps,num_inference_steps\nx,3,3\n",
            "a.csv:1:14: num_inference_steps says the same as steps; leave one of them out.",
        ),
        ("prompt,seed\na fox\n", "a.csv:2:1: cells in this row: 1; columns: 2."),
        (
            "prompt,seed\na, b, 3\n",
            "a.csv:2:7: cells in this row: 3; columns: 2. Put text with commas in quotes.",
        ),
        (
            'prompt,seed\n"a fox,\nrunning",x\n',
            "a.csv:3:10: seed must be a whole number, not 'x'",
        ),
        (
            'prompt,seed\n"a fox,3\na cat,4\n',
            "a.csv:2:1: a quoted cell of this row is not closed, or is longer than any prompt.",
        ),
        ('prompt\n"a" fox\n', "a.csv:2:1: not CSV: ',' expected after '\"'."),
        ("seed\n3\n", "a.csv:2:1: there is no prompt; say what the video should show."),
    ],
)
def test_a_wrong_table_is_refused_with_the_cell(text, message):
    assert complaints("a.csv", text) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"prompt": "x"', "a.jsonl:1:15: not JSON: Expecting ',' delimiter."),
        ("a fox", "a.jsonl:1:1: not JSON: Expecting value."),
        ('{"prompt": "x", "seed": 1, "seed": 2}', "a.jsonl:1:17: 'seed' is there twice."),
        ('{"prompt": "x", "id": 1, "custom_id": 2}',
         "a.jsonl:1:26: custom_id says the same as id; leave one of them out."),
        ('{"prompt": "x", "guidance": NaN}', "a.jsonl:1:1: NaN is no number."),
        ('{"prompt": "x", "guidance": 1e999}', "a.jsonl:1:17: guidance must be a finite number, not inf"),
        ('{"prompt": "x", "seed": true}', "a.jsonl:1:17: seed must be a value, not true"),
        ('{"prompt": "x", "seed": 1.5}', "a.jsonl:1:17: seed must be a whole number, not 1.5"),
        ('{"prompt": "x", "id": ""}', "a.jsonl:1:17: id must be a name, not ''"),
        ('{"prompt": "x", "output": "x.exe"}',
         "a.jsonl:1:17: output: 'x.exe': .exe is no known kind of video. Known: "),
        ('{"prompt": "x", "output": "/x.mp4"}',
         "a.jsonl:1:17: output: '/x.mp4' leads out of the run folder; name a file below it"),
        ('[{"prompt": "x"}]', 'a.jsonl:1:1: must be an object such as {"prompt": ...}. '
         "Each line is an object of its own, without a list around them."),
        ('{"custom_id": "x", "body": {"sed": 1}, "more": 1}', "a.jsonl:1:40: there is no key 'more' beside body."),
        ('{"seed": 4, "body": {"prompt": "x"}}', "a.jsonl:1:2: there is no key 'seed' beside body."),
        ('{"custom_id": "seed", "body": {"prompt": "x", "seed": "y"}}',
         "a.jsonl:1:47: seed must be a whole number, not 'y'"),
        ('{"body": "x"}', "a.jsonl:1:2: body must be an object."),
        ('{"story": [{"at": "x", "prompt": "a"}]}', "a.jsonl:1:2: 'x' is no time such as "),
        ('{"story": [{"prompt": "a"}], "at": "1s: b"}', "a.jsonl:1:30: story and at say the same; give one."),
        ('{"prompt": "x", "story": 5}', "a.jsonl:1:17: story must be a file or a list of prompts, not 5"),
        ('{"prompt": "x", "story": "none.yaml"}', "a.jsonl:1:17: story: Cannot read "),
        ("[" * 100_000, "a.jsonl:1:1: not sane JSON: "),
        ('{"prompt": "x", "seed": ' + "1" * 5000 + "}", "a.jsonl:1:1: not sane JSON: "),
    ],
)  # fmt: skip
def test_a_wrong_record_is_refused_with_the_key(text, message):
    line = complaints("a.jsonl", text)[0]
    assert line.startswith(message)


def test_a_name_is_taken_once():
    Path("a.jsonl").write_text('{"id": "x", "prompt": "a"}\n{"id": "y", "prompt": "b"}\n')
    Path("b.csv").write_text("prompt,id\nc,x\n")

    with pytest.raises(DocumentError) as caught:
        read_items(["a.jsonl", "b.csv"])
    assert str(caught.value) == "b.csv:2:3: id 'x' is there already, at a.jsonl:1."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a: b: c\n", "a.yaml:1:7: not YAML: mapping values are not allowed in this context."),
        ("prompt: a fox\n", "a.yaml:1:1: prompt belongs below `items:` (of one video) or `defaults:` (of all)."),
        ("itmes: [a]\n", "a.yaml:1:1: there is no key 'itmes'; known are defaults, items and matrix. Did you mean 'items'?"),
        ("just text\n", "a.yaml:1:1: must be a list of prompts, or `items:` with such a list."),
        ("items: a fox\n", "a.yaml:1:1: items must be a list of prompts."),
        ("- 5\n", "a.yaml:1:3: must be a mapping such as `seed: 42`, not 5."),
        ("- prompt: a\n  sed: 3\n", "a.yaml:2:3: there is no key 'sed'. Did you mean 'seed'?"),
        ("- prompt: a\n  seed: x\n", "a.yaml:2:3: seed must be a whole number, not 'x'"),
        ("defaults: {sed: 3}\nitems: [a]\n", "a.yaml:1:12: there is no key 'sed'. Did you mean 'seed'?"),
        ("defaults: {prompt: x}\nitems: [a]\n", "a.yaml:1:12: there is no key 'prompt'."),
        ("matrix: {seed: 3}\nitems: [a]\n", "a.yaml:1:10: seed must be a list of values to run through."),
        ("matrix: {seed: [1, x]}\nitems: [a]\n", "a.yaml:1:20: seed must be a whole number, not 'x'"),
        ("matrix: {width: [8], size: [8x8]}\nitems: [a]\n", "a.yaml:1:22: size says the same as width; leave one of them out."),
        ("matrix: {seed: [1]}\nitems: [{prompt: a, seed: 2}]\n",
         "a.yaml:2:21: seed is in the matrix as seed; leave one of them out."),
        ("- story: [{at: 1s, prompt: a}]\n",
         "a.yaml:1:3: The story begins at 1s; give a prompt for what is shown before, or an entry at 0s."),
        ("- prompt: a\n  story: [{at: 1s, prompt: b}, {at: 2s, promt: c}]\n", "a.yaml:2:41: there is no key 'promt'. Did you mean 'prompt'?"),
        ("- &x a\n- *x\n", "a.yaml:1:3: anchors and aliases (& and *) are not allowed; repeat it."),
        ("- prompt: {red|blue} ball\n", "a.yaml:1:22: not YAML: did not find expected key. Put text with braces in quotes."),
        ("- prompt: {red|blue}\n", "a.yaml:1:3: prompt must be text, not {'red|blue': None}"),
    ],
)  # fmt: skip
def test_a_wrong_document_is_refused_with_the_key(text, message):
    lines = complaints("a.yaml", text)
    assert lines[0] == message


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.yaml", "- prompt: a\n  story: [{prompt: b, text: c}]\n", "a.yaml:2:23"),
        ("a.jsonl", '{"prompt": "a", "story": [{"prompt": "b", "text": "c"}]}\n', "a.jsonl:1:17"),
    ],
)
def test_a_key_that_a_story_does_not_have_is_told_with_those_it_has(name, text, place):
    assert complaints(name, text) == [
        f"{place}: there is no key 'text'. Known: at, prompt, cut, noise, seed, negative_prompt."
    ]


def test_mistakes_of_a_story_file_are_told_where_they_are():
    Path("s.yaml").write_text("- {at: 0s, prompt: a}\n- {at: 1s, promt: b}\n")

    assert complaints("a.txt", "--story s.yaml\n") == [
        f"a.txt:1:1: --story: {Path('s.yaml').absolute()}:2:12: [1].promt: there is no key 'promt'. "
        "Did you mean 'prompt'?",
        f"a.txt:1:1: --story: {Path('s.yaml').absolute()}:2:3: [1]: has no prompt",
    ]


def test_sweeps_contradict_nothing():
    with pytest.raises(DocumentError) as caught:
        read_items([], changes={"width": "8"}, sweeps={"size": ["8x8"], "seed": [], "crf": ["x"]})

    assert str(caught.value).splitlines() == [
        "--sweep size: width is in --set as well.",
        "--sweep seed: has no values; give some, as in seed=1,2,3.",
        "--sweep: crf must be a whole number, not 'x'",
    ]


def test_a_sweep_of_nothing_is_the_only_mistake():
    assert complaints("a.txt", "a fox\n", sweeps={"seed": []}) == [
        "--sweep seed: has no values; give some, as in seed=1,2,3."
    ]


def test_too_many_videos_are_refused_before_they_are_counted_out():
    numbers = [str(n) for n in range(1, 1001)]

    assert complaints("a.txt", "a fox\n", sweeps={"seed": numbers, "steps": numbers}) == [
        "a.txt:1:1: makes more than 100,000 videos; write fewer."
    ]


def test_a_near_name_of_a_missing_file_is_suggested():
    Path("prompts.txt").write_text("a fox")

    with pytest.raises(
        DocumentError, match=r"^promts\.txt: there is no such file\. Did you mean 'prompts\.txt'\?$"
    ):
        read_items(["promts.txt"])


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_a_file_that_cannot_be_read_is_one_line():
    Path("a.txt").symlink_to("/proc/self/mem")

    with pytest.raises(DocumentError, match=r"^a\.txt: cannot be read: Input/output error\.$"):
        read_items(["a.txt"])
