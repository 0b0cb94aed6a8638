from dataclasses import replace
from pathlib import Path

import pytest

from t2v.plan.footprint import Footprint, role_of, weights_of
from t2v.plan.machine import GIB, Machine
from t2v.plan.memory import RUNGS, plan_memory, weights_on_disk
from t2v.plan.request import MemoryPlan
from t2v.text import gib
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec


def planned(spec: ModelSpec, machine: Machine, wanted: str = "auto", **sizes: int) -> MemoryPlan:
    width, height = spec.sizes.native[0]
    sizes = {"width": width, "height": height, "num_frames": spec.frames.native} | sizes
    return plan_memory(spec, **sizes, dtype="auto", machine=machine, wanted=wanted)


def with_free(machine: Machine, size: float) -> Machine:
    return replace(machine, free_bytes=int(size * GIB))


@pytest.mark.parametrize(
    ("free", "rung", "tiling"),
    [(80, "none", False), (24, "model", False), (12, "group", False), (7, "group", True)],
)
def test_less_memory_means_a_slower_rung(
    wan: ModelSpec, gpu: Machine, free: int, rung: str, tiling: bool
):
    plan = planned(wan, with_free(gpu, free))

    assert (plan.rung, plan.vae_tiling) == (rung, tiling)
    assert plan.warnings == ()


def test_the_reason_gives_both_numbers(wan: ModelSpec, gpu: Machine):
    assert planned(wan, gpu).reason == (
        "all at once would take 22.9 GiB, 24.0 GiB are free on Some GPU"
    )


def test_what_fits_nowhere_takes_the_least_and_warns(wan: ModelSpec, gpu: Machine):
    plan = planned(wan, with_free(gpu, 2))

    assert (plan.rung, plan.vae_tiling) == ("sequential", True)
    assert "this may run out of memory; fewer frames or a smaller size" in plan.warnings[0]


def test_a_wanted_rung_is_kept_and_the_one_that_fits_is_named(wan: ModelSpec, gpu: Machine):
    plan = planned(wan, with_free(gpu, 12), wanted="none")

    assert (plan.rung, plan.reason) == ("none", "as asked for")
    assert plan.warnings == (
        "about 15.9 GiB are needed and 12.0 GiB are free: this may run out of memory; "
        "--memory group fits",
    )


def test_on_the_cpu_the_weights_stay_where_they_are(wan: ModelSpec, desktop: Machine):
    machine = replace(desktop, host_free_bytes=200 * GIB, host_total_bytes=200 * GIB)

    assert planned(wan, machine).rung == "none"
    assert planned(wan, machine).vae_tiling is False


def test_a_wanted_rung_means_nothing_on_the_cpu(wan: ModelSpec, desktop: Machine):
    machine = replace(desktop, host_free_bytes=200 * GIB, host_total_bytes=200 * GIB)

    assert planned(wan, machine, wanted="model").warnings == (
        "--memory model takes weights off a GPU; on the CPU nothing changes",
    )


def test_the_cpu_decodes_in_tiles_when_memory_is_short(wan: ModelSpec, desktop: Machine):
    plan = planned(wan, desktop)

    assert plan.vae_tiling


def test_too_little_memory_of_the_host_is_said_before_the_download(zoo: Zoo, gpu: Machine):
    machine = replace(gpu, host_free_bytes=14 * GIB, host_total_bytes=16 * GIB)

    assert planned(zoo.find("wan2.2-t2v-a14b"), machine).warnings == (
        "64.3 GiB of RAM are needed and this machine has 16.0 GiB: it may run out of memory",
    )


def test_the_cpu_has_a_way_to_need_half(wan: ModelSpec, desktop: Machine):
    machine = replace(desktop, host_free_bytes=16 * GIB, host_total_bytes=16 * GIB)

    assert planned(wan, machine).warnings == (
        "31.0 GiB of RAM are needed and this machine has 16.0 GiB: it may run out of memory; "
        "--dtype bfloat16 needs about half of it",
    )


def test_a_busy_host_is_said_too(wan: ModelSpec, gpu: Machine):
    machine = replace(gpu, host_free_bytes=2 * GIB)

    assert planned(wan, machine).warnings == (
        "13.7 GiB of RAM are needed and 2.0 GiB are free; close other programs",
    )


def test_unknown_memory_moves_one_component_at_a_time(wan: ModelSpec, gpu: Machine):
    plan = planned(wan, replace(gpu, free_bytes=None))

    assert (plan.rung, plan.reason, plan.estimated_bytes) == (
        "model",
        "the free memory is unknown",
        None,
    )


def test_unknown_sizes_say_so(wan: ModelSpec, gpu: Machine, desktop: Machine):
    spec = wan.model_copy(update={"components": {}})

    assert planned(spec, gpu).reason == "the size of the model is unknown"
    assert planned(spec, desktop).reason == "on the CPU, sizes unknown"


def test_files_of_a_folder_stand_in_for_unknown_sizes(wan: ModelSpec, gpu: Machine, tmp_path: Path):
    for name, size in (("transformer/a-1", 600), ("transformer/a-2", 400), ("vae/a", 100)):
        path = tmp_path / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
    weights = weights_on_disk(tmp_path)

    plan = plan_memory(
        wan.model_copy(update={"components": {}}),
        832,
        480,
        81,
        "auto",
        gpu,
        "auto",
        weights=weights,
    )

    assert weights == {"transformer": 1000, "vae": 100}
    assert plan.host_bytes == 1100
    assert plan.rung == "none"


