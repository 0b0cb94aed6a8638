"""The pages say what the code does."""

import re

import pytest
import yaml

import t2v
from t2v.media.codecs import CODECS, CONTAINERS
from t2v.media.names import KEYS
from t2v.plan.config import read_config
from t2v.plan.story import read_story
from tests.docs.reading import DOCUMENTS, FOLDER, PAGES, ROOT, blocks, links


def page(name: str) -> str:
    return (ROOT / "docs" / "pages" / f"{name}.md").read_text("utf-8")


def row(text: str, first: str) -> list[str]:
    """The cells of the table row that begins with a cell."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for link in links(document):
        assert (document.parent / link.partition("#")[0]).exists(), link


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "docs" / "zensical.toml").read_text("utf-8")

    listed = re.findall(r'"([\w/-]+\.md)"', navigation)
    assert sorted(listed) == sorted(path.relative_to(FOLDER).as_posix() for path in PAGES)


@pytest.mark.parametrize("name", sorted(set(t2v.__all__) - {"__version__"}))
def test_public_name_is_in_the_reference(name):
    assert re.search(rf"^::: t2v\.{name}$", page("python-api"), re.MULTILINE)


@pytest.mark.parametrize("name", t2v.errors.__all__)
def test_error_is_listed_with_its_exit_code(name):
    assert row(page("errors"), f"`{name}`")[1] == str(getattr(t2v.errors, name).exit_code)


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_codec_is_listed_as_it_is_driven(codec):
    _, encoder, pixels, quality = row(page("outputs"), codec.name)
    crf = "" if codec.crf is None else f"{codec.crf} (0 to {codec.max_crf})"

    assert (pixels, quality) == (codec.pix_fmt, crf)
    assert codec.encoder in encoder or codec.name in ("gif", "png")


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_container_is_listed_with_its_codecs(suffix):
    listed = row(page("outputs"), f"`{suffix}`")[1].replace(" (animated)", "")

    assert tuple(listed.split(", ")) == CONTAINERS[suffix].codecs


def test_every_key_of_a_name_is_listed():
    assert [key for key in KEYS if f"{{{key}}}" not in page("outputs")] == []


def test_every_option_is_listed_with_the_configuration():
    assert [k for k in t2v.Options.model_fields if f"`{k}`" not in page("configuration")] == []


def test_every_model_of_the_zoo_is_listed():
    listed = re.findall(r"^\| `([a-z0-9.-]+)` \|", page("zoo").split("## What")[0], re.MULTILINE)

    assert sorted(listed) == sorted(t2v.Zoo.load(overlays=False))


def test_every_family_has_a_page():
    families = {spec.family for spec in t2v.Zoo.load(overlays=False).values()}
    pages = [path.stem for path in PAGES if path.parent.name == "families"]

    # Kin such as helios_pyramid are on the page of helios.
    assert {f for f in families if not any(f"{f}_".startswith(f"{p}_") for p in pages)} == set()


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_valid(block, tmp_path):
    name = block.text.splitlines()[0].rpartition("/")[2].removeprefix("# ")
    file = tmp_path / "example.yaml"
    file.write_text(block.text, "utf-8")
    match name:
        case "models.yaml":
            problems = t2v.check_models([file])
            assert [p.message for p in problems if "no family" not in p.message] == []
        case "config.yaml" | "t2v.yaml":
            assert read_config(file).options.said()
        case _ if block.document.name == "long-video.md":
            assert read_story(file)
        case _ if block.document.name == "prompt-files.md":
            assert yaml.safe_load(block.text)  # tests/batch holds that page to what it says
        case _ if block.document.name == "ray.md":
            assert yaml.safe_load(block.text)  # a file of SkyPilot's
        case _:
            assert yaml.safe_load(block.text)
            assert block.text in (ROOT / "models.yaml").read_text("utf-8")
