"""One line that stands for several prompts."""

import time
from pathlib import Path

import pytest

from tests.batch.reading import complaints, prompts, read, said


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("prompt", "made"),
    [
        ("a {red|blue} ball", ["a red ball", "a blue ball"]),
        ("a {red|} ball", ["a red ball", "a ball"]),
        ("{a|b} {1|2}", ["a 1", "a 2", "b 1", "b 2"]),
        ("{a|{b|c} d}", ["a", "b d", "c d"]),
        (r"\{a|b\} \\{c}", [r"{a|b} \{c}"]),
        (r"{a\|b|c\}}", ["a|b", "c}"]),
        ("a | b } c { d :{", ["a | b } c { d :{"]),
        ('{"shot": "wide", "of": ["a fox"]}', ['{"shot": "wide", "of": ["a fox"]}']),
        ('{"of": "{a|b}"}', ['{"of": "a"}', '{"of": "b"}']),
        (r"\__init__ and snake_case", ["__init__ and snake_case"]),
        ("fill in ____ or __ here", ["fill in ____ or __ here"]),
    ],
)
def test_braces_with_a_bar_are_alternatives(prompt, made):
    assert prompts("a.txt", prompt) == made


def test_alternatives_are_in_every_text_of_an_item():
    items = read(
        "a.yaml",
        '- {prompt: "a {b|c}", negative_prompt: "d {e|f}", at: "1s: g {h|i}", id: x}\n'
        '- story: ["a", {at: 1s, prompt: "{b|c}", negative_prompt: "{d|e}"}]\n',
    )

    assert len(items) == 8 + 4
    assert [item.custom_id for item in items[:8]] == [f"x-{n}" for n in range(1, 9)]
    assert (items[1].prompt, said(items[1])["negative_prompt"], said(items[1])["at"]) == (
        "a b",
        "d e",
        ("1s: g i",),
    )
    assert [
        (said(item)["story"][1].prompt, said(item)["story"][1].negative_prompt)
        for item in items[8:]
    ] == [("b", "d"), ("b", "e"), ("c", "d"), ("c", "e")]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (
            "a fox {red|blue runs",
            r"a.txt:1:7: prompt: a { with alternatives is not closed; add the }, or write \{ for the brace.",
        ),
        (
            "a {2$$red|blue} fox",
            "a.txt:1:3: prompt: '2$$red' has a weight or a number, which alternatives do not take: "
            "each of them is made.",
        ),
        (
            "a {red|0.5::blue} fox",
            "a.txt:1:3: prompt: '0.5::blue' has a weight or a number, which alternatives do not take: "
            "each of them is made.",
        ),
        (
            "a {a|}" * 17,
            "a.txt:1:1: prompt: stands for more than 100,000 prompts; write fewer.",
        ),
        ("{" * 30 + "a|b" + "}" * 30, "a.txt:1:21: prompt: braces nested deeper than 20 levels."),
        ("{ | }", "a.txt:1:1: The prompt is empty; say what the video should show"),
        (
            "a __colour__ fox",
            "a.txt:1:3: prompt: there is no file colour.txt for __colour__. Did you mean 'colors'? "
            r"Write \__colour__ for the text.",
        ),
        ("a __colors:9__ fox", "a.txt:1:3: prompt: __colors__ has 2 lines, not 9."),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(prompt, message):
    Path("colors.txt").write_text("red\nblue\n")

    assert complaints("a.txt", prompt) == [message]


def test_a_wildcard_is_every_line_of_the_file_beside():
    Path("lists/wildcards/deep").mkdir(parents=True)
    Path("lists/colors.txt").write_text("# of balls\n\nred\n__shades__ blue\n")
    Path("lists/wildcards/shades.txt").write_text("dark\n{light|pale}\n")
    Path("lists/wildcards/deep/things.txt").write_text("ball\n")

    assert prompts("lists/a.txt", "a __colors__ __deep/things__") == [
        "a red ball",
        "a dark blue ball",
        "a light blue ball",
        "a pale blue ball",
    ]


def test_some_lines_of_a_wildcard_are_the_same_ones_every_time():
    Path("n.txt").write_text("\n".join(map(str, range(100))))
    first = prompts("a.txt", "a fox __n:3__\n")

    assert len(set(first)) == 3
    assert prompts("b.txt", "a cat\na fox __n:3__\n")[1:] == first
    assert prompts("a.txt", "a cat __n:3__\n") != [one.replace("fox", "cat") for one in first]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("red --w 8", "colors.txt:1:5: a wildcard holds no flags such as --w."),
        ("red {a|b", "colors.txt:1:5: a { with alternatives is not closed;"),
        ("red\n__colors__", "colors.txt:2:1: __colors__ leads back to itself."),
        ("# none", "colors.txt has no lines."),
        ("red\0", "colors.txt:1:4: a NUL byte"),
    ],
)
def test_a_wildcard_file_with_a_mistake_is_refused(text, message):
    Path("colors.txt").write_text(text)

    (line,) = complaints("a.txt", "__colors__ ball\n")
    assert line.startswith(f"a.txt:1:1: prompt: {message}")


def test_what_would_take_forever_is_refused_at_once():
    for n in range(19):
        Path(f"w{n}.txt").write_text(f"__w{n + 1}__ __w{n + 1}__ __w{n + 1}__\n")
    Path("w19.txt").write_text("a\nb\n")
    begin = time.process_time()
    many = "stands for more than 100,000 prompts; write fewer."

    assert complaints("a.txt", "__w0__") == [f"a.txt:1:1: prompt: {many}"]
    assert complaints("a.txt", "{a|b}" * 20_000) == [f"a.txt:1:1: prompt: {many}"]
    assert prompts("a.txt", "__a-" * 50_000) == ["__a-" * 50_000]
    assert prompts("a.txt", "{" * 19 + "[" * 100_000) == ["{" * 19 + "[" * 100_000]
    assert len(complaints("a.txt", "a fox --" + "x" * 900_000)[0]) < 200
    assert time.process_time() - begin < 10


def test_a_wildcard_cannot_name_a_file_elsewhere():
    Path("secret.txt").write_text("secret\n")
    Path("lists").mkdir()

    assert prompts("lists/a.txt", "__../secret__ fox") == ["__../secret__ fox"]
    assert "no file" in complaints("lists/a.txt", "__secret__ fox")[0]