def test_more_frames_never_need_less(wan: ModelSpec, gpu: Machine):
    for rung in RUNGS:
        for tiled in (False, True):
            peaks = [
                Footprint(wan, weights_of(wan, "auto", "cuda"), 832, 480, n, "auto", "cuda").peak(
                    rung, tiled=tiled
                )
                for n in (1, 17, 81, 161)
            ]
            assert peaks == sorted(peaks)


def test_every_rung_needs_no_more_than_the_one_before_it(zoo: Zoo):
    for spec in zoo.values():
        width, height = spec.sizes.native[0]
        weights = weights_of(spec, "auto", "cuda")
        one = Footprint(spec, weights, width, height, spec.frames.native, "auto", "cuda")
        peaks = [one.peak(rung) for rung in RUNGS]
        assert peaks == sorted(peaks, reverse=True), spec.name


def test_tiles_need_less_than_whole_frames(zoo: Zoo):
    for name in ("wan2.1-t2v-14b", "cogvideox-5b", "ltx-video-13b-0.9.7-dev"):
        spec = zoo.find(name)
        width, height = spec.sizes.native[0]
        one = Footprint(spec, {}, width, height, spec.frames.native, "auto", "cuda")
        assert one.decoding(tiled=True) < one.decoding(), name


@pytest.mark.parametrize(
    ("dtype", "device", "gibibytes"),
    [("auto", "cuda", 2.6), ("auto", "cpu", 5.3), ("float32", "cuda", 5.3)],
)
def test_weights_are_counted_in_the_format_they_run_in(
    wan: ModelSpec, dtype: str, device: str, gibibytes: float
):
    size = weights_of(wan, dtype, device)["transformer"]

    assert round(size / GIB, 1) == gibibytes


def test_a_vae_in_float32_stays_there(wan: ModelSpec):
    assert weights_of(wan, "bfloat16", "cuda")["vae"] == weights_of(wan, "float32", "cuda")["vae"]


# Published peaks of CogVideoX-5B at 720x480x49: 33 GB without, 19 GB with model offload.
@pytest.mark.parametrize(("rung", "published"), [("none", 33e9), ("model", 19e9)])
def test_the_arithmetic_is_near_published_peaks(zoo: Zoo, rung: str, published: float):
    spec = zoo.find("cogvideox-5b")
    one = Footprint(spec, weights_of(spec, "auto", "cuda"), 720, 480, 49, "auto", "cuda")

    assert 0.9 < one.peak(rung) / published < 1.25


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("text_encoder_2", "encoder"),
        ("image_encoder", "encoder"),
        ("transformer_2", "denoiser"),
        ("unet", "denoiser"),
        ("vae", "vae"),
        ("vocoder", "other"),
    ],
)
def test_components_are_known_by_their_names(name: str, role: str):
    assert role_of(name) == role


def test_bytes_are_written_for_people():
    assert (gib(15_569_256_448), gib(29_000_000)) == ("14.5 GiB", "28 MiB")


@pytest.mark.parametrize(
    "name", ["wan2.1-t2v-14b", "skyreels-v2-t2v-14b-540p", "helios-base", "hunyuan-video"]
)
def test_frames_that_leave_as_they_come_need_no_more_for_a_longer_clip(zoo: Zoo, name: str):
    spec = zoo.find(name)
    weights = weights_of(spec, "auto", "cuda")
    clips = [Footprint(spec, weights, 640, 384, n, "auto", "cuda") for n in (49, 97)]

    assert clips[0].decoding() == clips[1].decoding()


@pytest.mark.parametrize("name", ["ltx-video-2b-0.9", "ltx-2", "mochi-1", "hunyuan-video-1.5-480p"])
def test_a_long_video_is_decoded_in_less_than_a_clip(zoo: Zoo, name: str):
    spec = zoo.find(name)
    sizes = (*spec.sizes.native[0], spec.frames.native, "auto", "cuda")
    clip, long = (Footprint(spec, {}, *sizes, is_streamed=streamed) for streamed in (False, True))

    assert long.decoding() < clip.decoding()
    assert long.denoising() == clip.denoising()


def test_tiles_of_a_long_video_save_nothing_where_all_memory_is_the_hosts(zoo: Zoo):
    spec = zoo.find("cogvideox-5b")
    sizes = (*spec.sizes.native[0], spec.frames.native, "auto")
    gpu, cpu = (Footprint(spec, {}, *sizes, device, is_streamed=True) for device in ("cuda", "cpu"))

    assert gpu.decoding(tiled=True) < gpu.decoding() / 2
    assert cpu.decoding(tiled=True) == cpu.decoding()


# Counted on the real configurations, by `bench/footprint.py`.
@pytest.mark.parametrize(
    ("name", "gibibytes"), [("ltx-2", 4.5), ("allegro", 8.5), ("cosmos1-7b", 30.8)]
)
def test_decoders_that_hold_little_are_not_taken_for_those_that_hold_much(
    zoo: Zoo, name: str, gibibytes: float
):
    spec = zoo.find(name)
    one = Footprint(spec, {}, *spec.sizes.native[0], spec.frames.native, "auto", "cuda")

    assert round(one.decoding() / GIB, 1) == gibibytes


def test_a_token_is_as_large_as_it_is_where_sizes_are_coarser(zoo: Zoo):
    base, pyramid = (
        Footprint(spec, weights_of(spec, "auto", "cuda"), 640, 384, 97, "auto", "cuda")
        for spec in (zoo.find("helios-base"), zoo.find("helios-mid"))
    )

    assert base.denoising() == pyramid.denoising()
