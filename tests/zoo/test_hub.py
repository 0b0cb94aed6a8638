"""Pulls from a Hub on loopback: what is asked for, what is kept, and what goes wrong."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub import errors as hub_errors

from t2v.errors import (
    DiskError,
    GatedModelError,
    ModelError,
    T2VError,
    UnknownModelError,
    UnsafeModelError,
    WeightsMissingError,
)
from t2v.text import redacted
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate, pull, resolve_revision, revision_of
from t2v.zoo.hub_errors import explained
from t2v.zoo.places import hub_cache
from t2v.zoo.revisions import lock_revision, locked_revision
from t2v.zoo.spec import ModelSpec
from tests.zoo.hub_server import COMMIT, HubServer
from tests.zoo.making import write_json, write_weights

WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
TOKEN = "hf_" + "canaryCANARY1234" * 2


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


def test_a_pull_makes_the_model_whole_and_locks_its_commit(
    hub: HubServer, model: Path, spec: ModelSpec
):
    hub.add("org/tiny", model)
    folder = pull(spec)
    assert folder == locate(spec)
    assert folder.name == COMMIT
    assert locked_revision("org/tiny") == COMMIT
    assert (folder / "vae/config.json").read_text() == (model / "vae/config.json").read_text()


def test_a_second_pull_asks_nobody(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    pull(spec)
    hub.requests.clear()
    pull(spec)
    assert hub.requests == []


def test_only_files_that_a_load_reads_are_fetched(hub: HubServer, model: Path, spec: ModelSpec):
    (model / "README.md").write_text("words")
    (model / "demo.mp4").write_bytes(b"x")
    (model / "single_file.safetensors").write_bytes(b"x")
    (model / "vae/diffusion_pytorch_model.bin").write_bytes(b"pickle")
    (model / "vae/model.onnx").write_bytes(b"x")
    write_weights(model / "vae/diffusion_pytorch_model.fp16.safetensors", 3)
    (model / "pipeline.py").write_text("code")
    hub.add("org/tiny", model)
    pull(spec)
    assert {name for name in hub.fetched() if not name.endswith(".json")} <= {
        "text_encoder/model.safetensors",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    }


def test_a_variant_is_preferred_where_the_entry_has_one(
    hub: HubServer, model: Path, spec: ModelSpec
):
    write_weights(model / "vae/diffusion_pytorch_model.fp16.safetensors", 3)
    hub.add("org/tiny", model)
    folder = pull(spec.model_copy(update={"variant": "fp16"}))
    assert [p.name for p in (folder / "vae").glob("*.safetensors")] == [
        "diffusion_pytorch_model.fp16.safetensors"
    ]


def test_progress_ends_at_the_whole(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    said: list[tuple[str, int, int]] = []
    pull(spec, progress=lambda *report: said.append(report))
    assert said[0] == ("Looking for org/tiny on the Hub", 0, 0)
    message, done, total = said[-1]
    assert message == "Downloaded org/tiny"
    assert done == total > 0


def test_a_locked_commit_is_the_one_that_is_fetched(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model, commit="b" * 40)
    lock_revision("org/tiny", "c" * 40)
    with pytest.raises(UnknownModelError, match=f"org/tiny has no revision '{'c' * 40}'"):
        pull(spec)


def test_a_pinned_commit_is_not_locked_a_second_time(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    pull(spec.model_copy(update={"revision": COMMIT}))
    assert locked_revision("org/tiny") is None


def test_a_broken_download_goes_on_where_it_stopped(
    hub: HubServer, model: Path, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
):
    write_weights(model / WEIGHTS, 100_000)
    hub.add("org/tiny", model)
    hub.break_once_after = 150_000
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)
    folder = pull(spec)
    assert (folder / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()
    assert hub.resumed() == ["bytes=150000-"]


def test_a_killed_download_leaves_no_half_file_and_keeps_the_whole_ones(
    hub: HubServer, model: Path, spec: ModelSpec
):
    write_weights(model / WEIGHTS, 100_000)
    write_weights(model / "transformer/diffusion_pytorch_model.safetensors", 3)
    hub.add("org/tiny", model)
    hub.stall_after = 150_000
    code = FIND.replace('Zoo.load().find("org/tiny")', f"ModelSpec(**{spec.model_dump()!r})")
    environment = os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url}
    pulling = subprocess.Popen([sys.executable, "-c", code], env=environment)
    wait_for(lambda: len(list(hub_cache().rglob("*.json"))) >= 6 and WEIGHTS in hub.fetched())
    time.sleep(0.3)
    pulling.kill()
    pulling.wait()
    hub.stall_after = None
    assert locate(spec) is None
    assert not list(hub_cache().rglob("vae/*.safetensors"))
    hub.requests.clear()
    assert pull(spec) == locate(spec)
    assert WEIGHTS in hub.fetched()
    assert "transformer/diffusion_pytorch_model.safetensors" not in hub.fetched()


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


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_repository_without_an_entry_is_described_by_its_small_files(
    hub: HubServer, model: Path, zoo: Zoo
):
    hub.add("org/tiny", model)
    spec = zoo.find("org/tiny")
    assert (spec.name, spec.family, spec.revision) == ("org/tiny", "wan", COMMIT)
    assert not [name for name in hub.fetched() if name.endswith(".safetensors")]
    assert locate(spec) is None
    assert locate(spec.model_copy()) is None
    assert pull(spec) == locate(spec)


def test_once_described_it_is_found_without_the_hub(hub: HubServer, model: Path, zoo: Zoo):
    hub.add("org/tiny", model)
    first = zoo.find("org/tiny")
    hub.requests.clear()
    assert zoo.find("org/tiny") == first
    assert hub.requests == []


def test_a_branch_is_resolved_once(hub: HubServer, model: Path, zoo: Zoo):
    hub.add("org/tiny", model)
    assert zoo.find("org/tiny@main").revision == COMMIT
    hub.add("org/tiny", model, commit="b" * 40)
    assert zoo.find("org/tiny@main").revision == COMMIT
    assert locked_revision("org/tiny", "main") == COMMIT


def test_a_full_hash_needs_no_resolving():
    assert resolve_revision("org/tiny", "f" * 40) == "f" * 40


def test_the_cached_commit_becomes_the_locked_one(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    assert revision_of(spec) is None
    resolve_revision("org/tiny")
    assert revision_of(spec) == COMMIT


@pytest.mark.parametrize(
    ("refusal", "error", "next_step"),
    [
        ((403, "GatedRepo"), GatedModelError, "hf auth login"),
        ((401, "GatedRepo"), GatedModelError, "https://huggingface.co/org/tiny"),
        ((401, "RepoNotFound"), UnknownModelError, "Check the spelling"),
        ((404, "RepoNotFound"), UnknownModelError, "hf auth login"),
        ((404, "Other"), UnknownModelError, "no such file or repository: org/tiny"),
        ((403, "Other"), GatedModelError, "accept its licence"),
        ((418, "Teapot"), WeightsMissingError, "The Hub answered 418 for org/tiny. Try again"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: HubServer, model: Path, spec: ModelSpec, refusal, error, next_step
):
    hub.add("org/tiny", model)
    hub.refused["org/tiny"] = refusal
    with pytest.raises(error) as caught:
        pull(spec)
    assert next_step in str(caught.value)


def test_an_unknown_repository_is_an_unknown_model(hub: HubServer, zoo: Zoo):
    with pytest.raises(UnknownModelError, match="The Hub has no repository org/nothing"):
        zoo.find("org/nothing")


def test_a_repository_that_is_not_diffusers_says_so(hub: HubServer, tmp_path: Path, zoo: Zoo):
    write_json(tmp_path / "repo/config.json", {})
    hub.add("org/raw", tmp_path / "repo")
    with pytest.raises(ModelError, match=r"no diffusers repository.*-Diffusers"):
        zoo.find("org/raw")


def test_an_entry_whose_repository_is_not_diffusers_says_so(
    hub: HubServer, tmp_path: Path, spec: ModelSpec
):
    write_json(tmp_path / "repo/config.json", {})
    hub.add("org/tiny", tmp_path / "repo")
    with pytest.raises(ModelError, match="org/tiny is no diffusers repository"):
        pull(spec)


def test_a_hub_that_names_no_commit_is_not_trusted(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model, commit="main")
    with pytest.raises(ModelError, match="The Hub named no commit for org/tiny"):
        pull(spec)


def test_a_repository_that_lacks_weights_is_not_fetched(
    hub: HubServer, model: Path, spec: ModelSpec
):
    (model / "vae/diffusion_pytorch_model.safetensors").unlink()
    hub.add("org/tiny", model)
    with pytest.raises(ModelError, match="org/tiny lacks files of vae"):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]


def test_pickles_are_refused_before_they_are_fetched(hub: HubServer, model: Path, spec: ModelSpec):
    weights = model / "vae/diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    hub.add("org/tiny", model)
    with pytest.raises(UnsafeModelError, match="--allow-pickle"):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]
    assert pull(spec, allow_pickle=True) == locate(spec)


def test_other_classes_are_refused_before_weights_are_fetched(
    hub: HubServer, model: Path, spec: ModelSpec
):
    write_json(model / "model_index.json", {"_class_name": ["evil", "WanPipeline"]})
    hub.add("org/tiny", model)
    with pytest.raises(UnsafeModelError, match="expected 'WanPipeline'"):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]


def test_a_full_disk_is_noticed_before_the_download(hub: HubServer, model: Path, spec: ModelSpec):
    hub.add("org/tiny", model)
    hub.claimed_sizes["vae/diffusion_pytorch_model.safetensors"] = 10**18
    with pytest.raises(
        DiskError, match=r"org/tiny needs 1000000000 GB and .* Make room, or set HF_HOME"
    ):
        pull(spec)
    assert hub.fetched() == ["model_index.json"]


def test_a_cache_that_cannot_be_written_is_a_disk_error(
    hub: HubServer, model: Path, spec: ModelSpec
):
    hub.add("org/tiny", model)
    hub_cache().parent.mkdir(parents=True)
    hub_cache().write_text("a file where a folder belongs")
    with pytest.raises(DiskError):
        pull(spec)


def test_a_folder_that_went_away_cannot_be_pulled(model: Path, zoo: Zoo):
    spec = zoo.find(str(model))
    (model / "model_index.json").unlink()
    with pytest.raises(ModelError, match=r"no model_index.json in"):
        pull(spec)


def test_no_network_is_said_with_the_next_command(spec: ModelSpec, hub: HubServer, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(WeightsMissingError) as error:
        pull(spec)
    assert str(error.value) == (
        "org/tiny is not in the cache, and the Hub cannot be reached. "
        "With a network: t2v models pull org/tiny"
    )


# The errors of whichever HTTP library this huggingface_hub is built on.
errors = sys.modules[hub_errors.HTTPError.__module__.partition(".")[0]]


def run(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout + result.stderr


FIND = """
from t2v.errors import T2VError
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import pull
from t2v.zoo.spec import ModelSpec
try:
    print(pull(Zoo.load().find("org/tiny")))
