"""What the catalog that ships says about its models, in numbers that a user would notice."""

import ast
from pathlib import Path

import pytest

import t2v
from t2v import builtin
from t2v.zoo.catalog import Zoo, catalog_documents
from t2v.zoo.check import check
from t2v.zoo.introspect import spec_of_folder
from t2v.zoo.safety import check_safe
from t2v.zoo.spec import ModelSpec
from t2v.zoo.tensors import count_parameters

RULES = {
    "doodle-128": ("4n+1", 17, (128, 128), 32, "8"),
    "wan2.1-t2v-1.3b": ("4n+1", 81, (832, 480), 16, "16"),
    "wan2.1-t2v-14b": ("4n+1", 81, (1280, 720), 16, "16"),
    "wan2.2-t2v-a14b": ("4n+1", 81, (1280, 720), 16, "16"),
    "wan2.2-ti2v-5b": ("4n+1", 121, (1280, 704), 32, "24"),
    "ltx-video-2b-0.9": ("8n+1", 161, (704, 512), 32, "24"),
    "ltx-video-2b-0.9.5": ("8n+1", 161, (768, 512), 32, "24"),
    "ltx-video-13b-0.9.7-dev": ("8n+1", 161, (1152, 768), 32, "24"),
    "ltx-video-13b-0.9.7-distilled": ("8n+1", 161, (1152, 768), 32, "24"),
    "ltx-video-13b-0.9.8-distilled": ("8n+1", 161, (1152, 768), 32, "24"),
    "cogvideox-2b": ("8n+1", 49, (720, 480), 16, "8"),
    "cogvideox-5b": ("8n+1", 49, (720, 480), 16, "8"),
    "cogvideox-1.5-5b": ("16n+1", 81, (1360, 768), 16, "16"),
    "modelscope-1.7b": ("1n+0", 16, (256, 256), 8, "8"),
    "zeroscope-v2-576w": ("1n+0", 24, (576, 320), 8, "8"),
    "zeroscope-v2-xl": ("1n+0", 24, (1024, 576), 8, "8"),
    "text2video-zero-sd15": ("1n+0", 8, (512, 512), 8, "4"),
    "animatediff-v2": ("1n+0", 16, (512, 512), 8, "8"),
    "latte-1": ("16n+0", 16, (512, 512), 16, "8"),
    "mochi-1": ("6n+1", 85, (848, 480), 16, "30"),
    "allegro": ("4n+0", 88, (1280, 720), 16, "15"),
    "easyanimate-v5.1-12b": ("4n+1", 49, (512, 512), 16, "8"),
    "ltx-2": ("8n+1", 121, (768, 512), 32, "24"),
    "ltx-video-13b-0.9.8-distilled-long": ("8n+1", 161, (704, 512), 32, "24"),
    "hunyuan-video": ("4n+1", 129, (1280, 720), 16, "24"),
    "hunyuan-video-1.5-720p": ("4n+1", 121, (1280, 720), 16, "24"),
    "wan2.1-vace-1.3b": ("4n+1", 81, (832, 480), 16, "16"),
    "skyreels-v2-t2v-14b-540p": ("4n+1", 97, (960, 544), 16, "24"),
    "skyreels-v2-df-14b-720p": ("4n+1", 121, (1280, 720), 16, "24"),
    "kandinsky5-lite-sft-5s": ("4n+1", 121, (768, 512), 16, "24"),
    "kandinsky5-lite-sft-10s": ("4n+1", 241, (768, 512), 128, "24"),
    "kandinsky6-pro-distill-5s": ("4n+1", 121, (864, 480), 16, "24"),
    "sana-video-2b-480p": ("4n+1", 81, (832, 480), 32, "16"),
    "cosmos1-7b": ("8n+1", 121, (1280, 704), 16, "30"),
    "cosmos-predict2.5-2b": ("4n+1", 93, (1280, 704), 16, "16"),
    "cosmos3-nano": ("4n+1", 189, (1280, 720), 16, "24"),
    "helios-base": ("4n+1", 97, (640, 384), 16, "24"),
    "helios-distilled": ("4n+1", 97, (640, 384), 64, "24"),
    "motif-video-2b": ("4n+1", 121, (1280, 736), 16, "24"),
    "anyflow-wan2.1-1.3b": ("4n+1", 81, (832, 480), 16, "16"),
    "anyflow-far-wan2.1-1.3b": ("4n+1", 81, (832, 480), 32, "16"),
}


def test_the_catalog_has_no_problems():
    assert check(catalog_documents(overlays=False)) == []


