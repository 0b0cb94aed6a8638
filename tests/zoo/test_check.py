from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from t2v.zoo.check import Problem, check
from t2v.zoo.documents import Document, parse_yaml
from t2v.zoo.entries import Drawer

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


SOURCES = ", components: its files, defaults: its paper, latents: its paper, supports: its paper"


def entry(lines: str) -> str:
    """The good entry with further lines at line 12, and a source for whatever they say."""
    sourced = GOOD.replace("fps: its README", f"fps: its README{SOURCES}")
    return sourced.replace("fps: 16\n", f"fps: 16\n    {lines}\n")


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
            "commercial: yes",
            "commercial: maybe",
            "my.yaml:8:5: models.a-1b.commercial: Input should be 'yes', 'no' or 'conditions', "
            "and not 'maybe'.",
        ),
        ("    commercial: yes\n", "", "my.yaml:2:3: models.a-1b.commercial: is missing."),
        (
            "multiple: 4, plus: 1, native: 81}",
            "multiple: 4, plus: 9, native: 5}",
            "my.yaml:9:36: models.a-1b.frames.native: 5 is not 4 n + 9.",
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


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "maturity: unverified",
            "my.yaml:12:5: models.a-1b.maturity: is for models without an entry; "
            "this one is untested at least.",
        ),
        (
            "latents: {factor: 3}",
            "my.yaml:12:5: models.a-1b.latents: 81 frames are not 1 + 3 n, so no number of latents.",
        ),
        (
            "defaults: {num_inference_steps: 3, call: {sigmas: [1, 0.5]}}",
            "my.yaml:12:47: models.a-1b.defaults.call.sigmas: "
            "2 values hold for 2 steps, and not for 3.",
        ),
        (
            "defaults: {num_inference_steps: 4, min_inference_steps: 9}",
            "my.yaml:12:16: models.a-1b.defaults.num_inference_steps: "
            "4 are less than the 9 of min_inference_steps.",
        ),
        (
            "defaults: {flow_shift: 4, flow_shift_by_height: {480: 3}}",
            "my.yaml:12:16: models.a-1b.defaults.flow_shift: "
            "means nothing beside flow_shift_by_height.",
        ),
        (
            "components: {vae: {params: 1000000, bytes: 200000000}}",
            "my.yaml:12:41: models.a-1b.components.vae.bytes: "
            "200000000 bytes are 2e+02 for each of its parameters.",
        ),
        (
            "memory: [{gpu: A, size: 480p, frames: 1, rung: none, peak_gib: 5, how: measured}]",
            "my.yaml:12:23: models.a-1b.memory[0].size: '480p' is no width and height such as 832x480.",
        ),
        (
            "diffusers: '0.42'",
            "my.yaml:12:5: models.a-1b.diffusers: '0.42' is no range such as '>=0.42,<0.43'.",
        ),
    ],
)
def test_a_mistake_in_a_further_line_is_reported_with_its_place(line: str, problem: str):
    assert lint(entry(line)) == [problem]


@pytest.mark.parametrize(
    ("supports", "place", "message"),
    [
        (
            "long_video: [windows], window: 6, overlap: 6",
            "overlap",
            "6 is not less than the window of 6.",
        ),
        (
            "long_video: [windows], window: 5, overlap: 2",
            "overlap",
            "5 less 2 is no multiple of the 2 latents of a patch.",
        ),
        (
            "long_video: [windows], window: 24, overlap: 2",
            "window",
            "24 is more than the 21 latents of the native 81 frames.",
        ),
        (
            "long_video: [windows], overlap: 2",
            "long_video",
            "windows need a window and an overlap.",
        ),
        (
            "long_video: [continue], overlap: 2",
            "overlap",
            "means nothing where long_video has no windows.",
        ),
        (
            "long_video: [window], lora: true",
            "long_video[0]",
            "'window' is none of windows, continue, native.",
        ),
    ],
)
def test_windows_that_no_video_can_be_made_of(supports: str, place: str, message: str):
    lines = f"latents: {{factor: 4, patch: 2}}\n    supports: {{{supports}}}"
    (problem,) = lint(entry(lines))
    key = "[window" if "[" in place else f"{place}:"
    column = f"    supports: {{{supports}}}".index(key) + (2 if "[" in place else 1)
    assert problem == f"my.yaml:13:{column}: models.a-1b.supports.{place}: {message}"


