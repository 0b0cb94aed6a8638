"""Prompts are encoded once: for several calls, several threads, and later processes."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch

from t2v.runtime.encoded import Encodings
from t2v.runtime.sharing import sharing
from t2v.runtime.shelf import Shelf

CALL = {"negative_prompt": "blurry", "device": torch.device("cpu"), "max_sequence_length": 16}


@pytest.fixture
def pipe(load_tiny):
    """A pipeline that counts the texts that its encoder sees."""
    pipe = sharing(load_tiny("wan"))
    pipe.num_texts = 0

    def count(*_):
        pipe.num_texts += 1

    pipe.text_encoder.register_forward_pre_hook(count)
    return pipe


def test_the_same_prompt_is_encoded_once(pipe):
    plain = pipe.encode_prompt("a red ball", **CALL)
    Encodings().attach(pipe)
    pipe.num_texts = 0

    for _ in range(3):
        encoded = pipe.encode_prompt("a red ball", **CALL)
        assert all(torch.equal(one, other) for one, other in zip(encoded, plain, strict=True))
    assert pipe.num_texts == 2


def test_a_negative_prompt_that_all_share_is_encoded_once(pipe):
    Encodings().attach(pipe)

    for prompt in ("a red ball", "a blue cube", "a cat"):
        pipe.encode_prompt(prompt, **CALL)

    assert pipe.num_texts == 4


def test_other_arguments_are_another_call(pipe):
    Encodings().attach(pipe)

    short = pipe.encode_prompt("a red ball", **CALL)[0]
    long = pipe.encode_prompt("a red ball", **CALL | {"max_sequence_length": 24})[0]

    assert (short.shape[1], long.shape[1]) == (16, 24)


def test_another_process_finds_them_on_disk(pipe, tmp_path):
    plain = pipe.encode_prompt("a red ball", **CALL)
    Encodings(shelf=Shelf(tmp_path), identity="weights 1").attach(pipe)
    pipe.encode_prompt("a red ball", **CALL)
    later = sharing(pipe)
    del vars(later)["encode_prompt"]
    Encodings(shelf=Shelf(tmp_path), identity="weights 1").attach(later)
    pipe.num_texts = 0

    encoded = later.encode_prompt("a red ball", **CALL)

    assert pipe.num_texts == 0
    assert all(torch.equal(one, other) for one, other in zip(encoded, plain, strict=True))


def test_other_weights_do_not_find_them(pipe, tmp_path):
    first = Encodings(shelf=Shelf(tmp_path), identity="weights 1")
    other = Encodings(shelf=Shelf(tmp_path), identity="weights 2")
    first.around(pipe)("a red ball", **CALL)

    assert first.has(pipe, "a red ball", **CALL)
    assert not other.has(pipe, "a red ball", **CALL)


def test_what_is_given_encoded_is_passed_on(pipe):
    Encodings().attach(pipe)
    given = torch.ones(1, 16, 32)

    encoded, _ = pipe.encode_prompt(None, prompt_embeds=given, **CALL)

    assert encoded is given


def test_a_pipeline_without_encoders_borrows_those_of_another(pipe):
    plain = pipe.encode_prompt("a red ball", **CALL)
    bare = sharing(pipe)
    bare.text_encoder = None
    lent = []

    @contextmanager
    def elsewhere():
        lent.append(1)
        yield pipe

    Encodings().attach(bare, elsewhere)
    for _ in range(2):
        encoded = bare.encode_prompt("a red ball", **CALL)

    assert lent == [1]
    assert all(torch.equal(one, other) for one, other in zip(encoded, plain, strict=True))


def test_threads_encode_one_at_a_time(load_tiny):
    first = sharing(load_tiny("wan"))
    second = sharing(first)
    at_once, most = [], []

    def enter(*_):
        at_once.append(1)
        most.append(len(at_once))

    def leave(*_):
        at_once.pop()

    for pipe in (first, second):
        pipe.text_encoder.register_forward_pre_hook(enter)
        pipe.text_encoder.register_forward_hook(leave)
    encodings = Encodings()
    for pipe in (first, second):
        encodings.attach(pipe)

    with ThreadPoolExecutor(2) as threads:
        pipes = [first, second] * 10
        list(threads.map(lambda n: pipes[n].encode_prompt(f"ball {n}", **CALL), range(20)))

    assert max(most) == 1


VALUES = {
    "a pair": (torch.randn(1, 4, 3), None),
    "padded": (torch.cat([torch.randn(1, 2, 3), torch.zeros(1, 6, 3)], dim=1),),
    "nothing but padding": (torch.zeros(2, 5, 3),),
    "masks and lists": ([torch.ones(1, 4, dtype=torch.bool)], torch.arange(4)),
    "half precision": (torch.randn(1, 4, 3).bfloat16(),),
    "a negative zero": (torch.tensor([[[1.0], [-0.0]]]),),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_tensors_come_back_to_the_bit(tmp_path, value):
    shelf = Shelf(tmp_path)
    assert shelf.put("ab12", value)

    found = shelf.get("ab12").value

    assert type(found) is type(value)
    assert _bits(found) == _bits(value)


def _bits(value):
    if isinstance(value, torch.Tensor):
        raw = value.contiguous().flatten().view(torch.uint8).tolist()
        return [str(value.dtype), list(value.shape), raw]
    return None if value is None else [_bits(one) for one in value]


def test_padding_takes_no_room_on_disk(tmp_path):
    Shelf(tmp_path).put("ab12", torch.cat([torch.ones(1, 1, 64), torch.zeros(1, 511, 64)], dim=1))

    (file,) = tmp_path.rglob("*.safetensors")
    assert file.stat().st_size < 1000


def test_a_damaged_file_was_never_there(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("ab12", torch.ones(1, 4, 3))
    (file,) = tmp_path.rglob("*.safetensors")
    content = file.read_bytes()

    for damaged in (content[:-5], content[:20], b"", content[:-1] + b"\x01"):
        file.write_bytes(damaged)
        assert shelf.get("ab12") is None
        assert not file.exists()


def test_what_was_not_used_for_longest_makes_room(tmp_path):
    shelf = Shelf(tmp_path, max_bytes=3 * 4300)
    for number in range(3):
        shelf.put(f"{number}0", torch.ones(1000))
        (file,) = (tmp_path / f"{number}0").iterdir()
        os.utime(file, (number, number))
    assert shelf.get("00") is not None

    shelf.put("30", torch.ones(1000))

    assert [name for name in ("00", "10", "20", "30") if shelf.has(name)] == ["00", "30"]


def test_a_shelf_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").touch()
    shelf = Shelf(tmp_path / "file")

    assert not shelf.put("ab12", torch.ones(1))
    assert shelf.get("ab12") is None
