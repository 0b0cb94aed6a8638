"""Files that claim to say how a video was made: for inspect, replay and decode."""

import json
import os
import shutil
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import t2v
from t2v.media import writer as writers
from tests.hostile.world import CANARY, World

GOOD: dict[str, Any] = {
    "schema": "t2v.video/1",
    "status": "ok",
    "prompt": "a ball",
    "frames_sha256": "0" * 64,
    "request": {
        name: {"value": value, "origin": "flag"}
        for name, value in {
            "prompt": "a ball", "model": "doodle-128", "width": 128, "height": 128,
            "num_frames": 5, "fps": "8", "seed": 3, "num_inference_steps": 1, "metadata": True,
        }.items()
    },
}  # fmt: skip


def record(**changes: Any) -> dict[str, Any]:
    """The good record with other values."""
    return GOOD | changes


def request(**changes: Any) -> dict[str, Any]:
    """The good record with other values of its request."""
    wrapped = {name: {"value": value, "origin": "flag"} for name, value in changes.items()}
    return GOOD | {"request": GOOD["request"] | wrapped}


def video(path: Path, comment: str | None) -> Path:
    """A real video with a comment tag of our choice."""
    frames = [np.full((16, 16, 3), 10 * n, np.uint8) for n in range(5)]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8, options={"preset": "ultrafast"})
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        if comment is not None:
            container.metadata["comment"] = comment
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


NO_RECORDS = [
    ("nothing", None),
    ("an empty comment", ""),
    ("another tool's", "Lavf61.1.100 / made with love"),
    ("A1111's", "a ball\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"),
    ("ComfyUI's", '{"1": {"class_type": "KSampler", "inputs": {"seed": 5}}}'),
    ("garbage that looks like JSON", '{"schema": "t2v.video/1", '),
    ("100,000 brackets", "[" * 100_000),
    ("a number of 10,000 digits", '{"schema": "t2v.video/1", "a": ' + "9" * 10_000 + "}"),
    ("a list", '["t2v.video/1"]'),
    ("a string", '"t2v.video/1"'),
    ("another schema", json.dumps(record(schema="t2v.video/99"))),
    ("a schema that is a list", json.dumps(record(schema=["t2v.video/1"]))),
    ("escapes", "\x1b[31m\x1b]52;c;cm0=\x07"),
]

BAD_RECORDS = [
    # what it is, the record
    ("no request", {"schema": "t2v.video/1"}),
    ("a request that is a list", record(request=[1, 2])),
    ("a request that is a word", record(request="seed")),
    ("a request that is null", record(request=None)),
    ("values without origins", record(request={"prompt": "a", "seed": 1})),
    ("an empty request", record(request={})),
    ("a prompt that is a list", request(prompt=["a"])),
    ("a prompt of escapes", request(prompt="\x1b\x1b")),
    ("a seed of words", request(seed="seven")),
    ("a negative seed", request(seed=-1)),
    ("a seed that is NaN", request(seed=float("nan"))),
    ("a width that is a mapping", request(width={"a": 1})),
    ("a width of a galaxy", request(width=10**30)),
    ("a rate over zero", request(fps="1/0")),
    ("a rate that is null", request(fps=None)),
    ("a million frames in one call", request(num_frames=999_999, method="native")),
    ("an unknown model", request(model="no-such-model")),
    ("a model that is a folder", request(model="/etc")),
    ("a model that is a list", request(model=["a"])),
    ("a scheduler of code", request(scheduler="os.system")),
    ("a LoRA of words", request(lora="evil")),
    ("a LoRA of numbers", request(lora=[1])),
    ("a LoRA without a scale", request(lora=[{"source": "x"}])),
    ("a LoRA that is a device", request(lora=[{"source": "/dev/zero", "scale": 1}])),
    ("a LoRA beside the work", request(lora=[{"source": "../outside/precious.txt", "scale": 1}])),
    ("a LoRA of strength NaN", request(lora=[{"source": "a/b", "scale": float("nan")}])),
    ("a device of escapes", request(device="\x1b[31m")),
    ("a codec of words", request(codec="divx")),
    ("metadata that is a word", request(metadata="perhaps")),
    ("a sequence of words", request(max_sequence_length="long")),
    ("a sequence of a galaxy", request(max_sequence_length=10**18)),
]