def test_there_are_many_models_of_many_families(zoo: Zoo):
    assert len(zoo) >= 45
    assert len({spec.family for spec in zoo.values()}) >= 20


def test_every_family_is_listed_here(zoo: Zoo):
    assert {zoo[name].family for name in RULES} == {spec.family for spec in zoo.values()}


def test_every_model_says_under_which_license_it_is(zoo: Zoo):
    assert [s.name for s in zoo.values() if len(s.license) < 3] == []
    assert {s.commercial for s in zoo.values()} == {"yes", "no", "conditions"}


@pytest.mark.parametrize("name", RULES)
def test_frames_sizes_and_rate(zoo: Zoo, name: str):
    spec = zoo[name]
    rule = f"{spec.frames.multiple}n+{spec.frames.plus}"
    found = (rule, spec.frames.native, spec.sizes.native[0], spec.sizes.multiple, spec.fps)
    assert found == RULES[name]


def test_the_vae_of_wan_computes_in_float32(zoo: Zoo):
    assert zoo["wan2.2-t2v-a14b"].components["vae"].dtype == "float32"
    assert zoo["wan2.2-t2v-a14b"].components["transformer_2"].dtype == "bfloat16"


def test_models_that_are_not_for_commercial_use_say_so(zoo: Zoo):
    closed = [spec.name for spec in zoo.values() if spec.commercial == "no"]
    assert closed == ["modelscope-1.7b", "zeroscope-v2-576w", "zeroscope-v2-xl"]


def test_distilled_models_bring_their_own_timesteps(zoo: Zoo):
    defaults = zoo["ltx-video-13b-0.9.7-distilled"].defaults
    assert defaults.further_arguments(8) == {
        "timesteps": [1000, 993, 987, 981, 975, 909, 725, 0.03],
        "guidance_rescale": 0.7,
    }


def test_with_another_number_of_steps_those_timesteps_do_not_hold(zoo: Zoo):
    defaults = zoo["ltx-video-13b-0.9.7-distilled"].defaults
    assert defaults.further_arguments(12) == {"guidance_rescale": 0.7}
    assert zoo["doodle-128"].defaults.further_arguments(None) == {}


def test_a_download_is_the_sum_of_its_components(zoo: Zoo):
    assert zoo["cogvideox-2b"].download_bytes == 13_344_000_000


@pytest.mark.parametrize("part", ["transformer", "text_encoder", "vae"])
def test_the_embedded_model_is_counted_in_its_files(zoo: Zoo, part: str):
    (file,) = (builtin.folder() / part).glob("*.safetensors")
    component = zoo["doodle-128"].components[part]
    assert component.params == count_parameters([file])[0]
    # The header of the file varies a little with every training.
    assert component.bytes == pytest.approx(file.stat().st_size, rel=0.001)


def test_the_embedded_model_passes_its_own_rules(zoo: Zoo):
    check_safe(builtin.folder(), zoo["doodle-128"])


def test_the_embedded_model_would_be_read_the_same_from_its_configs(zoo: Zoo):
    found = spec_of_folder(builtin.folder(), zoo.families)
    entry = zoo["doodle-128"]
    assert found.family == entry.family
    assert found.pipeline == entry.pipeline
    assert found.sizes.multiple == entry.sizes.multiple
    assert (found.frames.multiple, found.frames.max) == (entry.frames.multiple, entry.frames.max)


def _adapter_pipelines(family: str) -> set[str]:
    tree = ast.parse((Path(t2v.__file__).parent / "families" / f"{family}.py").read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_every_pipeline_is_one_that_its_family_knows(zoo: Zoo):
    def is_known(spec: ModelSpec) -> bool:
        return spec.pipeline in zoo.families[spec.family].pipelines

    assert [spec.name for spec in zoo.values() if not is_known(spec)] == []


@pytest.mark.parametrize(
    "family", sorted({spec.family for spec in Zoo.load(overlays=False).values()})
)
def test_the_adapter_of_a_family_knows_the_pipelines_of_the_catalog(zoo: Zoo, family: str):
    assert set(zoo.families[family].pipelines) <= _adapter_pipelines(family)


def test_one_license_has_one_answer_to_commercial_use():
    answers: dict[str, set[str]] = {}
    for spec in Zoo.load(overlays=False).values():
        # A source says where a part of the model has terms beyond those of its license.
        if "terms of" not in spec.sources.get("license", ""):
            answers.setdefault(spec.license, set()).add(spec.commercial)
    assert {license: kinds for license, kinds in answers.items() if len(kinds) > 1} == {}
    assert answers["openrail-m"] == answers["creativeml-openrail-m"] == {"conditions"}
