"""Folders that pretend to be models: foreign code, pickles, tricks with links, and plain damage."""

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.world import World

Spoil = Callable[[Path], None]


def index_with(**changes: object) -> Spoil:
    """Change entries of model_index.json."""

    def spoil(folder: Path) -> None:
        path = folder / "model_index.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def config_with(part: str, **changes: object) -> Spoil:
    """Change entries of a component's configuration."""

    def spoil(folder: Path) -> None:
        (path,) = [
            p for p in (folder / part).glob("*config.json") if p.name != "generation_config.json"
        ][:1]
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def text(name: str, content: str | bytes) -> Spoil:
    """Replace a file."""

    def spoil(folder: Path) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)

    return spoil


def without(name: str) -> Spoil:
    """Delete a file."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink()

    return spoil


def link(name: str, target: str) -> Spoil:
    """Put a link where a file was."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return spoil


class _Pwned:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ../outside/pwned",)


def pickled(folder: Path) -> None:
    """Weights that run a command when they are read."""
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS.replace(".safetensors", ".bin")).write_bytes(pickle.dumps(_Pwned()))


def shortened(folder: Path) -> None:
    """Half of a safetensors file."""
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def safetensors(header: bytes, length: int | None = None) -> Spoil:
    """A safetensors file with a header of one's own."""
    size = len(header) if length is None else length
    return text("vae/diffusion_pytorch_model.safetensors", struct.pack("<Q", size) + header)


def endless(folder: Path) -> None:
    """Folders that contain themselves."""
    (folder / "loop").symlink_to(folder)
    (folder / "vae" / "loop").symlink_to(folder / "vae")


def fifo(folder: Path) -> None:
    """A configuration that never ends."""
    (folder / "vae" / "config.json").unlink()
    os.mkfifo(folder / "vae" / "config.json")


WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
CODE = "import os; os.system('touch ../outside/pwned')"

UNSAFE = [
    # what it is, how the folder is spoiled, what is said
    ("a list for a class name", index_with(_class_name=["pipeline", "Evil"]), "names no pipeline class"),
    ("a class name with a module", index_with(_class_name="os.system"), "names no pipeline class"),
    ("a class name with escapes", index_with(_class_name="\x1b[31mX"), "names no pipeline class"),
    ("no class name", index_with(_class_name=None), "names no pipeline class"),
    ("a number for a class name", index_with(_class_name=5), "names no pipeline class"),
    ("a class that is no pipeline", index_with(_class_name="AutoModel"), ""),
    ("a class that is unknown", index_with(_class_name="EvilPipeline"), ""),
    ("the base class", index_with(_class_name="DiffusionPipeline"), ""),
    ("an image pipeline", index_with(_class_name="StableDiffusionPipeline"), ""),
    ("a private name", index_with(_class_name="_import_structure"), ""),
    ("a component from os", index_with(vae=["os", "system"]), "code from outside"),
    ("a component from builtins", index_with(vae=["builtins", "eval"]), "code from outside"),
    ("a component from the folder", index_with(vae=["evil", "Evil"]), "code from outside"),
    ("a component from a path", index_with(vae=["../evil", "Evil"]), "no [library, class] pair"),
    ("a component that is a list", index_with(vae=["diffusers", ["AutoencoderKL"]]), "no [library, class] pair"),
    ("three words", index_with(vae=["diffusers", "AutoencoderKL", "x"]), "no [library, class] pair"),
    ("one word", index_with(vae=["diffusers"]), "no [library, class] pair"),
    ("a component named by a path", index_with(**{"../outside": ["diffusers", "AutoencoderKL"]}), "no [library, class] pair"),
    ("a component with escapes", index_with(**{"\x1b[31m": ["diffusers", "X"]}), "no [library, class] pair"),
    ("a function of diffusers", index_with(vae=["diffusers", "logging"]), ""),
    ("another component's class", index_with(vae=["diffusers", "UNet2DModel"]), ""),
    ("a transformers function", index_with(text_encoder=["transformers", "pipeline"]), ""),
    ("an auto class", index_with(text_encoder=["transformers", "AutoModel"]), ""),
    ("code beside the weights", text("vae/modeling.py", CODE), "is code"),
    ("a custom pipeline", text("pipeline.py", CODE), None),
    ("an auto_map", config_with("text_encoder", auto_map={"AutoModel": "evil--evil.Evil"}), "auto_map"),
    ("an auto_map of a tokenizer", config_with("tokenizer", auto_map={"AutoTokenizer": ["evil.Evil", None]}), "auto_map"),
    ("remote attention code", config_with("text_encoder", _attn_implementation="evil/kernel"), None),
    ("a pickle for weights", pickled, "only pickle weights"),
    ("a pickle named safetensors", text(WEIGHTS, pickle.dumps(_Pwned())), ""),
    ("an index that points elsewhere", text("vae/diffusion_pytorch_model.safetensors.index.json",
        '{"weight_map": {"a": "../../outside/precious.txt"}}'), "points outside"),
    ("an index without a map", text("vae/diffusion_pytorch_model.safetensors.index.json", "{}"), "points outside"),
]  # fmt: skip

