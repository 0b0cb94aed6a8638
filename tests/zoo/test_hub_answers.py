"""Refusals and faults of the Hub, each told with the next step, and never with a secret."""

import sys
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
    WeightsMissingError,
)
from t2v.text import redacted
from t2v.zoo.hub import pull
from t2v.zoo.hub_errors import explained
from t2v.zoo.spec import ModelSpec
from tests.zoo.hub_server import COMMIT, HubServer
from tests.zoo.programs import FIND, run

# The errors of whichever HTTP library this huggingface_hub is built on.
errors = sys.modules[hub_errors.HTTPError.__module__.partition(".")[0]]

TOKEN = "hf_" + "canaryCANARY1234" * 2


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


def test_no_network_is_said_with_the_next_command(spec: ModelSpec, hub: HubServer, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(WeightsMissingError) as error:
        pull(spec)
    assert str(error.value) == (
        "org/tiny is not in the cache, and the Hub cannot be reached. "
        "With a network: t2v models pull org/tiny"
    )


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
