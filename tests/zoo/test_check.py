from collections.abc import Sequence
from pathlib import Path

import pytest

from t2v.zoo.check import Problem, check
from t2v.zoo.documents import Document, parse_yaml

GOOD = """\
models:
  a-1b:
    family: wan
    pipeline: WanPipeline
    repo: org/a
    description: A model.
    license: mit
    commercial: yes
    frames: {multiple: 4, plus: 1, native: 81}
    sizes: {multiple: 16, native: [[832, 480]]}
    fps: 16
    sources: {frames: its README, sizes: its README, fps: its README}
"""


def lint(text: str, base: Sequence[Document] = ()) -> list[str]:
    return [str(problem) for problem in check([parse_yaml(text, "my.yaml")], base=base)]


def test_a_good_entry_has_no_problems():
    assert lint(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "family: wan",
            "family: wann",
            "my.yaml:3:5: models.a-1b.family: t2v has no family 'wann'.",
        ),
        (
            "family: wan",
            "family: nobody.here",
            "my.yaml:3:5: models.a-1b.family: t2v has no family 'nobody.here'.",
        ),
        (
            "family: wan",
            "family: ../wan",
            "my.yaml:3:5: models.a-1b.family: t2v has no family '../wan'.",
        ),
        (
            "repo: org/a\n",
            "variant: fp16\n",
            "my.yaml:2:3: models.a-1b: needs one of repo, builtin and folder, and has none.",
        ),
        (
            "repo: org/a\n",
            "repo: org/a\n    folder: /a\n",
            "my.yaml:2:3: models.a-1b: needs one of repo, builtin and folder, "
            "and has repo and folder.",
        ),
        (
            "license: mit",
            "license: unknown",
            "my.yaml:7:5: models.a-1b.license: name the licence; its identifier, in lower case.",
        ),
        ("    license: mit\n", "", "my.yaml:2:3: models.a-1b.license: is missing."),
        (
            "    description: A model.\n",
            "",
            "my.yaml:2:3: models.a-1b: needs a description of one line.",
        ),
        (
            "native: 81}",
            "native: 80}",
            "my.yaml:9:36: models.a-1b.frames.native: 80 is not 4 n + 1.",
        ),
        (
            "native: 81}",
            "native: 81, max: 100}",
            "my.yaml:9:48: models.a-1b.frames.max: 100 is not 4 n + 1.",
        ),
        (
            "native: 81}",
            "native: 81, max: 49}",
            "my.yaml:9:36: models.a-1b.frames.native: 81 is not between min and max.",
        ),
        (
            "[[832, 480]]",
            "[[832, 480], [850, 480]]",
            "my.yaml:10:48: models.a-1b.sizes.native[1]: 850x480 is no multiple of 16.",
        ),
        (
            ", fps: its README",
            "",
            "my.yaml:11:5: models.a-1b.fps: has numbers without a source; "
            "say where they come from in sources.fps.",
        ),
        (
            "fps: its README",
            "fps: ' '",
            "my.yaml:11:5: models.a-1b.fps: has numbers without a source; "
            "say where they come from in sources.fps.",
        ),
        (
            "fps: its README",
            "fps: its README, speed: a guess",
            "my.yaml:12:71: models.a-1b.sources.speed: is a source for nothing; "
            "use a key of the entry.",
        ),
        (
            "fps: 16",
            "fps: 16\n    defaults: {guidance_scale: 5}",
            "my.yaml:12:5: models.a-1b.defaults: has numbers without a source; "
            "say where they come from in sources.defaults.",
        ),
        (
            "fps: 16",
            "fps: 16\n    memory: [{gpu: A, size: 8x8, frames: 1, rung: none, peak_gib: 5}]",
            "my.yaml:12:14: models.a-1b.memory[0].how: is missing.",
        ),
        (
            "a-1b:",
            "A_1B:",
            "my.yaml:2:3: models.A_1B: name it in lower case: family, version, task and size "
            "with dashes between.",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_place(old: str, new: str, problem: str):
    assert lint(GOOD.replace(old, new)) == [problem]


def test_an_alias_belongs_to_one_entry():
    second = GOOD.removeprefix("models:\n").replace("a-1b", "b-1b").replace("org/a", "org/b")
    text = GOOD.replace("fps: 16", "fps: 16\n    aliases: [a, x]") + second.replace(
        "fps: 16", "fps: 16\n    aliases: [y, x, a-1b]"
    )
    assert lint(text) == [
        "my.yaml:24:18: models.b-1b.aliases[1]: 'x' is the name of a-1b already.",
        "my.yaml:24:21: models.b-1b.aliases[2]: 'a-1b' is the name of a-1b already.",
    ]


def test_the_default_must_be_an_entry():
    assert lint(GOOD + "default: b-1b\n") == ["my.yaml:13:1: default: no entry 'b-1b'."]


def test_a_catalog_that_cannot_be_read_is_one_problem():
    assert lint("models: {a: 5}") == [
        "my.yaml:1:10: models.a: must be a mapping (`key: value` lines)."
    ]
    assert lint("modells: {}") == [
        "my.yaml:1:1: modells: unknown; a catalog has default, families, models."
    ]


def test_every_entry_is_checked_even_when_one_is_broken():
    text = GOOD.replace("license: mit", "license: unknown") + "  b: {}\n"
    assert len(lint(text)) > 3


def test_a_catalog_can_build_on_another_whose_faults_are_not_its_own():
    base = parse_yaml(
        "families: {wan: {fps: 8, sources: {fps: README}}}\n" + GOOD.replace("81", "80"), "base"
    )
    own = GOOD.replace("a-1b", "b-1b").replace("    fps: 16\n", "").replace(", fps: its README", "")
    assert lint(own, base=[base]) == []


def test_a_family_of_somebody_else_is_found_without_importing_it(tmp_path: Path, monkeypatch):
    package = tmp_path / "elsewhere_t2v/more"
    package.mkdir(parents=True)
    (tmp_path / "elsewhere_t2v/__init__.py").write_text("raise RuntimeError('imported')")
    (package / "film.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert lint(GOOD.replace("family: wan", "family: elsewhere_t2v.more.film")) == []


def test_a_family_in_a_package_that_is_no_package_is_unknown():
    (problem,) = lint(GOOD.replace("family: wan", "family: json.decoder.deep"))
    assert problem.endswith("t2v has no family 'json.decoder.deep'.")
    (problem,) = lint(GOOD.replace("family: wan", "family: this.that"))
    assert problem.endswith("t2v has no family 'this.that'.")


def test_a_problem_reads_as_one_line():
    assert str(Problem("a.yaml:1:2", "", "is odd.")) == "a.yaml:1:2: is odd."
