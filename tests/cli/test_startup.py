"""Heavy libraries stay out of commands that do not need them."""

import pytest

from tests.cli.conftest import environment
from tests.fresh import python

HEAVY = {
    "PIL",
    "accelerate",
    "av",
    "diffusers",
    "huggingface_hub",
    "imageio",
    "numpy",
    "safetensors",
    "torch",
    "transformers",
}
RUN = """
import sys
sys.argv = ['t2v', *{arguments!r}]
from t2v_cli.__main__ import main
try:
    main()
except SystemExit as leave:
    code = leave.code
print('HEAVY', code, *sorted({heavy!r} & set(sys.modules)))
print('COUNT', len(sys.modules))
"""
FIRST_LINE = """
import sys
from t2v_cli import output
from t2v_cli.__main__ import run
write = output._write
def leave(stream, line):
    write(stream, line)
    print('HEAVY', 0, *sorted({heavy!r} & set(sys.modules)))
    print('COUNT', len(sys.modules))
    raise SystemExit
output._write = leave
run({arguments!r})
"""
OWN = """
models:
  own-{number}:
    family: wan
    repo: me/own-{number}
    license: mit
    commercial: "yes"
"""
BUDGET = {
    ("--version",): 330,
    ("--help",): 330,
    ("generate", "--help"): 330,
    ("models", "list"): 560,
    ("models", "show", "wan2.1-t2v-1.3b"): 560,
    ("models", "search", "wan"): 560,
    ("plan", "a red ball"): 600,
}


def loaded(
    code: str, arguments: tuple[str, ...], tmp_path, heavy: set[str] = HEAVY
) -> tuple[list[str], int]:
    """The exit code and heavy modules, and how many modules there are at all."""
    program = code.format(arguments=list(arguments), heavy=heavy)
    done = python(program, cwd=tmp_path, PYTHONPATH=environment()["PYTHONPATH"])
    found, count = done.stdout.splitlines()[-2:]
    return found.split()[1:], int(count.split()[1])


@pytest.mark.parametrize("command", [["list"], ["show", "own-7"], ["search", "own"]], ids=" ".join)
def test_once_read_the_catalogs_cost_neither_yaml_nor_validation(command, home, tmp_path):
    folder = home / "config/models.d"
    folder.mkdir(parents=True)
    for number in range(10):
        (folder / f"own-{number}.yaml").write_text(OWN.format(number=number))
    arguments = ("models", *command)
    loaded(RUN, arguments, tmp_path)
    heavy, count = loaded(RUN, arguments, tmp_path, HEAVY | {"yaml", "t2v.zoo.spec", "rich"})
    assert heavy == ["0"]
    assert count <= 520


@pytest.mark.parametrize(("arguments", "most"), BUDGET.items(), ids=lambda value: str(value))
def test_a_quick_command_imports_nothing_heavy(arguments, most, tmp_path):
    heavy, count = loaded(RUN, arguments, tmp_path)
    assert heavy == ["0"]
    assert count <= most


def test_generate_says_its_first_line_before_anything_heavy_is_imported(tmp_path):
    heavy, _ = loaded(FIRST_LINE, ("generate", "a red ball"), tmp_path)
    assert heavy == ["0"]