except T2VError as error:
    print(type(error).__name__, error)
"""


def test_offline_mode_is_named_as_the_reason():
    assert run(FIND, HF_HUB_OFFLINE="1").strip() == (
        "WeightsMissingError org/tiny is not in the cache, and HF_HUB_OFFLINE forbids fetching it. "
        "Unset it, then: t2v models pull org/tiny"
    )


def test_a_mirror_is_used_and_its_password_and_the_token_stay_secret(hub: HubServer, model: Path):
    hub.add("org/tiny", model)
    mirror = hub.url.replace("://", "://user:secret@")
    said = run(FIND, HF_HUB_OFFLINE="0", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
    assert said.strip().endswith(COMMIT)
    assert any(h.get("authorization") == f"Bearer {TOKEN}" for _, _, h in hub.requests)
    hub.refused["org/tiny"] = (418, f"Teapot {TOKEN}")
    for code in (FIND, FIND.replace("org/tiny", "org/other")):
        said += run(code, HF_HUB_OFFLINE="0", HF_ENDPOINT=mirror, HF_TOKEN=TOKEN)
    assert TOKEN not in said
    assert "secret" not in said
    assert "Traceback" not in said


def test_nothing_of_a_run_holds_the_token(hub: HubServer, model: Path, home: Path):
    hub.add("org/tiny", model)
    run(FIND, HF_HUB_OFFLINE="0", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def test_no_telemetry_is_sent(hub: HubServer, model: Path):
    hub.add("org/tiny", model)
    run(FIND, HF_HUB_OFFLINE="0", HF_ENDPOINT=hub.url)
    assert {path.split("/")[1] for _, path, _ in hub.requests} == {"api", "org"}
    assert not [path for _, path, _ in hub.requests if "harness" in path or "telemetry" in path]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad token {TOKEN}.", "bad token ***."),
        ("https://me:pass@hub.example/x", "https://***@hub.example/x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_secrets_are_redacted(text: str, shown: str):
    assert redacted(text) == shown


@pytest.mark.parametrize(
    ("cause", "error", "text"),
    [
        (OSError(28, "No space left on device"), DiskError, "The disk became full"),
        (OSError(13, "Permission denied", "/x"), DiskError, "Cannot write /x: Permission denied"),
        (OSError(5, "Input/output error"), DiskError, "Cannot store org/tiny: Input/output error"),
        (OSError("connection lost"), WeightsMissingError, "the Hub cannot be reached"),
        (errors.ReadError("gone"), WeightsMissingError, "broke off while fetching org/tiny"),
        (errors.ConnectError("no"), WeightsMissingError, "the Hub cannot be reached"),
        (ConnectionResetError("reset"), WeightsMissingError, "the Hub cannot be reached"),
        (ValueError(f"odd {TOKEN}"), ModelError, "org/tiny cannot be fetched: odd ***."),
        (hub_errors.HFValidationError("odd"), UnknownModelError, "Write it as org/name"),
        (DiskError("ours"), DiskError, "ours"),
    ],
)
def test_other_faults_keep_their_reason_and_lose_their_cause(
    hub: HubServer, cause: Exception, error: type[T2VError], text: str
):
    with pytest.raises(error) as caught, explained("org/tiny", "main"):
        raise cause
    assert text in str(caught.value)
    assert caught.value.__cause__ is None
