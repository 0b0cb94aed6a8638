"""`t2v models list` and `search`: filters, order, and a table that fits its width."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import t2v
from t2v_cli.columns import text_width
from tests.cli.conftest import environment
from tests.patience import patience

OWN = """
models:
  {name}:
    family: wan
    repo: org/{name}
    description: A model with a 好 long description, {name}, that is longer than any terminal is wide.
    license: {license}
    commercial: "{commercial}"
    tasks: [{task}]
    components:
      transformer: {{params: {params}, bytes: {size}}}
    sources:
      components: counted
"""


@pytest.fixture
def own(home: Path) -> Path:
    """Three models of the user's own."""
    folder = home / "config/models.d"
    folder.mkdir(parents=True)
    for name, license, commercial, task, params in (
        ("small", "mit", "yes", "text-to-video", 1_000_000),
        ("huge", "house-rules", "conditions", "video-to-video", 900_000_000_000),
        ("middling", "cc-by-nc-4.0", "no", "text-to-video", 40_000_000),
    ):
        text = OWN.format(
            name=name, license=license, commercial=commercial, task=task, params=params,
            size=params * 2,
        )  # fmt: skip
        (folder / f"{name}.yaml").write_text(text)
    return folder


def names(result) -> list[str]:
    assert result.code == 0, result.err
    return result.out.split()


