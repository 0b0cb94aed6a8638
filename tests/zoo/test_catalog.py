from collections.abc import Callable
from pathlib import Path

import pytest

from t2v import builtin
from t2v.errors import DocumentError, UnknownModelError
from t2v.zoo.catalog import Zoo, config_home
from t2v.zoo.preference import prefer_model

Catalog = Callable[[str], Zoo]

MINE = """
models:
  my-wan:
    family: wan
    repo: me/my-wan
    license: mit
    commercial: yes
    description: My own.
"""


def write_overlay(name: str, text: str) -> Path:
    path = config_home() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_catalog_that_ships_is_a_mapping_in_file_order(zoo: Zoo):
    assert list(zoo)[:2] == ["doodle-128", "wan2.1-t2v-1.3b"]
    assert len(zoo) >= 45
    assert zoo["cogvideox-5b"].family == "cogvideox"


def test_an_entry_inherits_from_its_family_and_says_what_differs(catalog: Catalog):
    zoo = catalog("""
families:
  wan:
    pipelines: [WanPipeline, OtherPipeline]
    frames: {multiple: 4, plus: 1, native: 81}
    sizes: {multiple: 16, native: [[832, 480]]}
    fps: 16
    components: {vae: {dtype: float32}, audio_vae: {dtype: float32}}
models:
  a:
    family: wan
    license: mit
    commercial: no
    frames: {native: 17}
    components: {vae: {params: 5, bytes: 10}}
""")
    spec = zoo["a"]
    assert spec.pipeline == "WanPipeline"
    assert (spec.frames.multiple, spec.frames.plus, spec.frames.native) == (4, 1, 17)
    assert spec.fps == "16"
    assert spec.commercial == "no"
    assert list(spec.components) == ["vae"]
    assert spec.components["vae"].dtype == "float32"


def test_a_bare_yes_is_no_boolean(catalog: Catalog):
    text = MINE.replace(
        "family: wan",
        "family: wan\n    pipeline: P\n    fps: 24000/1001\n"
        "    frames: {native: 4}\n    sizes: {native: [[8, 8]]}",
    )
    spec = catalog(text)["my-wan"]
    assert spec.commercial == "yes"
    assert spec.fps == "24000/1001"


def test_the_users_catalog_lies_on_top():
    write_overlay("models.yaml", MINE)
    zoo = Zoo.load()
    assert list(zoo)[-1] == "my-wan"
    assert zoo["my-wan"].frames.native == 81
    assert "my-wan" not in Zoo.load(overlays=False)


def test_files_of_models_d_come_after_it_in_the_order_of_their_names():
    write_overlay("models.yaml", MINE)
    write_overlay("models.d/b.yaml", MINE.replace("My own.", "From b."))
    write_overlay("models.d/a.yaml", MINE.replace("My own.", "From a."))
    assert Zoo.load()["my-wan"].description == "From b."


def test_an_entry_of_the_user_replaces_the_one_that_ships():
    write_overlay("models.yaml", MINE.replace("my-wan:", "wan2.1-t2v-1.3b:"))
    spec = Zoo.load()["wan2.1-t2v-1.3b"]
    assert spec.repo == "me/my-wan"
    assert spec.components == {}


def test_a_user_can_change_a_family():
    write_overlay("models.yaml", "families: {wan: {fps: 12}}")
    zoo = Zoo.load()
    assert zoo["wan2.1-t2v-1.3b"].fps == "12"
    assert zoo.families["wan"].pipelines == ("WanPipeline",)


def test_an_empty_overlay_changes_nothing():
    write_overlay("models.yaml", "# nothing yet\n")
    assert list(Zoo.load()) == list(Zoo.load(overlays=False))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frames: {nativ: 81}", "6:14: models.my-wan.frames.nativ: unknown key."),
        ("licence: mit", "6:5: models.my-wan.licence: unknown key; did you mean 'license'?"),
        ("fps: fast", "6:5: models.my-wan.fps: String should match pattern"),
        ("revision: main", "6:5: models.my-wan.revision: String should match pattern"),
        (
            "frames: {native: -1}",
            "6:14: models.my-wan.frames.native: Input should be greater than 0, and not -1.",
        ),
        ("frames: {native: .inf}", "6:14: models.my-wan.frames.native: Input should be"),
        ("sizes: {native: [[832]]}", "6:22: models.my-wan.sizes.native[0][1]: is missing."),
    ],
)
def test_a_wrong_value_is_an_error_with_place_and_key_path(line: str, message: str):
    path = write_overlay("models.yaml", MINE.replace("    license", f"    {line}\n    license"))
    with pytest.raises(DocumentError) as error:
        Zoo.load()
    assert str(error.value).startswith(f"{path}:{message}")


