"""How long a long video takes, from runs of one clip, and the other way round."""

import pytest

from t2v.plan.forecast import forecast, timings_of_one, workload_of
from t2v.plan.history import Run
from t2v.zoo.spec import ModelSpec
from tests.plan.long import request, windowed

CLIP = {"load": 8.0, "encode": 1.0, "denoise": 50.0, "decode": 8.1, "write": 1.62}


@pytest.fixture(scope="session")
def long_wan(wan: ModelSpec) -> ModelSpec:
    return windowed(wan)


def test_a_long_video_takes_a_clips_denoising_for_every_window(long_wan):
    long = request(long_wan, num_frames=162)
    run = Run(workload_of(long_wan, request(long_wan), "gpu"), CLIP)
    estimate = forecast(long_wan, long, "gpu", [run])
    assert (estimate.load_s, estimate.encode_s, estimate.is_scaled) == (8.0, 1.0, False)
    assert estimate.denoise_s == pytest.approx(3 * 50)
    assert (estimate.decode_s, estimate.write_s) == pytest.approx((16.2, 3.24))


def test_a_long_run_is_remembered_as_one_clip(long_wan):
    long = request(long_wan, num_frames=162)
    taken = {"load": 8.0, "encode": 1.0, "denoise": 150.0, "decode": 16.2, "write": 3.24}
    workload = workload_of(long_wan, long, "gpu")
    assert workload == workload_of(long_wan, request(long_wan), "gpu")
    assert timings_of_one(long, workload, taken) == pytest.approx(CLIP)


def test_a_clip_is_remembered_as_it_was(long_wan):
    clip = request(long_wan)
    assert timings_of_one(clip, workload_of(long_wan, clip, "gpu"), CLIP) == CLIP


def test_one_call_of_any_length_is_remembered_by_its_length(long_wan):
    supports = long_wan.supports.model_copy(update={"long_video": ("native",)})
    spec = long_wan.model_copy(update={"supports": supports})
    assert workload_of(spec, request(spec, num_frames=161), "gpu").num_frames == 161


def test_nobody_knows_how_long_a_video_without_an_end_takes(long_wan):
    run = Run(workload_of(long_wan, request(long_wan), "gpu"), CLIP)
    assert forecast(long_wan, request(long_wan, endless=True), "gpu", [run]) is None
