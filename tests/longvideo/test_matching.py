"""Statistics of a continued video, matched to its first window."""

import pytest
import torch

from t2v.longvideo.matching import matched


def latents(num_latents, mean, deviation, seed=0):
    noise = torch.randn((1, 4, num_latents, 8, 8), generator=torch.Generator().manual_seed(seed))
    noise = (noise - noise.mean((2, 3, 4), keepdim=True)) / noise.std((2, 3, 4), keepdim=True)
    return noise * deviation + mean


def statistics(video):
    return video.mean((2, 3, 4))[0].tolist(), video.std((2, 3, 4))[0].tolist()


def joined(chunks, **options):
    return torch.cat(list(matched(iter(chunks), **options)), dim=2)


def test_the_first_window_stays_to_the_bit():
    video = torch.cat([latents(5, 0, 1), latents(3, 2, 3)], dim=2)
    assert torch.equal(joined([video], first=5, stride=3)[:, :, :5], video[:, :, :5])


def test_a_quarter_of_the_way_back_to_the_first_window():
    later = joined([latents(5, 0, 1), latents(3, 2, 3)], first=5, stride=3)[:, :, 5:]
    means, deviations = statistics(later)
    assert means == pytest.approx([1.5] * 4, abs=1e-4)
    assert deviations == pytest.approx([2.5] * 4, abs=1e-4)


def test_all_of_it_takes_drift_away():
    drifting = [latents(5, 0, 1), *(latents(3, step, 1 + step, step) for step in range(1, 6))]
    last = joined(drifting, first=5, stride=3, share=1.0)[:, :, -3:]
    means, deviations = statistics(last)
    assert means == pytest.approx([0] * 4, abs=1e-4)
    assert deviations == pytest.approx([1] * 4, abs=1e-4)


def test_how_the_latents_are_cut_on_the_way_does_not_matter():
    video = torch.cat([latents(5, 0, 1), *(latents(3, 2, 3, seed) for seed in range(4))], dim=2)
    whole = joined([video], first=5, stride=3)
    assert torch.equal(joined(video.split(2, dim=2), first=5, stride=3), whole)
    assert torch.equal(joined(video.split(1, dim=2), first=5, stride=3), whole)
    assert whole.shape == video.shape


def test_a_last_stretch_that_is_short_is_there_too():
    assert joined([latents(7, 0, 1)], first=5, stride=3).shape[2] == 7


def test_a_channel_without_deviation_is_moved_and_not_blown_up():
    flat = torch.full((1, 4, 3, 8, 8), 2.0)
    later = joined([latents(5, 0, 1), flat], first=5, stride=3)[:, :, 5:]
    assert torch.allclose(later, torch.full_like(later, 1.5), atol=1e-4)


def test_the_number_format_stays():
    half = [latents(5, 0, 1).bfloat16(), latents(3, 2, 3).bfloat16()]
    assert joined(half, first=5, stride=3).dtype == torch.bfloat16
