"""Cached files against the hashes of the Hub."""

from pathlib import Path

import pytest

from t2v.errors import WeightsMissingError
from t2v.zoo.hub import locate, pull
from t2v.zoo.listing import forget
from t2v.zoo.spec import ModelSpec
from t2v.zoo.verify import verify
from tests.zoo.hub_server import HubServer
from tests.zoo.making import write_json, write_weights

WEIGHTS = "vae/diffusion_pytorch_model.safetensors"


@pytest.fixture
def pulled(hub: HubServer, model: Path, spec: ModelSpec) -> Path:
    """The folder of a model that has just been fetched."""
    # Files of one content share their blob.
    write_weights(model / WEIGHTS, 7)
    hub.add("org/tiny", model)
    folder = pull(spec)
    hub.requests.clear()
    return folder


def flip(path: Path) -> None:
    """Change one byte of a cached file, its size being kept."""
    content = path.read_bytes()
    path.resolve().write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def said(spec: ModelSpec) -> list[str]:
    return [str(damage) for damage in verify(spec).damages]


def test_a_whole_model_is_verified_without_the_hub(hub: HubServer, pulled: Path, spec: ModelSpec):
    found = verify(spec)
    files = [path for path in pulled.rglob("*") if path.is_file()]
    assert (found.damages, found.sources) == ((), ("pull",))
    assert found.num_files == len(files) == 9
    assert found.num_bytes == sum(path.stat().st_size for path in files)
    assert hub.requests == []


def test_a_changed_byte_of_a_large_file_is_found(pulled: Path, spec: ModelSpec):
    flip(pulled / WEIGHTS)
    assert said(spec) == [f"org/tiny: {WEIGHTS} has the wrong hash"]


def test_a_changed_byte_of_a_small_file_is_found(pulled: Path, spec: ModelSpec):
    flip(pulled / "vae/config.json")
    assert said(spec) == ["org/tiny: vae/config.json has the wrong hash"]


def test_a_file_that_was_cut_off_is_found(pulled: Path, spec: ModelSpec):
    (pulled / WEIGHTS).resolve().write_bytes(b"")
    assert said(spec) == [f"org/tiny: {WEIGHTS} has the wrong size"]


def test_a_file_that_went_away_is_found(pulled: Path, spec: ModelSpec):
    (pulled / WEIGHTS).unlink()
    assert said(spec) == [f"org/tiny: {WEIGHTS} is missing"]


def test_a_damaged_model_counts_as_missing_until_the_file_has_come_again(
    hub: HubServer, pulled: Path, model: Path, spec: ModelSpec
):
    flip(pulled / WEIGHTS)
    verify(spec)
    assert locate(spec) is None
    assert pull(spec) == pulled
    assert hub.fetched() == [WEIGHTS]
    assert (pulled / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()
    assert said(spec) == []
    assert locate(spec) == pulled


def test_a_file_that_was_put_right_by_hand_makes_the_model_whole(
    pulled: Path, model: Path, spec: ModelSpec
):
    flip(pulled / WEIGHTS)
    verify(spec)
    (pulled / WEIGHTS).resolve().write_bytes((model / WEIGHTS).read_bytes())
    verify(spec)
    assert locate(spec) == pulled


def test_what_another_program_fetched_is_compared_with_the_hub(
    hub: HubServer, pulled: Path, spec: ModelSpec
):
    forget("org/tiny")
    flip(pulled / WEIGHTS)
    found = verify(spec)
    assert found.sources == ("hub",)
    assert [damage.name for damage in found.damages] == [WEIGHTS]
    hub.requests.clear()
    assert verify(spec).sources == ("pull",)
    assert hub.requests == []


def test_without_the_hub_the_names_of_the_blobs_tell(hub: HubServer, pulled: Path, spec: ModelSpec):
    forget("org/tiny")
    hub.refused["org/tiny"] = (418, "Teapot")
    flip(pulled / WEIGHTS)
    found = verify(spec)
    assert found.sources == ("cache",)
    assert [damage.name for damage in found.damages] == [WEIGHTS]


def test_a_part_from_another_repository_is_verified_with_the_model(
    hub: HubServer, pulled: Path, spec: ModelSpec, tmp_path: Path
):
    write_json(tmp_path / "adapter/config.json", {"_class_name": "MotionAdapter"})
    write_weights(tmp_path / "adapter/diffusion_pytorch_model.safetensors", 5)
    hub.add("org/adapter", tmp_path / "adapter")
    both = ModelSpec.model_validate(
        {
            **spec.model_dump(mode="json", exclude_none=True),
            "parts": {"motion_adapter": {"repo": "org/adapter"}},
            "classes": {"motion_adapter": ["MotionAdapter"]},
        }
    )
    pull(both)
    adapter = pulled.parents[2] / f"models--org--adapter/snapshots/{pulled.name}"
    flip(adapter / "diffusion_pytorch_model.safetensors")
    assert said(both) == ["org/adapter: diffusion_pytorch_model.safetensors has the wrong hash"]
    assert locate(both) is None
    assert locate(spec) == pulled
    hub.requests.clear()
    pull(both)
    assert hub.fetched() == ["diffusion_pytorch_model.safetensors"]


def test_a_model_that_is_not_here_cannot_be_verified(spec: ModelSpec):
    with pytest.raises(WeightsMissingError, match="t2v models pull tiny"):
        verify(spec)


def test_progress_counts_the_bytes_that_were_read(pulled: Path, spec: ModelSpec):
    reports: list[tuple[str, int, int]] = []
    found = verify(spec, lambda *report: reports.append(report))
    assert reports[-1] == ("Verifying tiny", found.num_bytes, found.num_bytes)
