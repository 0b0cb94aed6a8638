"""YAML that nobody should have written: as the user's config, the project's, and a catalog."""

import os
from pathlib import Path

import pytest

from tests.hostile.world import World

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

BROKEN = [
    # what it is, the bytes of the file, what is said
    ("a tab for indentation", b"models:\n\tdoodle: 1\n", ":2:1"),
    ("an open bracket", b"seed: [1\n", "not YAML"),
    ("an open quote", b'seed: "1\n', "not YAML"),
    ("a cyclic anchor", b"seed: &a [*a]\n", "anchors and aliases"),
    ("an anchor that is its own key", b"&a ? *a : 1\n", ""),
    ("an alias bomb", BOMB.encode(), "anchors and aliases"),
    ("a merge key", b"base: &b {seed: 1}\n<<: *b\n", "anchors and aliases"),
    ("an alias to nothing", b"seed: *nothing\n", "anchors and aliases"),
    ("a key twice", b"seed: 1\nseed: 2\n", "is there already, at 1:1"),
    ("twenty-one levels", b"[" * 30 + b"]" * 30, "nested deeper than 20 levels"),
    ("a hundred thousand levels", b"[" * 100_000, "nested deeper than 20 levels"),
    ("deep mappings", b"{a: " * 5000, "nested deeper than 20 levels"),
    ("deep keys", b"? " * 5000, ""),
    ("ten megabytes", b"# " + b"x" * 10_000_000, "larger than 2,000,000 bytes"),
    ("binary", bytes(range(256)), ""),
    ("an MP4", b"\x00\x00\x00\x20ftypisom" + b"\x00" * 200, ""),
    ("UTF-16", "seed: 1\n".encode("utf-16"), "not UTF-8"),
    ("Latin-1", "prompt: caf\xe9\n".encode("latin-1"), "1:12: not UTF-8"),
    ("a NUL", b"seed: \x001\n", "not YAML"),
    ("an escape sequence", b"\x1b[31mseed: 1\n", "not YAML"),
    ("an escape in a quoted key", b'"\\e[31mseed": 1\n', ""),
    ("half a character in quotes", b'"\\ud83e": 1\n', ""),
    ("a Python object", b"seed: !!python/object/apply:os.system ['touch pwned']\n", "tags are not"),
    ("a Python name", b"seed: !!python/name:os.system\n", "tags are not"),
    ("a Python module", b"!!python/module:os\n", "tags are not"),
    ("a binary tag", b"seed: !!binary aGVsbG8=\n", "tags are not"),
    ("a tag of its own", b"seed: !mine 1\n", "tags are not"),
    ("a tag directive", b"%TAG ! tag:evil,2000:\n---\nseed: !x 1\n", "tags are not"),
    ("a set", b"!!set {seed}\n", "tags are not"),
    ("two documents", b"seed: 1\n---\nseed: 2\n", "a second document"),
    ("a list", b"- seed: 1\n", ""),
    ("a number", b"5\n", ""),
    ("a text", b"just some text\n", ""),
    ("a key that is a list", b"[1, 2]: 3\n", "a key must be a plain word"),
    ("a key that is a mapping", b"{a: b}: 3\n", "a key must be a plain word"),
    ("an unknown key", b"sed: 1\n", "sed"),
    ("an unknown key full of escapes", b'"\\e]0;x\\a": 1\n', ""),
    ("JSON with a comma too many", b'{"seed": 1,,}\n', "not YAML"),
]

WRONG_VALUES = [
    # a line of a config, what is said
    ("seed: -1", "at least 0"),
    ("seed: yes", "whole number"),
    ("seed: [1]", "whole number"),
    ("seed: {a: 1}", "whole number"),
    ("seed: 1e400", "finite number"),
    ("seed: .nan", "whole number"),
    ("seed: 999999999999999999999999999999", ""),
    ("width: 0", "at least 1"),
    ("width: 1e3", ""),
    ("height: '480'", ""),
    ("seconds: .inf", "finite"),
    ("seconds: -5", "more than 0"),
    ("fps: 1/0", "not a frame rate"),
    ("fps: {}", ""),
    ("fps: 12:30", "not a frame rate"),
    ("num_frames: 3.5", "whole number"),
    ("guidance_scale: high", "a number"),
    ("crf: 99", "at most 63"),
    ("metadata: maybe", "yes or no"),
    ("codec: divx", "auto, h264"),
    ("device: tpu", "auto, cpu"),
    ("model: 5", "text"),
    ("model: [a]", "text"),
    ("lora: 5", "list"),
    ("lora: [5]", ""),
    ("lora: [[a]]", ""),
    ("lora: ../../outside/precious.txt", ""),
    ("scheduler: 'os.system'", "scheduler"),
    ("models: 5", "mapping"),
    ("models: [a]", "mapping"),
    ("models: {doodle: 5}", "mapping"),
    ("models: {doodle: {sed: 5}}", "models.doodle.sed"),
    ("models: {doodle: {models: {}}}", "models.doodle.models"),
    ("negative_prompt: [a, b]", "text"),
    ("output: ../../etc/passwd", "output"),
    ("allow_pickle: true", "allow_pickle"),
]