ODD_RECORDS = [
    ("the good one", record()),
    ("keys that nobody knows", record(extra={"a": [1, {"b": None}]}, request=GOOD["request"] | {"x": {"value": 1}})),
    ("escapes all over", record(prompt="\x1b[31m", model="\x9b", warnings=["\x1b]0;x\x07"], versions={"\x1b": "\x1b"})),
    ("origins that are mappings", record(request={k: v | {"origin": {"a": 1}} for k, v in GOOD["request"].items()})),
    ("a prompt with bidi", request(prompt="a \u202e ball")),
    ("versions that are a list", record(versions=["torch"])),
    ("versions that are numbers", record(versions={"torch": 2})),
    ("a revision that is a number", record(revision=5)),
    ("a hash that is a list", record(frames_sha256=["x"])),
    ("a hash that is a number", record(frames_sha256=5)),
    ("warnings that are a word", record(warnings="x")),
    ("a status that is a list", record(status=[1])),
    ("twenty levels", record(extra=json.loads('{"a":' * 20 + "1" + "}" * 20))),
    ("nine hundred levels", record(extra=json.loads("[" * 900 + "]" * 900))),
    ("a token", record(extra=f"token={CANARY}")),
]  # fmt: skip


@pytest.mark.parametrize("comment", [c[1] for c in NO_RECORDS], ids=[c[0] for c in NO_RECORDS])
def test_a_video_without_a_record_is_inspected_and_not_replayed(world: World, comment: str | None):
    video(world.work / "x.mp4", comment)
    seen = world("inspect", "x.mp4")
    assert seen.code == 0
    assert "does not say how it was made" in seen.err
    refused = world("replay", "x.mp4", "-o", "y.mp4")
    assert (refused.code, refused.changed) == (2, ())
    assert "does not say how it was made" in refused.error


@pytest.mark.parametrize("content", [c[1] for c in BAD_RECORDS], ids=[c[0] for c in BAD_RECORDS])
def test_a_record_that_cannot_be_is_inspected_and_not_replayed(
    world: World, content: dict[str, Any]
):
    video(world.work / "x.mp4", json.dumps(content))
    assert world("inspect", "x.mp4").code == 0
    assert world("inspect", "x.mp4", "--json").code == 0
    refused = world("replay", "x.mp4", "-o", "y.mp4")
    assert refused.code in (1, 2)
    assert refused.changed == ()


@pytest.mark.parametrize("content", [c[1] for c in ODD_RECORDS], ids=[c[0] for c in ODD_RECORDS])
def test_an_odd_record_is_inspected_and_planned(world: World, content: dict[str, Any]):
    video(world.work / "x.mp4", json.dumps(content))
    assert world("inspect", "x.mp4").code == 0
    assert world("inspect", "x.mp4", "--json").code == 0
    try:
        again = t2v.replay_plan(world.work / "x.mp4")
    except t2v.errors.RequestError:
        return
    assert again.plan.requests[0].seed == 3
    assert again.frames_sha256 is None or isinstance(again.frames_sha256, str)


def test_a_comment_of_fifty_megabytes_is_passed_over(world: World):
    video(world.work / "x.mp4", json.dumps(record(extra="x" * 50_000_000)))
    assert world("inspect", "x.mp4").code == 0
    assert world("replay", "x.mp4").code == 2


