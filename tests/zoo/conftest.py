"""A model of a few hundred bytes, catalogs from a string, and a Hub that answers on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from t2v.zoo.catalog import Zoo
from t2v.zoo.documents import parse_yaml
from t2v.zoo.spec import ModelSpec
from tests.zoo.hub_server import HubServer, serve
from tests.zoo.making import save_model


@pytest.fixture(scope="session")
def zoo() -> Zoo:
    """The catalog that ships with t2v, without overlays."""
    return Zoo.load(overlays=False)


@pytest.fixture
def catalog() -> Callable[[str], Zoo]:
    """Make a zoo from the text of a catalog."""
    return lambda text: Zoo.of([parse_yaml(text, "models.yaml")])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A Wan model as `save_pretrained` writes it, with weights of two numbers."""
    return save_model(tmp_path / "tiny-wan")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub on loopback, which huggingface_hub is told to use."""
    server = HubServer()
    thread = serve(server)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        server.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    yield server
    thread.shutdown()
    thread.server_close()


@pytest.fixture
def spec(catalog: Callable[[str], Zoo]) -> ModelSpec:
    """An entry whose commit is not pinned."""
    zoo = catalog("""
models:
  tiny:
    family: wan
    pipeline: WanPipeline
    repo: org/tiny
    license: mit
    commercial: yes
    frames: {multiple: 4, plus: 1, native: 81}
    sizes: {multiple: 16, native: [[832, 480]]}
    fps: 16
""")
    return zoo["tiny"]
