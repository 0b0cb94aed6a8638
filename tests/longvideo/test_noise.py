"""Noise by latent frame."""

import pytest
import torch

from t2v.longvideo.noise import ShotNoise, frame_noise, noise_by_frame, one_draw
from t2v.runtime.layout import LatentLayout

LAYOUT = LatentLayout((1, 4, 6, 8, 8), 2)
TOKENS = LatentLayout((1, 6 * 16, 4), 1, rows_per_frame=16)


def windows(noise, starts, layout=LAYOUT):
    return [noise.initial(layout, start) for start in starts]


def test_a_seed_gives_the_same_noise_on_every_machine():
    assert frame_noise(3, 0, 5, (4,)).tolist() == pytest.approx(
        [-0.41119418, 0.43654245, 0.01840979, 0.18584025], abs=1e-6
    )


@pytest.mark.parametrize("kind", ["independent", "freenoise", "mixed:0.5"])
def test_a_longer_video_begins_with_the_noise_of_a_shorter_one(kind):
    short = windows(ShotNoise(3, kind), [0, 4, 8])
    long = windows(ShotNoise(3, kind), [0, 4, 8, 12, 16])

    assert all(torch.equal(a, b) for a, b in zip(short, long, strict=False))


@pytest.mark.parametrize("kind", ["independent", "freenoise", "mixed:0.5"])
@pytest.mark.parametrize("layout", [LAYOUT, TOKENS], ids=["B C F H W", "tokens"])
def test_windows_agree_where_they_overlap(kind, layout):
    first, second = windows(ShotNoise(3, kind), [0, 4], layout)

    assert torch.equal(layout.frames(first, 4, 2), layout.frames(second, 0, 2))


@pytest.mark.parametrize("kind", ["independent", "freenoise", "mixed:0.25"])
def test_noise_is_standard_normal(kind):
    layout = LatentLayout((1, 16, 21, 30, 52), 2)
    noise = ShotNoise(8, kind).initial(layout, 0)

    assert noise.dtype == torch.float32
    assert abs(float(noise.mean())) < 0.01
    assert float(noise.std()) == pytest.approx(1, abs=0.01)
    assert float(noise.pow(4).mean()) == pytest.approx(3, abs=0.05)
    by_frame = noise.movedim(2, 0).flatten(1)
    correlation = torch.corrcoef(by_frame) - torch.eye(21)
    assert correlation.abs().max() < 0.03


def test_seeds_shots_and_streams_have_nothing_in_common():
    shape = (64, 64)
    draws = [
        frame_noise(seed, stream, frame, shape).flatten()
        for seed in (0, 1, 2**32, 2**53)
        for stream in (0, 5)
        for frame in (-1, 0, 1, 2**32)
    ]
    correlation = torch.corrcoef(torch.stack(draws)) - torch.eye(len(draws))

    assert correlation.abs().max() < 0.08


@pytest.mark.parametrize("starts", [[0, 4, 8, 12], [0, 1, 5, 5, 11, 14, 19]])
def test_freenoise_gives_every_window_the_same_frames(starts):
    by_window = [
        sorted(window[0, :, i].sum().item() for i in range(6))
        for window in windows(ShotNoise(3, "freenoise"), starts)
    ]

    assert all(frames == by_window[0] for frames in by_window)
    assert len(set(by_window[0])) == 6


def test_freenoise_shuffles():
    first, second = windows(ShotNoise(3, "freenoise"), [0, 6])

    assert not torch.equal(first, second)


def test_mixed_noise_shares_the_part_of_the_variance_that_was_asked_for():
    shape = LatentLayout((1, 16, 6, 32, 32), 2)
    mixed, shared = ShotNoise(3, "mixed:0.25"), ShotNoise(3, "freenoise")
    for noise in (mixed, shared):
        noise.initial(shape, 0)
    one, other = mixed.initial(shape, 6).flatten(), shared.initial(shape, 6).flatten()

    assert float(torch.corrcoef(torch.stack([one, other]))[0, 1]) == pytest.approx(0.5, abs=0.01)


def test_a_ring_has_one_noise_a_frame():
    noise = ShotNoise(3, "independent", loop_latents=8)
    last, first = noise.initial(LAYOUT, 5), noise.initial(LAYOUT, 0)

    assert torch.equal(last[:, :, 3:], first[:, :, :3])


def test_padding_in_front_continues_the_frames_to_the_left():
    padded = LatentLayout((1, 7, 4, 8, 8), 1, leading=1)
    noise = ShotNoise(3, "independent")
    first, second = windows(noise, [0, 4], padded)

    assert torch.equal(second[:, 0], first[:, 4])
    assert torch.equal(padded.frames(first, 4, 2), padded.frames(second, 0, 2))


def test_what_a_scheduler_draws_agrees_in_overlaps_and_differs_from_step_to_step():
    noise = ShotNoise(3, "independent")
    draws = {}
    for start, step in ((0, 0), (4, 0), (0, 1)):
        with noise_by_frame(noise, LAYOUT, start, step):
            draws[start, step] = (
                torch.randn(LAYOUT.shape),
                torch.randn_like(torch.zeros(1, 4, 6, 8, 8)),
            )

    for number in (0, 1):
        assert torch.equal(draws[0, 0][number][:, :, 4:], draws[4, 0][number][:, :, :2])
    values = [draw.flatten() for pair in draws.values() for draw in pair]
    assert (torch.corrcoef(torch.stack(values[:2] + values[4:])) - torch.eye(4)).abs().max() < 0.1


def test_own_noise_in_each_window_would_lose_a_third_of_its_deviation():
    halves = [torch.randn(100_000, generator=torch.Generator().manual_seed(i)) for i in (1, 2)]

    assert float((0.5 * halves[0] + 0.5 * halves[1]).std()) == pytest.approx(0.707, abs=0.01)


def test_other_draws_are_left_alone():
    torch.manual_seed(0)
    expected = torch.randn(3, 5)
    torch.manual_seed(0)
    with noise_by_frame(ShotNoise(3, "independent"), LAYOUT, 0, 0):
        got = torch.randn(3, 5)

    assert torch.equal(got, expected)


def test_only_the_first_draw_of_a_pipeline_is_replaced():
    initial = torch.full((2, 3), 7.0)
    with one_draw(initial):
        first, second = torch.randn((2, 3)), torch.randn((2, 3))

    assert torch.equal(first, initial)
    assert not torch.equal(second, initial)
