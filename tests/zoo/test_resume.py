"""Downloads that break off, are killed, or arrive damaged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from t2v.errors import (
    ModelError,
    WeightsMissingError,
)
from t2v.zoo.hub import locate, pull
from t2v.zoo.places import hub_cache
from t2v.zoo.spec import ModelSpec
from tests.patience import PATIENCE_S, wait_for
from tests.zoo.hub_server import HubServer, sha256
from tests.zoo.making import write_weights
from tests.zoo.programs import FIND

WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
SIZE = 400_000
"""Bytes of numbers in the file that is interrupted."""


@pytest.fixture
def large(hub: HubServer, model: Path) -> Path:
    """The repository with a VAE that takes a moment, and the file of its weights."""
    write_weights(model / WEIGHTS, SIZE // 4)
    hub.add("org/tiny", model)
    return model / WEIGHTS


def begun() -> list[Path]:
    return list(hub_cache().rglob("*.t2v-part"))


def test_a_broken_download_goes_on_where_it_stopped(hub: HubServer, large: Path, spec: ModelSpec):
    hub.break_once_after = 150_000
    folder = pull(spec)
    assert (folder / WEIGHTS).read_bytes() == large.read_bytes()
    assert hub.resumed() == ["bytes=150000-"]


def test_a_killed_download_goes_on_where_it_stopped_in_another_process(
    hub: HubServer, large: Path, spec: ModelSpec
):
    hub.stall_after = 150_000
    code = FIND.replace('Zoo.load().find("org/tiny")', f"ModelSpec(**{spec.model_dump()!r})")
    environment = os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url}
    pulling = subprocess.Popen([sys.executable, "-c", code], env=environment)
    wait_for(lambda: [part.stat().st_size > 100_000 for part in begun()] == [True])
    pulling.kill()
    pulling.wait(PATIENCE_S)
    hub.stall_after = None
    (part,) = begun()
    size = part.stat().st_size
    assert locate(spec) is None
    hub.requests.clear()
    folder = pull(spec)
    assert hub.resumed() == [f"bytes={size}-"]
    assert hub.fetched() == [WEIGHTS]
    assert (folder / WEIGHTS).read_bytes() == large.read_bytes()
    assert begun() == []


@pytest.fixture
def _reports_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("t2v.zoo.progress._SECONDS_BETWEEN_REPORTS", 0)


def stopped(hub: HubServer, spec: ModelSpec) -> None:
    """Pull until some of the file is here, then stop."""
    hub.stall_after = 150_000

    def stop(message: str, done: int, total: int) -> None:
        if any(part.stat().st_size > 100_000 for part in begun()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(spec, progress=stop)
    hub.stall_after = None


@pytest.mark.usefixtures("_reports_at_once")
def test_a_stop_keeps_what_has_come(hub: HubServer, large: Path, spec: ModelSpec):
    stopped(hub, spec)
    hub.requests.clear()
    pull(spec)
    assert hub.resumed()
    assert (locate(spec) / WEIGHTS).read_bytes() == large.read_bytes()


def test_a_mirror_that_sends_whole_files_only_is_met(hub: HubServer, large: Path, spec: ModelSpec):
    hub.break_once_after = 150_000
    hub.ignores_ranges = True
    folder = pull(spec)
    assert (folder / WEIGHTS).read_bytes() == large.read_bytes()
    assert hub.fetched().count(WEIGHTS) == 2


def test_what_arrives_damaged_is_thrown_away(hub: HubServer, large: Path, spec: ModelSpec):
    hub.damaged[WEIGHTS] = large.read_bytes()[:-1] + b"x"
    with pytest.raises(ModelError) as caught:
        pull(spec)
    assert str(caught.value) == (
        f"org/tiny: {WEIGHTS} arrived damaged and was thrown away. Fetch it again: "
        "t2v models pull org/tiny"
    )
    assert begun() == []
    assert locate(spec) is None
    hub.damaged.clear()
    assert pull(spec) == locate(spec)


def test_what_is_longer_than_the_file_is_dropped(hub: HubServer, large: Path, spec: ModelSpec):
    blobs = hub_cache() / "models--org--tiny/blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{sha256(large.read_bytes())}.t2v-part").write_bytes(bytes(SIZE * 2))
    folder = pull(spec)
    assert hub.resumed() == []
    assert (folder / WEIGHTS).read_bytes() == large.read_bytes()


def test_a_busy_hub_is_asked_again(hub: HubServer, large: Path, spec: ModelSpec):
    hub.busy = 1
    folder = pull(spec)
    assert (folder / WEIGHTS).read_bytes() == large.read_bytes()


@pytest.mark.usefixtures("_reports_at_once")
def test_bytes_of_an_earlier_try_need_no_room_again(
    hub: HubServer, large: Path, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
):
    stopped(hub, spec)
    part = max(begun(), key=lambda part: part.stat().st_size)
    usage = shutil.disk_usage(hub_cache())
    free = 200_000_000 + large.stat().st_size - part.stat().st_size + 2000
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=free))
    assert pull(spec) == locate(spec)


def test_a_hub_that_goes_away_in_the_middle_is_told_with_the_next_step(
    hub: HubServer, large: Path, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("t2v.zoo.transfer._PAUSE_S", 0)
    hub.busy = 1000
    with pytest.raises(WeightsMissingError, match=r"The Hub answered 503 for org/tiny\. Try again"):
        pull(spec)


def test_huggingface_hub_fetches_it_all_for_those_who_want_its_own_speed(
    hub: HubServer, large: Path, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_XET_HIGH_PERFORMANCE", "1")
    hub.break_once_after = 150_000
    folder = pull(spec)
    assert (folder / WEIGHTS).read_bytes() == large.read_bytes()
    assert begun() == []


def test_what_a_killed_download_left_is_swept_up_when_it_is_old(
    hub: HubServer, model: Path, spec: ModelSpec
):
    hub.add("org/tiny", model)
    blobs = hub_cache() / "models--org--tiny/blobs"
    blobs.mkdir(parents=True)
    (blobs / "a.1.incomplete").write_text("dead")
    (blobs / "b.2.incomplete").write_text("alive")
    os.utime(blobs / "a.1.incomplete", (0, 0))
    pull(spec)
    assert [path.name for path in blobs.glob("*.incomplete")] == ["b.2.incomplete"]