def made(name: str, content: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return make


NO_VIDEOS = [
    ("an empty file", made("x.mp4", b"")),
    ("a text", made("x.mp4", b"not a video at all\n" * 50)),
    ("zeros", made("x.mp4", bytes(100_000))),
    ("noise", made("x.mp4", np.random.default_rng(0).bytes(100_000))),
    ("a playlist", made("x.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")),
    ("a concat script", made("x.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n")),
    ("an SDP", made("x.mp4", b"v=0\nm=video 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\n")),
    ("a PNG", made("x.mp4", b"\x89PNG\r\n\x1a\n" + bytes(50))),
    ("only a header", made("x.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")),
    ("boxes of no size", made("x.mp4", b"\x00\x00\x00\x00moov" * 1000)),
    ("boxes of size 1", made("x.mp4", b"\x00\x00\x00\x01moov\x00\x00\x00\x00\x00\x00\x00\x00" * 99)),
    ("an AVIF of a box without end", made("x.avif", b"\x00\x00\x00\x10ftypavif" + b"\x00\x00\x00\x01abcd" + b"\xff" * 8)),
    ("a GIF cut off", made("x.gif", b"GIF89a\x01\x00\x01\x00\x80")),
    ("a GIF of endless blocks", made("x.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00" + b"\x21\xfe\x01" + b"\x01" * 999)),
    ("a WebP without chunks", made("x.webp", b"RIFF\xff\xff\xff\xffWEBP")),
    ("a WebP of empty chunks", made("x.webp", b"RIFF\xff\xff\xff\xffWEBP" + bytes(8000))),
    ("a JSON", made("x.json", b'{"schema": "other"}')),
    ("a folder", lambda folder: (folder / "x.mp4").mkdir()),
    ("a folder of nothing known", lambda folder: ((folder / "x").mkdir(), (folder / "x" / "a.txt").touch())),
    ("a FIFO", lambda folder: os.mkfifo(folder / "x.mp4")),
    ("a link to itself", lambda folder: (folder / "x.mp4").symlink_to("x.mp4")),
    ("a link to nothing", lambda folder: (folder / "x.mp4").symlink_to("nothing")),
    ("a device", lambda folder: (folder / "x.mp4").symlink_to("/dev/zero")),
    ("nothing", lambda folder: None),
]  # fmt: skip


@pytest.mark.parametrize("make", [c[1] for c in NO_VIDEOS], ids=[c[0] for c in NO_VIDEOS])
def test_what_is_no_video_is_no_video(world: World, make: Callable[[Path], None]):
    make(world.work)
    name = next((path.name for path in world.work.iterdir()), "x.mp4")
    for command in ("inspect", "replay", "decode"):
        refused = world(command, name)
        # A picture without frames is a file that can be looked into.
        allowed = (0, 1, 2, 74) if command == "inspect" and name.endswith(".gif") else (1, 2, 74)
        assert refused.code in allowed, command
        assert refused.changed == ()


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a\x00b", "\x1b[31m", "x" * 5000, "\udcff", "~nobody-here", "-"], ids=ascii)  # fmt: skip
@pytest.mark.parametrize("command", ["inspect", "replay", "decode"])
def test_no_command_trips_over_the_name_of_a_file(world: World, command: str, name: str):
    refused = world(command, "--", name)
    assert refused.code in (1, 2, 74)


@pytest.mark.parametrize(
    "pair",
    ["seed", "=5", "seed=", "seed=x", "seed=-1", "sed=5", "__class__=x", "prompt=", "prompt=\x1b",
     "size=0x0", "seconds=nan", "model=../x", "lora=/dev/zero", "request=x", "\x1b[31m=5", "a\x00=b"],
    ids=ascii,
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused(world: World, pair: str):
    video(world.work / "x.mp4", json.dumps(record()))
    refused = world("replay", "x.mp4", "--set", pair)
    assert (refused.code, refused.changed) == (2, ())


def test_a_sidecar_that_belongs_to_someone_else_is_not_replaced(world: World):
    (world.work / "x.json").write_text("my notes")
    with writers.open_writer(
        world.work / "x.mp4", width=16, height=16, fps=Fraction(8), overwrite=True
    ) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8))
        writer.finish({"a": 1})
    assert (world.work / "x.json").read_text() == "my notes"


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, doodle: t2v.Generator) -> Path:
    """Latents that a good run saved."""
    folder = tmp_path_factory.mktemp("saved")
    doodle.generate(
        "a ball", output=folder / "x.mp4", num_frames=5, num_inference_steps=1, seed=3,
        save_latents=True,
    )  # fmt: skip
    return folder / "x.mp4.latents"


