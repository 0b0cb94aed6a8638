from pathlib import Path

import pytest
import yaml

from t2v.errors import DiskError, DocumentError
from t2v.zoo import building
from t2v.zoo.documents import parse_yaml, read_yaml
from t2v.zoo.files import read_json


@pytest.fixture(params=["C", "Python"], autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML behave alike, for machines whose PyYAML has no C part."""
    if request.param == "Python":
        monkeypatch.setattr(building, "_LOADER", yaml.SafeLoader)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0x1F", "0x1F"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-3", -3),
        ("+4", 4),
        (".5", 0.5),
        ("5.", 5.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("-.inf", float("-inf")),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object):
    found = parse_yaml(f"key: {text}").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_a_commit_hash_of_digits_alone_stays_a_string():
    assert parse_yaml("revision: " + "1" * 40).data == {"revision": "1" * 40}


def test_lists_and_mappings_nest():
    assert parse_yaml("a: [1, {b: c}]\nd:\n  - e\n").data == {"a": [1, {"b": "c"}], "d": ["e"]}


def test_an_empty_file_is_null():
    assert parse_yaml("").data is None
    assert parse_yaml("# only a comment\n").data is None


def test_a_document_knows_where_its_keys_stand():
    document = parse_yaml("models:\n  one:\n    frames: {native: 81}\n", "my.yaml")
    assert document.where(("models", "one", "frames", "native")) == "my.yaml:3:14"
    assert document.where(()) == "my.yaml:1:1"


def test_a_missing_key_is_placed_at_the_nearest_one_around_it():
    document = parse_yaml("models:\n  one:\n    fps: 16\n", "my.yaml")
    assert document.where(("models", "one", "license")) == "my.yaml:2:3"


def test_list_items_have_places_too():
    document = parse_yaml("sizes:\n  - 1\n  - 2\n", "my.yaml")
    assert document.where(("sizes", 1)) == "my.yaml:3:5"


def test_an_error_names_place_key_path_and_reason():
    document = parse_yaml("models:\n  one: 5\n", "my.yaml")
    error = document.error(("models", "one"), "must be a mapping.")
    assert str(error) == "my.yaml:2:3: models.one: must be a mapping."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\nb: 2", "<text>:1:4: anchors and aliases (& and *) are not allowed; repeat it."),
        ("a: *x", "<text>:1:4: anchors and aliases (& and *) are not allowed; repeat it."),
        ("a: 1\na: 2", "<text>:2:1: 'a' is there already, at 1:1."),
        ("- 1\n---\n- 2", "<text>:2:1: a second document; one file holds one."),
        ("? [a]\n: b", "<text>:1:3: a key must be a plain word."),
        (
            "!!python/object/apply:os.system [ls]",
            "<text>:1:1: tags are not allowed, and here is "
            "'tag:yaml.org,2002:python/object/apply:os.system'.",
        ),
        ("[" * 500, "<text>:1:22: nested deeper than 20 levels."),
        ("{a: " * 30, "<text>:1:85: nested deeper than 20 levels."),
    ],
)
def test_refused_with_its_place(text: str, message: str):
    with pytest.raises(DocumentError) as error:
        parse_yaml(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "text", ["a: [1", "\t- a", "a: b: c", "a: 'x", "%YAML 9\n---\n", "a: \x00", "\ud800"]
)
def test_what_is_no_yaml_is_an_error_with_a_place(text: str):
    with pytest.raises(DocumentError, match=r"^<text>:\d+:\d+: not YAML: "):
        parse_yaml(text)


def test_an_alias_bomb_never_unfolds():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    with pytest.raises(DocumentError, match=r"^<text>:1:4: anchors and aliases"):
        parse_yaml(bomb)


def test_a_cyclic_anchor_is_refused():
    with pytest.raises(DocumentError, match="anchors and aliases"):
        parse_yaml("a: &a [*a]")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfkey: 1\n")
    assert read_yaml(path).data == {"key": 1}


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n" * 10)
    with pytest.raises(DocumentError, match=r"a.yaml:1:1: larger than 20 bytes; split it\."):
        read_yaml(path, max_bytes=20)


def test_bytes_that_are_no_utf8_have_a_place(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(DocumentError, match=r"a.yaml:2:4: not UTF-8 text\."):
        read_yaml(path)


def test_a_missing_file_is_a_disk_error(tmp_path: Path):
    with pytest.raises(DiskError, match=r"Cannot read .*gone.yaml: No such file"):
        read_yaml(tmp_path / "gone.yaml")


def test_a_folder_is_a_disk_error(tmp_path: Path):
    with pytest.raises(DiskError, match="Cannot read"):
        read_yaml(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n  'a': 1}", r"a.json:2:3: Expecting property name"),
        ("[" * 100_000, r"a.json:1:1: not a sane JSON file"),
        ("[" + "1" * 5000 + "]", r"a.json:1:1: not a sane JSON file"),
    ],
)
def test_broken_json_is_an_error_with_a_place(tmp_path: Path, text: str, message: str):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DocumentError, match=message):
        read_json(path)