def test_a_part_is_not_counted_and_left_out_at_once():
    lines = "components: {vae: {params: 1, bytes: 2}}\n    unused: [vae]"
    assert lint(entry(lines)) == [
        "my.yaml:12:18: models.a-1b.components.vae: is among the unused, which are never fetched."
    ]


def test_the_header_of_a_toy_may_be_larger_than_its_weights():
    assert lint(entry("components: {vae: {params: 100, bytes: 9000}}")) == []


FAMILY = """\
families:
  wan:
    frames: {multiple: 4, plus: 1, native: 81}
    latents: {factor: 4, patch: PATCH}
    supports: {long_video: [windows], window: 21, overlap: 7}
    sources: {frames: its README, latents: its README, supports: its README}
"""


@pytest.mark.parametrize(
    ("patch", "native", "window", "overlap"),
    [(1, 81, 21, 7), (1, 121, 21, 7), (1, 49, 13, 4), (1, 5, 2, 1), (2, 49, 13, 5)],
)
def test_windows_of_the_family_are_no_longer_than_the_clip_of_the_model(
    patch: int, native: int, window: int, overlap: int
):
    base = parse_yaml(FAMILY.replace("PATCH", str(patch)), "base")
    own = parse_yaml(GOOD.replace("native: 81", f"native: {native}"), "my.yaml")
    assert check([own], base=[base]) == []
    supports = Drawer([base, own]).spec("a-1b").supports
    assert (supports.window, supports.overlap) == (window, overlap)


def test_a_window_that_the_entry_itself_says_is_not_cut():
    text = entry("supports: {window: 21}").replace("native: 81", "native: 49")
    assert lint(text, base=[parse_yaml(FAMILY.replace("PATCH", "1"), "base")]) == [
        "my.yaml:12:16: models.a-1b.supports.window: "
        "21 is more than the 13 latents of the native 49 frames."
    ]


def test_a_length_that_breaks_the_rule_is_told_once():
    base = parse_yaml(FAMILY.replace("PATCH", "1"), "base")
    assert lint(GOOD.replace("native: 81", "native: 82"), base=[base]) == [
        "my.yaml:9:36: models.a-1b.frames.native: 82 is not 4 n + 1."
    ]


def test_windows_that_share_nothing_are_windows():
    lines = "latents: {factor: 4}\n    supports: {long_video: [windows], window: 6, overlap: 0}"
    assert lint(entry(lines)) == []


def test_a_window_may_be_the_native_clip_and_start_on_whole_patches():
    lines = (
        "latents: {factor: 4, patch: 2}\n"
        "    supports: {long_video: [windows], window: 21, overlap: 7}"
    )
    assert lint(entry(lines)) == []


def test_windows_are_counted_in_latents():
    supports = "supports: {long_video: [windows], window: 6, overlap: 2}"
    assert lint(entry(supports)) == [
        "my.yaml:12:16: models.a-1b.supports.long_video: "
        "windows are counted in latents; the entry lacks them."
    ]


def test_a_window_needs_a_source():
    supports = "supports: {long_video: [windows], window: 6, overlap: 2}"
    text = entry(f"latents: {{factor: 4}}\n    {supports}").replace(", supports: its paper", "")
    assert lint(text) == [
        "my.yaml:13:5: models.a-1b.supports: has numbers without a source; "
        "say where they come from in sources.supports."
    ]


