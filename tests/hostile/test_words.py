"""Names of models, schedulers, codecs and devices that do not exist, and command lines that lie."""

import pytest

from tests.hostile.world import World

UNKNOWN = [
    # arguments, what is said
    (("-m", "doodel-128"), "Did you mean 'doodle-128'"),
    (("-m", ""), "No model ''"),
    (("-m", " "), "No model ' '"),
    (("-m", "no-such-model"), "No model"),
    (("-m", "../../etc/passwd"), "no such folder"),
    (("-m", "/etc"), "no model_index.json"),
    (("-m", "/dev/null"), "No model '/dev/null'"),
    (("-m", "~nobody-here/x"), "no such folder"),
    (("-m", "org/name@../../x"), ""),
    (("-m", "org/na me"), "no such folder"),
    (("-m", "https://huggingface.co/org/name"), "no such folder"),
    (("-m", "x" * 5000), "--model must be at most 4096 characters"),
    (("-m", "x" * 4000), "No model"),
    (("-m", "a/" + "b" * 200), ""),
    (("-m", "\x1b[31mred"), "No model"),
    (("-m", "a\x00b"), "No model"),
    (("-m", "a\nb\nc\nd\ne"), "No model"),
    (("-m", "\u202edoodle"), "No model"),
    (("-m", "\udcff"), "--model must be text"),
    (("-m", "{model.__class__}"), "No model"),
    (("--scheduler", ""), "scheduler class"),
    (("--scheduler", "os.system"), "scheduler class"),
    (("--scheduler", "__import__"), "scheduler class"),
    (("--scheduler", "x" * 101), "at most 100 characters"),
    (("--scheduler", "Euler\x1b[0m"), "scheduler class"),
    (("--scheduler", "Euler\n"), "scheduler class"),
    (("--device", "gpu"), "auto, cpu, mps, xpu, cuda or cuda:N"),
    (("--device", "cuda:-1"), "auto, cpu"),
    (("--device", "cuda:999"), "auto, cpu"),
    (("--device", "CPU"), "auto, cpu"),
    (("--device", "cpu\n"), "auto, cpu"),
    (("--device", "meta"), "auto, cpu"),
    (("--device", "\x1b]0;x\x07"), "auto, cpu"),
    (("--dtype", "float8"), "auto, float32, float16 or bfloat16"),
    (("--dtype", "int4; rm -rf /"), "auto, float32"),
    (("--memory", "lots"), "auto, none, model, group or sequential"),
    (("--codec", "h265"), "auto, h264"),
    (("--codec", "libx264 -y /etc/passwd"), "auto, h264"),
    (("--codec", "rawvideo"), "auto, h264"),
    (("--progress", "loud"), "is none of auto"),
    (("--progress", "\x1b[31m"), "is none of auto"),
    (("--no-such-flag",), "no option --no-such-flag"),
    (("--\x1b[31m",), "no option"),
    (("two", "prompts"), "text of several words goes in quotes"),
    (("-o",), "-o needs a value"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), UNKNOWN, ids=[ascii(" ".join(c[0])[:40]) for c in UNKNOWN]
)
def test_a_word_that_means_nothing_is_refused_with_those_that_do(
    world: World, arguments: tuple[str, ...], said: str
):
    refused = world("plan", "a ball", *arguments)
    assert refused.code in (1, 2)
    assert refused.changed == ()
    assert said in refused.error


@pytest.mark.parametrize(
    "name", ["\x1b[31m", "a\x00b", "../..", "x" * 5000, "", "\udcff", "a\nb"], ids=ascii
)
@pytest.mark.parametrize(
    "command", [("models", "show"), ("models", "path"), ("models", "default"), ("models", "pull")]
)
def test_no_command_of_the_zoo_trips_over_a_name(world: World, command: tuple[str, ...], name: str):
    refused = world(*command, "--", name)
    assert refused.code in (1, 2)


@pytest.mark.parametrize(
    "command", ["\x1b[31m", "a\x00b", "../x", "generat", "\u202e", "\udcff", "x" * 9999]
)
def test_an_unknown_command_is_refused(world: World, command: str):
    assert world(command).code == 2