WRONG_ENTRIES = [
    # a catalog, what is said
    ("models: {x: {}}", "models.x"),
    ("models: {x: 5}", "must be a mapping"),
    ("models: [x]", "must be a mapping"),
    ("model: {x: {}}", "a catalog has default, families, models"),
    ("families: {wan: {pipelines: 5}}", "list of class names"),
    ("families: {wan: {pipelines: [5]}}", "list of class names"),
    ("families: {wan: {piplines: [A]}}", "unknown key"),
    ("families: {wan: {fps: 0}}", "families.wan.fps"),
    ("default: no-such-model", "no entry 'no-such-model'"),
    ("default: [a]", "must be the name of a model"),
    ("models: {x: {family: wan, repo: '../../x', license: mit, commercial: yes}}", "repo"),
    ("models: {x: {family: wan, repo: a/b, revision: main, license: mit, commercial: yes}}", "revision"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: perhaps}}", "commercial"),
    ("models: {x: {family: 5, repo: a/b, license: mit, commercial: yes}}", "family"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: yes, sizes: {native: []}}}", "sizes"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: yes, frames: {multiple: 0}}}", "frames"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: yes, fps: 16/0}}", "fps"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: yes, fps: '0'}}", "fps"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: yes, aliases: ['\\e[31m']}}", "aliases"),
    ("models: {x: {family: wan, repo: a/b, license: mit, commercial: yes, code: 'os.system'}}", "unknown key"),
    ("models: {x: {family: wan, builtin: '../../../etc', license: mit, commercial: yes}}", "builtin"),
    ('models: {"\\e[31mx": {family: 5}}', ""),
]  # fmt: skip

GOOD_BUT_ODD = [
    ("empty", b""),
    ("only a comment", b"# nothing\n"),
    ("only a byte order mark", b"\xef\xbb\xbf"),
    ("null", b"null\n"),
    ("an empty mapping", b"{}\n"),
    ("Windows line ends", b"seed: 1\r\nwidth: 64\r\n"),
    ("JSON", b'{"seed": 1, "width": 64}'),
    ("models without content", b"models:\n"),
]

PLACES = ["user config", "project config", "catalog"]


def written(world: World, place: str, content: bytes) -> Path:
    path = {
        "user config": world.home / "config" / "config.yaml",
        "project config": world.work / "t2v.yaml",
        "catalog": world.home / "config" / "models.yaml",
    }[place]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "place", ["user config", *(pytest.param(name, marks=pytest.mark.slow) for name in PLACES[1:])]
)
@pytest.mark.parametrize(("content", "said"), [c[1:] for c in BROKEN], ids=[c[0] for c in BROKEN])
def test_a_broken_file_is_named_with_the_place_of_the_fault(
    world: World, place: str, content: bytes, said: str
):
    path = written(world, place, content)
    refused = world("plan", "a ball")
    assert refused.code == 2
    assert path.name in refused.error
    assert said in refused.error


@pytest.mark.parametrize("place", ["user config", "project config"])
@pytest.mark.parametrize(("line", "said"), WRONG_VALUES)
def test_a_wrong_value_of_a_config_is_named_with_its_place(
    world: World, place: str, line: str, said: str
):
    written(world, place, line.encode())
    refused = world("plan", "a ball")
    if refused.code != 0:
        assert refused.code == 2
        assert ":1:" in refused.error or "lora" in line
        assert said in refused.error
    else:
        assert not said


@pytest.mark.parametrize(("catalog", "said"), WRONG_ENTRIES)
def test_a_wrong_catalog_is_named_with_its_place(world: World, catalog: str, said: str):
    path = written(world, "catalog", catalog.encode())
    for command in (("models", "check", str(path)), ("models", "list"), ("plan", "a", "-m", "x")):
        refused = world(*command)
        assert refused.code in (0, 1, 2)
        if command[1] == "check":
            assert said in refused.out + refused.err


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("content", [c[1] for c in GOOD_BUT_ODD], ids=[c[0] for c in GOOD_BUT_ODD])
def test_odd_but_honest_files_are_read(world: World, place: str, content: bytes):
    if place == "catalog" and b"seed" in content:
        pytest.skip("a catalog has no seed")
    written(world, place, content)
    assert world("plan", "a ball").code == 0


def test_a_page_of_faults_is_shown_in_part(world: World):
    written(world, "user config", b"".join(b"k%d: 1\n" % n for n in range(5000)))
    refused = world("plan", "a ball")
    assert refused.code == 2
    assert "and 4992 more lines" in refused.error


def test_a_config_that_is_a_folder_a_fifo_or_a_loop_does_not_hang(world: World):
    (world.work / "t2v.yaml").mkdir()
    assert world("plan", "a ball").code == 0
    (world.work / "t2v.yaml").rmdir()
    os.mkfifo(world.work / "t2v.yaml")
    assert world("plan", "a ball").code == 0
    (world.work / "t2v.yaml").unlink()
    (world.work / "t2v.yaml").symlink_to("t2v.yaml")
    assert world("plan", "a ball").code == 0


def test_a_project_config_names_no_file_outside_of_the_project(world: World):
    for line in (
        "model: ../outside",
        "model: /etc",
        "model: '~'",
        "lora: ['../outside/precious.txt']",
    ):
        written(world, "project config", line.encode())
        refused = world("plan", "a ball")
        assert refused.code == 2
        assert "only files below its own folder" in refused.error


def test_a_link_out_of_the_project_is_not_followed(world: World):
    (world.work / "inside").symlink_to(world.outside)
    written(world, "project config", b"lora: [inside/precious.txt]")
    assert "only files below its own folder" in world("plan", "a ball").error
