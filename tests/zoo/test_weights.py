import pytest

from t2v.zoo.weights import configuration_of, only_variant, weights_of

PLAIN = "vae/diffusion_pytorch_model.safetensors"
HALF = "vae/diffusion_pytorch_model.fp16.safetensors"
PICKLE = "vae/diffusion_pytorch_model.bin"


@pytest.mark.parametrize(
    ("names", "variant", "taken"),
    [
        ([PLAIN], None, [PLAIN]),
        ([PLAIN, HALF], None, [PLAIN]),
        ([PLAIN, HALF], "fp16", [HALF]),
        ([PLAIN], "fp16", [PLAIN]),
        ([PLAIN, PICKLE], None, [PLAIN]),
        ([PICKLE, HALF], "fp16", [HALF]),
        ([PICKLE], None, [PICKLE]),
        (["text_encoder/model.safetensors", PLAIN], None, [PLAIN]),
    ],
)
def test_safetensors_come_before_pickles_and_the_variant_first(names, variant, taken):
    weights = weights_of(names, "vae", variant)
    assert weights is not None
    assert list(weights.files) == taken


def test_shards_come_with_their_index():
    names = [
        "vae/diffusion_pytorch_model-00001-of-00002.safetensors",
        "vae/diffusion_pytorch_model-00002-of-00002.safetensors",
        "vae/diffusion_pytorch_model.safetensors.index.json",
    ]
    weights = weights_of(names, "vae")
    assert weights is not None
    assert list(weights.files) == names
    assert weights.is_complete


@pytest.mark.parametrize(
    ("first", "index"),
    [
        ("model.fp16-00001-of-00001.safetensors", "model.safetensors.index.fp16.json"),
        ("model-00001-of-00001.fp16.safetensors", "model.safetensors.index.fp16.json"),
    ],
)
def test_both_ways_to_name_shards_of_a_variant_are_known(first, index):
    names = [f"text_encoder/{first}", f"text_encoder/{index}", "text_encoder/model.safetensors"]
    weights = weights_of(names, "text_encoder", "fp16")
    assert weights is not None
    assert set(weights.files) == {f"text_encoder/{first}", f"text_encoder/{index}"}


def test_a_missing_shard_leaves_the_weights_incomplete():
    names = ["vae/diffusion_pytorch_model-00001-of-00003.safetensors"]
    weights = weights_of(names, "vae")
    assert weights is not None
    assert not weights.is_complete


@pytest.mark.parametrize(
    "name",
    ["vae/config.json", "vae/flax_model.msgpack", "vae/sub/model.safetensors", "model.safetensors"],
)
def test_other_files_are_no_weights(name):
    assert weights_of([name], "vae") is None


def test_a_folder_of_half_precision_alone_has_that_variant():
    assert only_variant([HALF], ["vae"]) == "fp16"
    assert only_variant([HALF, PLAIN], ["vae"]) is None
    assert only_variant([PICKLE], ["vae"]) is None


def test_configuration_is_what_a_component_needs_beside_its_weights():
    names = [
        "tokenizer/tokenizer.json",
        "tokenizer/spiece.model",
        "tokenizer/chat_template.jinja",
        "tokenizer/merges.txt",
        "tokenizer/model.safetensors.index.json",
        "tokenizer/model.onnx",
        "vae/config.json",
    ]
    assert configuration_of(names, "tokenizer") == names[:4]