def test_the_users_own_models_come_last(cli, own):
    assert names(cli("models", "list", "-q"))[-3:] == ["huge", "middling", "small"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--license", "mit"], {"small"}),
        (["--license", "house"], {"huge"}),
        (["--commercial", "no"], {"middling"}),
        (["--task", "video-to-video"], {"huge"}),
        (["--max-download", "2MB"], {"small"}),
        (["--max-download", "0.1"], {"small", "middling"}),
        (["--fits"], {"small", "middling"}),
        (["--family", "wan", "--commercial", "yes", "--max-download", "5MB"], {"small"}),
        (["--cached"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_filters_narrow_the_list(cli, own, flags, expected):
    listed = set(names(cli("models", "list", "-q", *flags)))
    assert listed & {"small", "huge", "middling"} == expected


def test_filters_hold_together_for_what_ships(cli):
    listed = names(cli("models", "list", "-q", "--commercial", "yes", "--family", "cogvideox"))
    zoo = t2v.Zoo.load()
    assert listed
    assert {(zoo[name].commercial, zoo[name].family) for name in listed} == {("yes", "cogvideox")}


def test_what_is_inside_t2v_needs_no_download_and_is_here(cli):
    assert names(cli("models", "list", "-q", "--max-download", "0", "--cached")) == ["doodle-128"]


@pytest.mark.parametrize(
    ("key", "of"),
    [
        ("name", lambda model: model["name"]),
        ("params", lambda model: model["params"]),
        ("download", lambda model: model["download_bytes"]),
        ("length", lambda model: model["native"]["duration_s"]),
        ("license", lambda model: model["license"]),
    ],
)
def test_the_list_can_be_sorted_both_ways(cli, own, key, of):
    up = [of(m) for m in cli("models", "list", "--sort", key, "--json").json()]
    down = [of(m) for m in cli("models", "list", "--sort", key, "-r", "--json").json()]
    # 0 is unknown, or nothing to download.
    assert [value for value in up if value] == sorted(value for value in up if value)
    assert [v for v in down if v] == sorted((v for v in down if v), reverse=True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--family", "wam"], "--family knows no 'wam'. Did you mean wan?"),
        (["--license", "gpl"], "--license knows no 'gpl'. There are apache-2.0"),
        (
            ["--commercial", "perhaps"],
            "--commercial knows no 'perhaps'. There are yes, no, conditions.",
        ),
        (["--sort", "size"], "--sort knows no 'size'. There are catalog, name, family"),
        (
            ["--max-download", "lots"],
            "--max-download must look like 20GB or 500MB, not 'lots'.",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_filter_that_nothing_can_meet_names_what_there_is(cli, flags, message):
    result = cli("models", "list", *flags)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {message}")


def test_an_empty_list_says_so_and_is_no_failure(cli):
    result = cli("models", "list", "--cached", "--family", "mochi")
    assert (result.code, result.out) == (0, "")
    assert result.err == "no model is like that; leave out a filter\n"
    assert cli("models", "list", "--cached", "--family", "mochi", "--json").json() == []


def on_terminal(width: int, *arguments: str) -> list[str]:
    """What a terminal of so many columns shows."""
    leader, follower = pty.openpty()
    env = environment(COLUMNS=str(width), TERM="xterm")
    program = subprocess.Popen(
        [sys.executable, "-m", "t2v_cli", *arguments], stdout=follower, stderr=follower, env=env
    )
    os.close(follower)
    seen = b""
    with patience(program):
        try:
            while chunk := os.read(leader, 1 << 16):
                seen += chunk
        except OSError:  # the end of a terminal
            pass
        os.close(leader)
        assert program.wait() == 0
    return seen.decode().splitlines()


HEADINGS = {
    80: "name download native clip commercial here",
    120: "name params download native clip license commercial here fits",
    200: "name family params download native clip license commercial here fits maturity description",
}


@pytest.mark.parametrize("width", HEADINGS)
def test_a_terminal_shows_the_columns_that_it_has_room_for(own, width):
    heading, *lines = on_terminal(width, "models", "list")
    assert " ".join(heading.split()) == HEADINGS[width]
    assert len(lines) == len(t2v.Zoo.load())
    assert max(text_width(line) for line in [heading, *lines]) <= width


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_still_shows_the_names(own, width):
    _, *lines = on_terminal(width, "models", "list")
    assert lines[0].startswith("doodle-128")
    assert max(text_width(line) for line in lines) <= width


def test_a_page_is_wrapped_at_words_beside_its_labels():
    lines = on_terminal(80, "models", "show", "wan2.1-t2v-1.3b")
    assert max(map(len, lines)) <= 80
    assert {line[:14].strip() for line in lines[1:]} >= {"", "license", "memory", "run it"}


def test_a_pipe_gets_everything_unshortened(cli, own):
    heading, *lines = cli("models", "list").out.splitlines()
    assert " ".join(heading.split()) == HEADINGS[200]
    assert lines[-1].endswith("longer than any terminal is wide.")


def test_a_search_ranks_the_name_itself_first(cli):
    assert names(cli("models", "search", "wan2.1-t2v-14b", "-q"))[0] == "wan2.1-t2v-14b"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["doodle"], "doodle-128"),
        (["cogvidoex", "5b"], "cogvideox-5b"),
        (["zeroscop", "xl"], "zeroscope-v2-xl"),
        (["cartoon"], "doodle-128"),
    ],
    ids=" ".join,
)
def test_a_search_forgives_and_reads_descriptions(cli, words, expected):
    assert names(cli("models", "search", *words, "-q"))[0] == expected


@pytest.mark.parametrize("words", ["", "   "])
def test_a_search_for_nothing_is_a_mistake(cli, words):
    result = cli("models", "search", words)
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: There is no word to look for. All models: t2v models list.\n"


def defaults(cli) -> list[str]:
    """The models that the list marks, in a table and in JSON, which must agree."""
    lines = cli("models", "list").out.splitlines()
    marked = [line.split()[0] for line in lines if " (default) " in line]
    listed = cli("models", "list", "--json").json()
    assert marked == [model["name"] for model in listed if model["is_default"]]
    return marked


def test_the_default_is_marked(cli):
    assert defaults(cli) == ["doodle-128"]
    cli("models", "default", "mochi")
    assert defaults(cli) == ["mochi-1"]
    assert "default       used where no model is named" in cli("models", "show", "mochi").out


def test_a_default_outside_the_zoo_marks_no_model(cli, home: Path):
    (home / "config").mkdir()
    (home / "config/config.yaml").write_text("model: org/elsewhere\n")
    assert defaults(cli) == []


def test_all_words_have_to_fit(cli):
    for name in names(cli("models", "search", "wan", "14b", "-q")):
        assert "14b" in " ".join([name, *t2v.Zoo.load()[name].aliases]).lower()


def test_a_search_without_a_hit_names_the_nearest_and_exits_with_1(cli):
    result = cli("models", "search", "qqdoodleqq", "nothing")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("nothing found, nearest: doodle-128, ")


def test_a_search_as_json_has_scores_from_high_to_low(cli):
    scores = [model["score"] for model in cli("models", "search", "wan", "--json").json()]
    assert scores == sorted(scores, reverse=True)
    assert cli("models", "search", "qqqqqq", "--json").json() == []
