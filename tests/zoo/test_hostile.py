"""Whatever stands in a catalog, a config or a model's folder: a clear error, never a traceback."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from t2v.errors import T2VError
from t2v.zoo.cache import locate
from t2v.zoo.catalog import Zoo, builtin_catalog
from t2v.zoo.check import check
from t2v.zoo.documents import parse_yaml
from t2v.zoo.introspect import spec_of_folder
from t2v.zoo.safety import check_safe
from tests.zoo.making import save_model

PIECES = [
    "&a", "*a", "!!python/name:os.system", "<<: x", "? ", "- ", ": ", "{", "}", "[", "]", "'", '"',
    "\t", "\0", "\x1b[31m", "\u202e", "#", "%", "@", "`", "|", ">", "---", "...", "-1", "0", ".nan",
    ".inf", "1e999", "9" * 400, "9" * 5000, "null", "~", "no", "\n\n", "  ", "\u2028", "\ufeff", "é",
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 10**30, 1.5, float("inf"), "", "x", "../../etc/passwd", "a\0b", [], [[]],
    {}, {"a": {}}, [None], [1, 2, 3], ["diffusers", "X"], "x" * 10_000, [["diffusers"], {}],
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_a_mangled_catalog_is_a_zoo_or_a_document_error(seed: int):
    text = builtin_catalog().read_text("utf-8")[:9000]
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(text))
        text = text[:place] + dice.choice(PIECES) + text[place + dice.choice([0, 0, 1, 5, 40]) :]
    fault = fault_of(lambda: Zoo.of([parse_yaml(text, "my.yaml")]))
    problems = [] if fault else check([parse_yaml(text, "my.yaml")])
    assert all(said.startswith("my.yaml:") for said in fault.splitlines())
    assert all(str(problem).startswith("my.yaml:") for problem in problems)


@pytest.mark.parametrize("key", ["family", "pipeline", "repo", "frames", "sizes", "fps", "defaults",
                                 "components", "classes", "sources", "aliases", "memory", "supports"])  # fmt: skip
@pytest.mark.parametrize("section", ["models", "families"])
def test_any_value_for_any_key_is_an_entry_or_a_document_error(section: str, key: str):
    for value in VALUES:
        entry = {"family": "wan", "license": "mit", "commercial": "no"}
        data = {"families": {"wan": {"pipelines": ["WanPipeline"]}}, "models": {"wan": entry}}
        data[section]["wan"] |= {key: value}
        text = json.dumps(data)
        fault = fault_of(lambda text=text: Zoo.of([parse_yaml(text, "my.yaml")]))
        assert not fault or fault.startswith("my.yaml:1:")


@pytest.mark.parametrize(
    "file",
    ["model_index.json", "vae/config.json", "transformer/config.json", "tokenizer/tokenizer.json"],
)
def test_any_value_in_a_models_folder_is_a_spec_or_an_error(tmp_path: Path, zoo: Zoo, file: str):
    keys = ["_class_name", "vae", "../x", "patch_size", "block_out_channels", "scale_factor_spatial",
            "spatio_temporal_scaling", "sample_size", "rope_max_seq_len", "auto_map"]  # fmt: skip
    folder = save_model(tmp_path / "tiny")
    plain = json.loads((folder / file).read_text())
    for value in VALUES:
        for key in keys:
            (folder / file).write_text(json.dumps(plain | {key: value}))
            fault_of(lambda: check_safe(folder, spec_of_folder(folder, zoo.families)))
        (folder / file).write_text(json.dumps(value))
        fault_of(lambda: locate(zoo.find(str(folder))))


def fault_of(reading: Callable[[], object]) -> str:
    """The message of t2v's own errors, or nothing; others are raised."""
    try:
        reading()
    except T2VError as error:
        return str(error)
    return ""


def test_a_folder_that_links_to_itself_is_read(model: Path, zoo: Zoo):
    (model / "vae/loop").symlink_to(model / "vae")
    (model / "loop").symlink_to("loop")
    check_safe(model, spec_of_folder(model, zoo.families))
