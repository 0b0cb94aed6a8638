from pathlib import Path

import numpy as np
import pytest

from t2v import builtin

MIB = 2**20


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return [path for path in builtin.folder().rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def pipe():
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")
    torch.set_num_threads(1)
    loaded = diffusers.DiffusionPipeline.from_pretrained(builtin.folder(), dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def make(pipe, seed: int, prompt: str = "a red ball bounces over green hills") -> np.ndarray:
    import torch  # noqa: PLC0415

    return pipe(
        prompt=prompt,
        height=128,
        width=128,
        num_frames=17,
        num_inference_steps=2,
        guidance_scale=4.0,
        max_sequence_length=24,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
    ).frames[0]


def test_files_are_small_enough_for_the_package(files):
    assert max(path.stat().st_size for path in files) <= 16 * MIB
    assert sum(path.stat().st_size for path in files) <= 40 * MIB


def test_the_folder_holds_safetensors_and_json_only(files):
    assert {path.suffix for path in files} == {".safetensors", ".json"}


def test_an_unknown_name_is_refused():
    with pytest.raises(FileNotFoundError, match="no-such-model"):
        builtin.folder("no-such-model")


def test_it_loads_as_an_ordinary_wan_pipeline(pipe):
    assert type(pipe).__name__ == "WanPipeline"
    assert type(pipe.vae).__name__ == "AutoencoderKLWan"


def test_the_tokenizer_knows_the_words_of_the_world_and_nothing_else(pipe):
    world = pytest.importorskip("training.world")
    unknown = pipe.tokenizer.unk_token_id
    words = " ".join(world.vocabulary())
    assert unknown not in pipe.tokenizer(words).input_ids
    ids = pipe.tokenizer("a cinematic Red ball.").input_ids
    assert ids.count(unknown) == 1
    assert len(ids) == 6


def test_the_same_seed_makes_the_same_frames_and_another_seed_others(pipe):
    first, second, other = make(pipe, 1), make(pipe, 1), make(pipe, 2)
    assert first.shape == (17, 128, 128, 3)
    assert np.array_equal(first, second)
    assert np.abs(first - other).mean() > 0.005


def test_the_prompt_matters(pipe):
    assert np.abs(make(pipe, 1) - make(pipe, 1, "a blue star rises at night")).mean() > 0.05
