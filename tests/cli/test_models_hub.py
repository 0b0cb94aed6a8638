"""`t2v models pull, verify, remove` as programs of their own, against a Hub on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.zoo.hub_server import COMMIT, HubServer, serve
from tests.zoo.making import save_model, write_weights

WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
CATALOG = """
models:
  tiny:
    family: wan
    repo: org/tiny
    description: A model of a few bytes.
    license: mit
    commercial: "yes"
"""


@pytest.fixture
def hub(home: Path, tmp_path: Path) -> Iterator[HubServer]:
    """A Hub that has `org/tiny`, which the user's catalog knows."""
    server = HubServer()
    thread = serve(server)
    model = save_model(tmp_path / "repository")
    write_weights(model / WEIGHTS, 1000)
    server.add("org/tiny", model)
    (home / "config").mkdir()
    (home / "config/models.yaml").write_text(CATALOG)
    yield server
    thread.shutdown()
    thread.server_close()


@pytest.fixture
def online(program, hub: HubServer):
    """The command line, told to use that Hub."""
    return lambda *words, **more: program(
        "models", *words, HF_HUB_OFFLINE="0", HF_ENDPOINT=hub.url, **more
    )


def test_pull_says_what_comes_and_prints_the_folder(online, hub: HubServer):
    result = online("pull", "tiny")
    assert result.code == 0
    folder = Path(result.out.strip())
    assert folder.name == COMMIT
    assert (folder / WEIGHTS).is_file()
    said = result.err.splitlines()
    assert said[0] == (
        "tiny is not on this machine: an unknown size to download from org/tiny, license mit"
    )
    assert said[1] == "Looking for org/tiny on the Hub ..."
    assert online("path", "tiny").out == result.out
    assert online("list", "--cached", "-q").out.split() == ["doodle-128", "tiny"]


def test_progress_as_json_ends_at_the_whole(online):
    events = [
        json.loads(line) for line in online("pull", "tiny", "--progress", "json").err.splitlines()
    ]
    last = [event for event in events if event["event"] == "stage"][-1]
    assert (last["message"], last["step"]) == ("Downloaded org/tiny", last["of"])


def test_what_was_pulled_is_verified_offline_and_a_damaged_file_comes_again(online, program):
    folder = Path(online("pull", "tiny", "-q").out.strip())
    fine = program("models", "verify", "tiny")
    assert (fine.code, fine.out) == (0, "")
    assert fine.err.splitlines()[-1] == "tiny: 9 files, 4.8 kB, all right"
    (folder / WEIGHTS).resolve().write_bytes(bytes((folder / WEIGHTS).stat().st_size))
    bad = program("models", "verify", "tiny")
    assert (bad.code, bad.out) == (1, f"org/tiny: {WEIGHTS} has the wrong hash\n")
    assert bad.err.splitlines()[-1] == (
        "error: tiny is damaged; fetch again what is damaged: t2v models pull tiny"
    )
    assert program("models", "path", "tiny").code == 1
    assert online("pull", "tiny").code == 0
    assert program("models", "verify", "tiny", "--json").json()["damages"] == []


def test_quiet_verification_prints_the_paths_of_damaged_files(online, program):
    folder = Path(online("pull", "tiny", "-q").out.strip())
    (folder / WEIGHTS).resolve().write_bytes(b"")
    assert program("models", "verify", "tiny", "-q").out == f"{folder / WEIGHTS}\n"


def test_remove_frees_the_disk_and_says_how_much(online, program, home: Path):
    online("pull", "tiny")
    asked = program("models", "remove", "tiny")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert program("models", "path", "tiny").code == 0
    result = program("models", "remove", "tiny", "--yes")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines()[0].startswith("org/tiny: ")
    assert result.err.splitlines()[-1].endswith(" bytes)")
    assert not list((home / "huggingface/hub").glob("models--*"))
    again = program("models", "remove", "tiny", "--json", "--yes")
    assert (again.code, again.json()["num_bytes"]) == (0, 0)
    assert again.err.splitlines()[-1] == "nothing of tiny to remove"


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        ((403, "GatedRepo"), 1, "org/tiny is gated: accept its licence at"),
        ((401, "GatedRepo"), 1, "org/tiny is gated: accept its licence at"),
        ((401, "RepoNotFound"), 2, "The Hub has no repository org/tiny, or it is private."),
        ((404, "RevisionNotFound"), 2, "org/tiny has no revision 'main'."),
        ((500, "Broken"), 1, "The Hub answered 500 for org/tiny."),
    ],
    ids=str,
)
def test_a_refusal_is_one_line_and_keeps_its_exit_code(online, hub: HubServer, refusal, code, said):
    hub.refused["org/tiny"] = refusal
    result = online("pull", "tiny")
    assert (result.code, result.out) == (code, "")
    assert result.err.splitlines()[-1].startswith(f"error: {said}")


def test_a_full_disk_is_told_before_anything_large_is_fetched(online, hub: HubServer):
    hub.claimed_sizes[WEIGHTS] = 10**18
    result = online("pull", "tiny")
    assert result.code == 74
    assert "error: org/tiny needs 1000000000 GB" in result.err
    assert hub.fetched() == ["model_index.json"]


def test_what_comes_with_t2v_cannot_be_verified_or_removed(cli):
    verified = cli("models", "verify", "doodle")
    assert (verified.code, verified.err) == (
        2,
        "error: doodle-128 is part of t2v; there are no hashes to compare it with.\n",
    )
    removed = cli("models", "remove", "doodle", "--yes")
    assert (removed.code, removed.err) == (2, "error: doodle-128 is part of t2v and stays.\n")
