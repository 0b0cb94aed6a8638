"""What a mistake on the command line is answered with."""

import pytest

import t2v


def test_no_arguments_give_a_short_help(cli):
    result = cli()
    assert result.code == 0
    assert result.out.startswith("t2v makes videos from text.")
    assert len(result.out.splitlines()) <= 12


def test_the_version(cli):
    assert cli("--version").out == f"t2v {t2v.__version__}\n"


COMMANDS = [
    ["generate"],
    ["plan"],
    ["models", "list"],
    ["models", "show"],
    ["models", "check"],
    ["models", "default"],
    ["models", "pull"],
    ["models", "path"],
    ["models", "search"],
    ["models", "verify"],
    ["models", "remove"],
    ["models", "add"],
    ["inspect"],
    ["replay"],
    ["decode"],
    ["doctor"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_that_names_the_command(cli, command):
    result = cli(*command, "--help")
    assert result.code == 0
    _, _, examples = result.out.partition("Examples:\n")
    assert f"t2v {' '.join(command)}" in examples


@pytest.mark.parametrize("flag", ["--quantize", "--speed", "--compile", "--sound"])
def test_there_are_no_flags_without_a_feature(cli, flag):
    assert flag not in cli("generate", "--help").out


WRONG = {
    "an unknown flag": (
        ["generate", "a ball", "--step", "3"],
        "error: t2v generate has no option --step. Did you mean --steps?",
    ),
    "one dash too few": (
        ["generate", "a ball", "-seed", "3"],
        "error: t2v generate has no option -s. Did you mean --seed?",
    ),
    "an unknown command": (
        ["gen", "a ball"],
        "error: t2v has no such command: gen. Did you mean generate?",
    ),
    "a flag without its value": (["generate", "a ball", "--seed"], "error: --seed needs a value."),
    "no prompt": (
        ["generate"],
        "error: There is no prompt; say what the video should show.",
    ),
    "a prompt without quotes": (
        ["generate", "a", "ball"],
        "error: Got unexpected extra argument(s) (ball); text of several words goes in quotes",
    ),
    "a number that is none": (
        ["generate", "a ball", "--steps", "many"],
        "error: --num-inference-steps must be a whole number, not 'many'",
    ),
    "a negative number": (
        ["plan", "a ball", "--height", "-3"],
        "error: --height must be at least 1, not -3",
    ),
    "a size that is none": (
        ["plan", "a ball", "--size", "big"],
        "error: --size must look like 832x480, not 'big'",
    ),
    "the size said twice": (
        ["plan", "a ball", "--size", "64x64", "--width", "64"],
        "error: say the size once: --size, or --width and --height",
    ),
    "an unknown way of progress": (
        ["generate", "a ball", "--progress", "loud"],
        "error: --progress: 'loud' is none of auto, bar, json, none",
    ),
    "a change that is none": (
        ["replay", "clip.mp4", "--set", "seed"],
        "error: --set: 'seed' is not KEY=VALUE",
    ),
    "an empty prompt": (
        ["plan", "  "],
        "error: The prompt is empty; say what the video should show",
    ),
    "an unknown model": (
        ["plan", "a ball", "-m", "doodel-128"],
        "error: No model 'doodel-128' in the zoo. Did you mean 'doodle-128' or 'doodle'?",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_explained_and_exits_with_2(cli, arguments, message):
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[0] == message


def test_several_wrong_values_are_named_at_once(cli):
    result = cli("plan", "a ball", "--steps", "0", "--seed", "x")
    assert "--num-inference-steps" in result.err
    assert "--seed" in result.err


def test_a_usage_error_points_to_the_help_of_its_command(cli):
    assert cli("models", "show").err == (
        "error: t2v models show needs MODEL.\nSee `t2v models show --help`.\n"
    )


def test_a_mistake_of_a_megabyte_is_answered_in_a_few_lines(cli):
    mistake = "a\nb" * 300_000
    for arguments in ([mistake], ["generate", "x", f"--{mistake}"], ["generate", "x", mistake]):
        result = cli(*arguments)
        assert result.code == 2
        assert len(result.err) < 400
        assert len(result.err.splitlines()) == 2


def test_a_prompt_with_a_dash_goes_after_two(cli):
    assert "goes after `--`" in cli("plan", "-5 degrees and snow").err
    assert (
        cli("plan", "--json", "--", "-5 degrees").json()["request"]["prompt"]["value"]
        == "-5 degrees"
    )