def test_a_source_may_be_that_of_a_single_number():
    text = GOOD.replace("frames: its README", "frames.native: a guess")
    assert lint(text) == [
        "my.yaml:9:5: models.a-1b.frames: has numbers without a source; "
        "say where they come from in sources.frames."
    ]
    plus = "frames.native: a guess, frames.multiple: its VAE, frames.plus: its VAE"
    assert lint(GOOD.replace("frames: its README", plus)) == []


def test_words_need_no_source():
    assert lint(GOOD.replace("fps: 16", "fps: 16\n    defaults: {negative_prompt: none}")) == []


def test_other_versions_of_diffusers_are_a_warning():
    (problem,) = check([parse_yaml(entry("diffusers: '>=0.30,<0.31'"), "my.yaml")])
    assert (problem.level, problem.key) == ("warning", "models.a-1b.diffusers")
    installed = version("diffusers")
    assert str(problem) == (
        "my.yaml:12:5: warning: models.a-1b.diffusers: "
        f"was checked with >=0.30,<0.31, and {installed} is installed."
    )
    assert lint(entry(f"diffusers: '=={installed}'")) == []


def test_a_pipeline_is_one_of_its_family():
    text = "families: {wan: {pipelines: [WanPipeline]}}\n" + GOOD
    assert lint(text) == []
    assert lint(text.replace("pipeline: WanPipeline", "pipeline: LTXPipeline")) == [
        "my.yaml:5:5: models.a-1b.pipeline: the family wan has WanPipeline, and not LTXPipeline."
    ]


def test_a_block_without_a_family_is_a_slip_of_the_pen():
    assert lint("families: {wann: {fps: 8}}\n" + GOOD) == [
        "my.yaml:1:12: families.wann: t2v has no family 'wann'."
    ]


def test_a_fault_of_a_family_is_told_once_and_there():
    second = GOOD.removeprefix("models:\n").replace("a-1b", "b-1b").replace("org/a", "org/b")
    block = "families: {wan: {sizes: {native: [[850, 480]]}}}\n"
    text = block + (GOOD + second).replace(", native: [[832, 480]]", "")
    assert lint(text) == [
        "my.yaml:1:35: families.wan.sizes.native[0]: 850x480 is no multiple of 16."
    ]


def test_what_an_entry_makes_of_the_family_of_another_catalog_is_its_own_fault():
    base = parse_yaml("families: {wan: {frames: {multiple: 4, plus: 1, native: 81}}}", "base")
    assert lint(GOOD.replace("plus: 1, native: 81", "max: 49"), base=[base]) == [
        "my.yaml:9:5: models.a-1b.frames.native: 81 is not between min and max."
    ]


def test_an_alias_belongs_to_one_entry():
    second = GOOD.removeprefix("models:\n").replace("a-1b", "b-1b").replace("org/a", "org/b")
    text = GOOD.replace("fps: 16", "fps: 16\n    aliases: [a, x]") + second.replace(
        "fps: 16", "fps: 16\n    aliases: [y, x, a-1b]"
    )
    assert lint(text) == [
        "my.yaml:24:18: models.b-1b.aliases[1]: 'x' is the name of a-1b already.",
        "my.yaml:24:21: models.b-1b.aliases[2]: 'a-1b' is the name of a-1b already.",
    ]


def test_a_name_that_is_an_alias_elsewhere_is_told_in_the_later_catalog():
    base = parse_yaml(GOOD.replace("fps: 16", "fps: 16\n    aliases: [b-1b, c]"), "base")
    own = GOOD.replace("a-1b", "b-1b").replace("fps: 16", "fps: 16\n    aliases: [c]")
    assert lint(own, base=[base]) == [
        "my.yaml:2:3: models.b-1b: 'b-1b' is the name of a-1b already.",
        "my.yaml:12:15: models.b-1b.aliases[0]: 'c' is the name of a-1b already.",
    ]


def test_a_clash_within_another_catalog_is_not_told_here():
    base = parse_yaml(GOOD.replace("fps: 16", "fps: 16\n    aliases: [a-1b]"), "base")
    assert lint(GOOD.replace("a-1b", "b-1b"), base=[base]) == []


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