def run_with(**changes: Any) -> Callable[[Path], None]:
    """Change the document of saved latents."""

    def spoil(folder: Path) -> None:
        path = folder / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def tensors(**arrays: Any) -> Callable[[Path], None]:
    """Other latents."""

    def spoil(folder: Path) -> None:
        save_file(arrays, folder / "latents.safetensors")

    return spoil


TAMPERED = [
    ("no document", lambda f: (f / "run.json").unlink()),
    ("no latents", lambda f: (f / "latents.safetensors").unlink()),
    ("an empty document", made("run.json", b"")),
    ("a document that is a list", made("run.json", b"[]")),
    ("a document of 100,000 brackets", made("run.json", b"[" * 100_000)),
    ("a document of bytes", made("run.json", bytes(range(256)))),
    ("a document of a galaxy", made("run.json", b'{"model": ' + b"9" * 10_000 + b"}")),
    ("no model", run_with(model=None)),
    ("an unknown model", run_with(model="no-such-model")),
    ("a model elsewhere", run_with(model="../outside")),
    ("a model that is a list", run_with(model=["a"])),
    ("a request of words", run_with(request="x")),
    ("an empty request", run_with(request={})),
    ("memory of words", run_with(memory="x")),
    ("memory with other keys", run_with(memory={"rung": "none", "code": "os.system"})),
    ("memory on a rung that is none", run_with(memory={"rung": "x", "vae_tiling": False, "reason": ""})),
    ("a record that is a list", run_with(record=[1])),
    ("a record that is null", run_with(record=None)),
    ("empty latents", made("latents.safetensors", b"")),
    ("latents of text", made("latents.safetensors", b"latents?" * 50)),
    ("a header of 2^63", made("latents.safetensors", struct.pack("<Q", 2**63) + b"{}")),
    ("latents of another name", tensors(other=np.zeros((1, 16, 2, 16, 16), np.float32))),
    ("latents of one number", tensors(latents=np.zeros((1,), np.float32))),
    ("latents of no size", tensors(latents=np.zeros((1, 16, 0, 16, 16), np.float32))),
    ("latents of other channels", tensors(latents=np.zeros((1, 3, 2, 16, 16), np.float32))),
    ("latents of whole numbers", tensors(latents=np.zeros((1, 16, 2, 16, 16), np.int64))),
    ("latents of seven dimensions", tensors(latents=np.zeros((1,) * 7, np.float32))),
]  # fmt: skip


@pytest.mark.parametrize("spoil", [c[1] for c in TAMPERED], ids=[c[0] for c in TAMPERED])
def test_saved_latents_that_were_tampered_with_end_in_a_message(
    world: World, saved: Path, spoil: Callable[[Path], None]
):
    folder = Path(shutil.copytree(saved, world.work / "x.mp4.latents"))
    spoil(folder)
    refused = world("decode", "x.mp4.latents")
    assert refused.code in (1, 2)
    assert refused.changed == ()


def test_latents_of_nan_make_a_suspect_video_or_a_message(world: World, saved: Path):
    folder = Path(shutil.copytree(saved, world.work / "x.mp4.latents"))
    shape = load_file(folder / "latents.safetensors")["latents"].shape
    tensors(latents=np.full(shape, np.nan, np.float32))(folder)
    outcome = world("decode", "x.mp4.latents", "--strict")
    assert outcome.code in (1, 4)


def test_good_latents_are_decoded(world: World, saved: Path):
    shutil.copytree(saved, world.work / "x.mp4.latents")
    assert world("decode", "x.mp4.latents").changed == ("x.json", "x.mp4")