def test_every_fault_of_an_entry_is_said_at_once():
    path = write_overlay("models.yaml", "models:\n  a:\n    family: wan\n    fsp: 5\n")
    with pytest.raises(DocumentError) as error:
        Zoo.load()
    assert str(error.value).splitlines() == [
        f"{path}:2:3: models.a.license: is missing.",
        f"{path}:2:3: models.a.commercial: is missing.",
        f"{path}:4:5: models.a.fsp: unknown key; did you mean 'fps'?",
    ]


def test_a_fault_of_a_family_is_placed_where_the_family_is():
    text = "families:\n  wan:\n    fps: -5\n"
    path = write_overlay("models.yaml", text)
    with pytest.raises(DocumentError, match=f"{path}:3:5: families.wan.fps"):
        Zoo.load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "models.yaml:1:1: must be a mapping"),
        ("models: [a]", "models.yaml:1:1: models: must be a mapping"),
        ("models: {a: 5}", "models.yaml:1:10: models.a: must be a mapping"),
        (
            "modells: {}",
            "models.yaml:1:1: modells: unknown; a catalog has default, families, models.",
        ),
        (
            "families: {wan: {pipelines: Wan}}",
            "families.wan.pipelines: must be a list of class names.",
        ),
        ("families: {wan: {pps: 5}}", "families.wan.pps: unknown key; did you mean 'fps'?"),
    ],
)
def test_a_catalog_of_the_wrong_shape_is_refused(catalog: Catalog, text: str, message: str):
    with pytest.raises(DocumentError) as error:
        catalog(text)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["wan2.1-t2v-1.3b", "wan2.1", "Wan2.1-T2V-1.3B", " wan-1.3b "])
def test_names_and_aliases_find_an_entry_in_any_case(zoo: Zoo, name: str):
    assert zoo.find(name).name == "wan2.1-t2v-1.3b"


def test_the_repository_of_an_entry_finds_the_entry(zoo: Zoo):
    assert zoo.find("Wan-AI/Wan2.1-T2V-1.3B-Diffusers").name == "wan2.1-t2v-1.3b"


def test_a_commit_after_the_repository_pins_the_entry(zoo: Zoo):
    spec = zoo.find(f"Wan-AI/Wan2.1-T2V-1.3B-Diffusers@{'b' * 40}")
    assert (spec.name, spec.revision) == ("wan2.1-t2v-1.3b", "b" * 40)


def test_a_folder_is_described_by_its_files(zoo: Zoo, model: Path):
    assert zoo.find(str(model)).folder == str(model)


def test_the_folder_of_the_embedded_model_is_its_entry(zoo: Zoo):
    assert zoo.find(str(builtin.folder())).name == "doodle-128"


def test_a_zoo_name_wins_over_a_folder_of_that_name(
    zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "doodle").mkdir()
    monkeypatch.chdir(tmp_path)
    assert zoo.find("doodle").builtin == "doodle-128"


def test_an_unknown_name_gets_the_nearest_ones(zoo: Zoo):
    with pytest.raises(UnknownModelError) as error:
        zoo.find("cogvideo-5b")
    assert str(error.value).startswith(
        "No model 'cogvideo-5b' in the zoo. Did you mean 'cogvideox-5b'"
    )
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "!!",
        "zzz",
        "a/b/c",
        "./gone/x",
        "~/gone",
        "a@b",
        pytest.param("x" * 10_000, id="long"),
        "a\0b",
        "-m",
    ],
)
def test_what_is_nothing_at_all_is_an_unknown_model(zoo: Zoo, name: str):
    with pytest.raises(UnknownModelError, match=r"No model .* in the zoo") as error:
        zoo.find(name)
    assert len(str(error.value)) < 200


def test_without_a_choice_the_embedded_model_is_the_default(zoo: Zoo):
    assert zoo.default() == "doodle-128"


def test_the_users_choice_is_the_default(zoo: Zoo):
    prefer_model("wan2.1-t2v-1.3b")
    assert zoo.default() == "wan2.1-t2v-1.3b"