DAMAGED = [
    ("no index", without("model_index.json"), "no model_index.json"),
    ("an empty index", text("model_index.json", ""), "model_index.json:1:1"),
    ("an index that is a list", text("model_index.json", "[]"), "no mapping"),
    ("an index that is binary", text("model_index.json", bytes(range(256))), "not UTF-8"),
    ("an index cut short", text("model_index.json", '{"_class_name": "Wan'), "model_index.json:1:"),
    ("an index of ten megabytes", text("model_index.json", '{"a": "' + "x" * 10_000_000), "larger than"),
    ("an index of 100,000 levels", text("model_index.json", "[" * 100_000), "not a sane JSON file"),
    ("an index with NaN", index_with(boundary_ratio=float("nan")), None),
    ("an index with a huge number", text("model_index.json", '{"a": ' + "9" * 10_000 + "}"), "not a sane"),
    ("an index that is a folder", lambda f: ((f / "model_index.json").unlink(), (f / "model_index.json").mkdir()), "no model_index.json"),
    ("an index that is a loop", link("model_index.json", "model_index.json"), "no model_index.json"),
    ("an index that is a device", link("model_index.json", "/dev/zero"), ""),
    ("no weights of the VAE", without(WEIGHTS), "missing"),
    ("no config of the VAE", without("vae/config.json"), "missing"),
    ("weights cut in half", shortened, ""),
    ("empty weights", text(WEIGHTS, b""), ""),
    ("weights of text", text(WEIGHTS, "weights?\n" * 100), ""),
    ("a header of 2^63 bytes", safetensors(b"{}", 2**63), ""),
    ("a header of -1 bytes", text(WEIGHTS, b"\xff" * 16), ""),
    ("a header that is no JSON", safetensors(b"not json"), ""),
    ("a header that is deep", safetensors(b"[" * 50_000), ""),
    ("a header with a wrong shape", safetensors(b'{"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,0]}}'), ""),
    ("a header with a negative shape", safetensors(b'{"a":{"dtype":"F32","shape":[-5],"data_offsets":[0,0]}}'), ""),
    ("a header with a huge shape", safetensors(b'{"a":{"dtype":"F32","shape":[9999999999,9999999999],"data_offsets":[0,0]}}'), ""),
    ("a header with a shape that is a word", safetensors(b'{"a":{"dtype":"F32","shape":"x","data_offsets":[0,0]}}'), ""),
    ("offsets past the end", safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4000000000]}}'), ""),
    ("a config that is a list", text("vae/config.json", "[]"), ""),
    ("a config that is a word", text("vae/config.json", '"x"'), ""),
    ("a config full of words", config_with("vae", base_dim="x", z_dim=[], dim_mult="y"), ""),
    ("negative sizes", config_with("transformer", num_attention_heads=-1, patch_size=[-1, 0, 0]), ""),
    ("sizes of a galaxy", config_with("transformer", num_layers=10**15), "above 1000"),
    ("zero scale factors", config_with("vae", scale_factor_spatial=0, scale_factor_temporal=0), ""),
    ("a scheduler of words", config_with("scheduler", num_train_timesteps="x"), ""),
    ("a scheduler of another kind", index_with(scheduler=["diffusers", "EulerDiscreteScheduler"]), None),
    ("folders that contain themselves", endless, None),
    ("a config that is a FIFO", fifo, ""),
    ("weights that are a loop", link(WEIGHTS, "diffusion_pytorch_model.safetensors"), ""),
    ("weights that are a device", link(WEIGHTS, "/dev/zero"), ""),
    ("no tokenizer", lambda f: [p.unlink() for p in (f / "tokenizer").iterdir()], "files of tokenizer are missing"),
    ("a tokenizer of garbage", lambda f: [p.write_bytes(b"\xff" * 50) for p in (f / "tokenizer").iterdir()], ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "said"), [case[1:] for case in UNSAFE], ids=[case[0] for case in UNSAFE]
)
def test_a_model_that_wants_to_run_code_is_not_loaded(
    world: World, model_folder: Callable[[], Path], spoil: Spoil, said: str | None
):
    used(world, model_folder(), spoil, said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "said"), [case[1:] for case in DAMAGED], ids=[case[0] for case in DAMAGED]
)
def test_a_damaged_model_ends_in_a_message(
    world: World, model_folder: Callable[[], Path], spoil: Spoil, said: str | None
):
    used(world, model_folder(), spoil, said)


def used(world: World, folder: Path, spoil: Spoil, said: str | None) -> None:
    """Plan and generate; `said` is None where the folder is harmless and a video may come."""
    spoil(folder)
    assert world("plan", "a ball", "-m", "./model").code in (0, 1, 2)
    outcome = world(
        *("generate", "a ball", "-m", "./model", "-o", "x.mp4", "--size", "16x16"),
        *("--num-frames", "5", "--steps", "1"),
    )
    if said is None and outcome.code == 0:
        assert outcome.changed == ("x.json", "x.mp4")
        return
    assert outcome.code in (1, 2, 74)
    # What was denoised before a decoder failed is kept, and said to be.
    assert outcome.changed == () or "finish with: t2v decode x.mp4.latents" in outcome.error
    assert (said or "") in outcome.error


def test_a_good_folder_makes_a_video(world: World, model_folder: Callable[[], Path]):
    used(world, model_folder(), lambda folder: None, None)
    assert (world.work / "x.mp4").exists()
