"""Entries drafted from a model's own files."""

from pathlib import Path
from typing import Any

import pytest

from t2v.errors import ModelError, OutputExistsError, RequestError, WeightsMissingError
from t2v.zoo.catalog import Zoo, catalog_documents
from t2v.zoo.check import check
from t2v.zoo.documents import parse_yaml
from t2v.zoo.drafts import Said, draft, save
from t2v.zoo.hub import pull
from t2v.zoo.places import overlay_folder
from tests.zoo.hub_server import COMMIT, HubServer
from tests.zoo.making import write_json, write_weights


@pytest.fixture
def folder(model: Path) -> Path:
    """A Wan folder whose weights are large enough to be taken for some."""
    for part in ("vae", "transformer"):
        write_weights(model / part / "diffusion_pytorch_model.safetensors", 1000)
    write_weights(model / "text_encoder/model.safetensors", 1000)
    return model


def entry(text: str) -> dict[str, Any]:
    (one,) = parse_yaml(text).data["models"].values()
    return one


def test_a_draft_says_only_what_the_family_does_not(folder: Path, zoo: Zoo):
    made = draft(str(folder), zoo, Said(license="mit", description="Mine."))
    assert made.name == "tiny-wan"
    assert made.path == overlay_folder() / "tiny-wan.yaml"
    assert set(entry(made.text)) == {
        *("family", "folder", "description", "license", "commercial", "components", "sources"),
    }
    assert [line.partition(":")[0] for line in made.fill_in] == ["defaults"]


def test_the_lint_finds_nothing_wrong_with_a_draft(folder: Path, zoo: Zoo):
    made = draft(str(folder), zoo, Said(license="mit", description="Mine."))
    assert check([parse_yaml(made.text, "x.yaml")], base=catalog_documents()) == []


def test_a_drafted_model_is_what_its_folder_is_without_an_entry(folder: Path, zoo: Zoo):
    save(draft(str(folder), zoo, Said(name="mine")))
    named, plain = Zoo.load()["mine"], zoo.find(str(folder))
    for key in ("family", "pipeline", "frames", "sizes", "latents", "fps", "components", "folder"):
        assert getattr(named, key) == getattr(plain, key), key


def test_what_the_files_say_otherwise_than_the_family_is_in_the_draft(folder: Path, zoo: Zoo):
    config = {"_class_name": "WanTransformer3DModel", "patch_size": [1, 2, 2]}
    write_json(folder / "transformer/config.json", {**config, "rope_max_seq_len": 64})
    made = entry(draft(str(folder), zoo).text)
    assert made["frames"] == {"max": 253}
    assert made["sources"]["frames"] == "read from the configuration files by t2v models add"


def test_a_relative_folder_is_written_whole(
    folder: Path, zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder.parent)
    assert entry(draft("tiny-wan", zoo).text)["folder"] == str(folder)


@pytest.mark.parametrize(
    ("license", "said", "commercial"),
    [
        ("apache-2.0", "apache-2.0", "yes"),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", "no"),
        ("openrail", "openrail", "conditions"),
        ("other", "unverified", "conditions"),
    ],
)
def test_the_license_comes_from_the_card(folder: Path, zoo: Zoo, license, said, commercial):
    (folder / "README.md").write_text(f"---\ntags: [video]\nlicense: {license}\n---\n# Tiny\n")
    made = entry(draft(str(folder), zoo).text)
    assert (made["license"], made["commercial"]) == (said, commercial)


def test_what_the_user_says_goes_before_the_card(folder: Path, zoo: Zoo):
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    made = entry(draft(str(folder), zoo, Said(license="own", commercial="no")).text)
    assert (made["license"], made["commercial"]) == ("own", "no")


def test_a_repository_is_pinned_to_its_commit(hub: HubServer, folder: Path, zoo: Zoo):
    hub.add("org/tiny", folder)
    hub.tags = ["license:mit", "video"]
    made = entry(draft("org/tiny", zoo).text)
    assert (made["repo"], made["revision"], made["license"]) == ("org/tiny", COMMIT, "mit")
    assert not [name for name in hub.fetched() if name.endswith(".safetensors")]


def test_a_drafted_repository_can_be_pulled_by_its_name(hub: HubServer, folder: Path, zoo: Zoo):
    hub.add("org/tiny", folder)
    save(draft("org/tiny", zoo))
    assert pull(Zoo.load()["tiny"]).name == COMMIT


def test_a_commit_of_digits_stays_a_text(hub: HubServer, folder: Path, zoo: Zoo):
    hub.add("org/tiny", folder, commit="1" * 40)
    assert entry(draft("org/tiny", zoo).text)["revision"] == "1" * 40


def test_without_the_hub_a_repository_cannot_be_drafted(hub: HubServer, zoo: Zoo, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(WeightsMissingError, match="the Hub cannot be reached"):
        draft("org/tiny", zoo)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("My Model_v2 (final)", "my-model-v2-final"),
        ("wan.2.1-tuned", "wan.2.1-tuned"),
        ("..Odd..", "odd"),
        ("Größe 5", "gr-e-5"),
    ],
)
def test_the_name_of_a_folder_becomes_one_of_the_zoo(folder: Path, zoo: Zoo, called, name):
    renamed = folder.rename(folder.parent / called)
    assert draft(str(renamed), zoo).name == name


def test_a_pipeline_without_a_family_keeps_the_classes_of_its_parts(folder: Path, zoo: Zoo):
    write_json(
        folder / "model_index.json",
        {"_class_name": "SomethingNewPipeline", "vae": ["diffusers", "AutoencoderKLWan"]},
    )
    made = entry(draft(str(folder), zoo, Said(name="new")).text)
    assert (made["family"], made["pipeline"]) == ("generic", "SomethingNewPipeline")
    assert made["classes"] == {"vae": ["AutoencoderKLWan"]}


def test_a_file_that_is_there_is_replaced_only_if_that_is_said(folder: Path, zoo: Zoo):
    made = draft(str(folder), zoo)
    save(made)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        save(made)
    assert save(made, overwrite=True) == made.path


def test_a_folder_that_lacks_a_part_is_refused(folder: Path, zoo: Zoo):
    (folder / "transformer/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelError, match="lacks files of transformer"):
        draft(str(folder), zoo)


def test_a_file_is_no_folder_and_no_repository(folder: Path, zoo: Zoo, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(RequestError, match="is a file"):
        draft(f"{folder.name}/model_index.json", zoo)


def test_a_repository_with_an_entry_is_named(zoo: Zoo):
    with pytest.raises(RequestError, match=r"is in the zoo as wan2\.1-t2v-1\.3b\. --name"):
        draft("wan-ai/wan2.1-t2v-1.3b-diffusers", zoo)
