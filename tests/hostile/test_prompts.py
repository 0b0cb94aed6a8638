"""Prompts that attack the terminal, the file name, the tokenizer or the memory."""

import json

import pytest

from tests.hostile.world import World

ESC = "\x1b"

CLEANED = [
    # what it is, what is typed, what the model is told
    ("nothing special", "a red ball", "a red ball"),
    ("a color", f"a {ESC}[31mred{ESC}[0m ball", "a [31mred[0m ball"),
    ("clearing the screen", f"{ESC}[2J{ESC}[Ha ball", "[2J[Ha ball"),
    ("moving up to overwrite a line", f"a ball{ESC}[1A{ESC}[2K", "a ball[1A[2K"),
    ("a window title", f"{ESC}]0;owned\x07a ball", "]0;owneda ball"),
    (
        "a hyperlink",
        f"{ESC}]8;;http://evil{ESC}\\click{ESC}]8;;{ESC}\\",
        "]8;;http://evil\\click]8;;\\",
    ),
    ("the clipboard", f"{ESC}]52;c;cm0gLXJmIC8={ESC}\\a ball", "]52;c;cm0gLXJmIC8=\\a ball"),
    ("a device status request", f"a ball{ESC}[6n", "a ball[6n"),
    ("a sixel image", f"{ESC}Pq#0;2;0;0;0{ESC}\\a ball", "Pq#0;2;0;0;0\\a ball"),
    ("a reset of the terminal", f"{ESC}ca ball", "ca ball"),
    ("an 8-bit CSI", "a \x9b31mred ball", "a 31mred ball"),
    ("an 8-bit OSC", "\x9d52;c;cm0=\x9ca ball", "52;c;cm0=a ball"),
    ("a bell", "a ball\x07\x07\x07", "a ball"),
    ("backspaces", "a red\x08\x08\x08blue ball", "a redblue ball"),
    ("a carriage return", "a ball\rerror: fake", "a ballerror: fake"),
    ("a delete", "a ball\x7f", "a ball"),
    ("a form feed and vertical tab", "a\x0cred\x0bball", "aredball"),
    ("a NUL in the middle", "a red\x00 ball", "a red ball"),
    ("a shift-out to line drawing", "\x0ea ball\x0f", "a ball"),
    ("a right-to-left override", "a \u202ellab ball", "a llab ball"),
    ("a left-to-right embedding", "\u202aa ball\u202c", "a ball"),
    ("isolates", "\u2066a\u2069 \u2067ball\u2068", "a ball"),
    ("half a character", "a \ud83e ball", "a  ball"),
    ("bytes that are no UTF-8", "a \udcff\udcfe ball", "a  ball"),
    ("a family of emoji", "a 👨‍👩‍👧‍👦 and a 🏳️‍🌈", "a 👨‍👩‍👧‍👦 and a 🏳️‍🌈"),
    ("Hebrew", "כדור אדום קופץ", "כדור אדום קופץ"),
    ("Arabic", "كرة حمراء تقفز", "كرة حمراء تقفز"),
    ("Hindi with joiners", "एक लाल गेंद क्‍ष", "एक लाल गेंद क्‍ष"),
    ("Chinese", "一个红球在绿色的山丘上弹跳", "一个红球在绿色的山丘上弹跳"),
    ("accents piled up", "a ball" + "\u0301" * 500, "a ball" + "\u0301" * 500),
    ("two lines", "a ball\non a hill", "a ball\non a hill"),
    ("Rich markup", "[bold]a ball[/x]", "[bold]a ball[/x]"),
    ("an attribute of a template", "{prompt.__class__} {0}", "{prompt.__class__} {0}"),
    ("percent signs", "%s%n%x %(seed)d", "%s%n%x %(seed)d"),
    ("a shell command", "$(rm -rf /) `id` ; ls | cat", "$(rm -rf /) `id` ; ls | cat"),
    ("a path", "../../../etc/passwd", "../../../etc/passwd"),
    ("HTML", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("SQL", "'; DROP TABLE models; --", "'; DROP TABLE models; --"),
    ("tokens of a tokenizer", "</s><pad><extra_id_0>", "</s><pad><extra_id_0>"),
    ("an option after two dashes", "--output", "--output"),
    ("one letter a hundred thousand times", "a" * 100_000, "a" * 100_000),
    ("just within a megabyte", "ab " * 333_333, "ab " * 333_333),
]

REFUSED = [
    # what it is, what is typed, what is said
    ("nothing", "", "The prompt is empty"),
    ("blanks", "   \t  ", "The prompt is empty"),
    ("newlines", "\n\n", "The prompt is empty"),
    ("only escapes", "\x1b\x1b\x07", "The prompt is empty"),
    ("only NULs", "\x00" * 50, "The prompt is empty"),
    ("only overrides", "\u202e\u202d", "The prompt is empty"),
    ("only halves of characters", "\ud800\udc00\ud800", "The prompt is empty"),
    ("ten megabytes", "a" * 10_000_000, "The prompt has 10,000,000 bytes; at most 1,000,000"),
    ("ten megabytes of emoji", "🦊" * 2_500_000, "The prompt has 10,000,000 bytes"),
    ("ten megabytes of escapes", "\x1b[31m" * 2_000_000, "The prompt has 10,000,000 bytes"),
]


@pytest.mark.parametrize(
    ("typed", "told"), [case[1:] for case in CLEANED], ids=[c[0] for c in CLEANED]
)
def test_a_prompt_reaches_the_model_without_what_steers_terminals(
    world: World, typed: str, told: str
):
    planned = world("plan", "--json", "--", typed)
    assert planned.code == 0
    assert json.loads(planned.out)["request"]["prompt"]["value"] == told


@pytest.mark.parametrize(
    "typed", [case[1] for case in CLEANED[:18]], ids=[c[0] for c in CLEANED[:18]]
)
def test_its_table_and_its_file_name_are_harmless_too(world: World, typed: str):
    planned = world("plan", "--", typed)
    assert planned.code == 0
    named = world("plan", "-q", "--", typed).out.strip()
    assert "/" not in named
    assert named.endswith(".mp4")


@pytest.mark.parametrize(
    ("typed", "said"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_a_prompt_that_says_nothing_or_too_much_is_refused(world: World, typed: str, said: str):
    refused = world("generate", "-o", "ball.mp4", "--", typed)
    assert (refused.code, refused.changed) == (2, ())
    assert said in refused.error


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("\x1b[31mugly", ""),
        ("", ""),
        ("\u202eugly", ""),
        ("a" * 10_000_000, "negative prompt has 10,000,000 bytes"),
    ],
    ids=["a color", "empty", "an override", "ten megabytes"],
)
def test_a_negative_prompt_is_treated_alike(world: World, typed: str, said: str):
    planned = world("plan", "a ball", f"--negative-prompt={typed}")
    assert planned.code == (2 if said else 0)
    assert said in planned.error


def test_what_was_removed_is_said(world: World):
    assert (
        "2 control characters were removed from the prompt" in world("plan", "a\x1b \x07ball").err
    )
