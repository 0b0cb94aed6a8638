"""Frames of latents that come in pieces are those of one decode."""

import copy

import diffusers
import numpy as np
import pytest
import torch

from t2v.plan.latents import latent_frames, pixel_frames
from t2v.runtime.adapter import Latents
from t2v.runtime.chunks import decoded_with_context
from t2v.runtime.quiet import quiet
from tests.longvideo.making import EMBEDDED, load_long, tiny_with_windows


def pieces(latents, *sizes):
    """Cut along time, the last size again and again."""
    start = 0
    for size in [*sizes, *[sizes[-1]] * latents.shape[2]]:
        if start < latents.shape[2]:
            yield latents[:, :, start : start + size]
            start += size


def decoded(long, latents):
    with quiet():
        return np.stack(list(long.adapter.decode(long.pipe, Latents(latents))))


def streamed(long, chunks):
    with quiet():
        return np.stack(list(long.adapter.decode_stream(long.pipe, iter(chunks))))


def random_latents(long, num_latents):
    generator = torch.Generator().manual_seed(0)
    plan = long.plan(long.window)
    like = long.latents(plan)
    shape = (1, like.shape[1], num_latents, *like.shape[3:])
    return torch.randn(shape, generator=generator).to(like.dtype)


@pytest.mark.parametrize("name", tiny_with_windows())
def test_pieces_make_the_frames_of_one_decode(name):
    long = load_long(name)
    # Odd: of an even number CogVideoX's own decode makes no first frame, but four.
    latents = random_latents(long, 2 * long.window + 1)

    expected = decoded(long, latents)
    frames = streamed(long, pieces(latents, 2, 1, 3))

    assert np.ptp(expected) > 0.05
    assert frames.shape == expected.shape
    np.testing.assert_allclose(frames, expected, rtol=0, atol=1e-5)


LAYERED = ["ltx", "ltx-0.9.5", "ltx-2", "ltx-2-timestep", "hunyuan-video-1.5"]
"""Tiny pipelines that are decoded layer by layer."""


@pytest.mark.parametrize("num_latents", [21, 40])
@pytest.mark.parametrize("name", LAYERED)
def test_layers_have_all_that_their_frames_depend_on(name, num_latents):
    long = load_long(name)
    latents = random_latents(long, num_latents)

    frames = streamed(long, pieces(latents, 5, 1, 7))

    np.testing.assert_allclose(frames, decoded(long, latents), rtol=0, atol=1e-5)


def test_a_deep_ltx_decoder_with_wider_blocks_looks_as_far_as_it_has_to():
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 16, 16),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(2, 3, 2, 4),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_inject_noise=(False, False, False, False),
        upsample_residual=(True, True, True),
        upsample_factor=(2, 2, 1),
        timestep_conditioning=True,
    ).eval()
    long = load_long("ltx-0.9.5").copy(vae=vae)
    latents = random_latents(load_long("ltx-0.9.5"), 50)

    frames = streamed(long, pieces(latents, 3))

    np.testing.assert_allclose(frames, decoded(long, latents), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "kind",
    [
        {"decoder_causal": False, "timestep_conditioning": True, "upsample_factor": (2, 2, 2)},
        {"decoder_causal": True, "timestep_conditioning": False, "upsample_factor": (1, 1, 1)},
    ],
    ids=["looks ahead", "causal"],
)
def test_a_deep_ltx_2_decoder_looks_as_far_as_it_has_to(kind):
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8, 8, 8),
        down_block_types=("LTX2VideoDownBlock3D",) * 3,
        layers_per_block=(1, 1, 1, 1),
        downsample_type=("spatial", "temporal", "spatiotemporal"),
        decoder_block_out_channels=(8, 16, 32),
        decoder_layers_per_block=(3, 2, 4, 3),
        decoder_spatio_temporal_scaling=(True, True, True),
        upsample_type=("spatial", "temporal", "spatiotemporal"),
        upsample_residual=(True, True, True),
        **kind,
    ).eval()
    long = load_long("ltx-2-timestep").copy(vae=vae)
    latents = random_latents(load_long("ltx-2-timestep"), 50)

    frames = streamed(long, pieces(latents, 3))

    np.testing.assert_allclose(frames, decoded(long, latents), rtol=0, atol=1e-5)


def test_a_deep_hunyuan_video_15_decoder_recalls_all_that_it_attends_to():
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKLHunyuanVideo15(
        latent_channels=4,
        block_out_channels=(8, 16, 16, 32),
        layers_per_block=2,
        spatial_compression_ratio=8,
        temporal_compression_ratio=4,
    ).eval()
    long = load_long("hunyuan-video-1.5").copy(vae=vae)
    latents = random_latents(load_long("hunyuan-video-1.5"), 40)

    frames = streamed(long, pieces(latents, 1, 5))

    assert len(frames) == 4 * 39 + 1
    np.testing.assert_allclose(frames, decoded(long, latents), rtol=0, atol=1e-5)


def tiling(vae):
    """The same weights, decoded in tiles of three latents or four that overlap."""
    vae = copy.deepcopy(vae)
    pixels = 4 * getattr(vae, "spatial_compression_ratio", 8)
    if hasattr(vae, "tile_overlap_factor"):
        vae.enable_tiling(pixels, pixels, 4, 4)
    elif hasattr(vae, "tile_overlap_factor_height"):
        vae.enable_tiling(pixels, pixels, 0.25, 0.25)
    else:
        vae.enable_tiling(pixels, pixels, 3 * pixels // 4, 3 * pixels // 4)
    return vae


def wide_latents(long, num_latents):
    """As many as make several tiles, down and across."""
    like = random_latents(long, 1)
    shape = (1, like.shape[1], num_latents, 8, 11)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(like.dtype)


@pytest.mark.parametrize("num_latents", [1, 3, 8, 9, 16, 18])
@pytest.mark.parametrize("name", ["wan", "cogvideox"])
def test_tiles_make_the_same_number_of_frames(name, num_latents):
    long = load_long(name)
    long = long.copy(vae=tiling(long.pipe.vae))
    frames = streamed(long, pieces(wide_latents(long, num_latents), 3))
    assert len(frames) == pixel_frames(long.rule, num_latents)


REMEMBERING = ["wan", "wan-2.2-5b", "cogvideox", "mochi", "easyanimate"]
"""Tiny pipelines whose decoder goes forward in time and remembers."""


@pytest.mark.parametrize("name", [*REMEMBERING, *LAYERED, "sana-video-720p"])
def test_tiles_are_streamed_beside_each_other(name):
    long = load_long(name)
    latents = wide_latents(long, 21)
    long = long.copy(vae=tiling(long.pipe.vae))

    frames = streamed(long, pieces(latents, 5))
    expected = decoded(long, latents)

    assert frames.shape == expected.shape
    np.testing.assert_allclose(frames, expected, rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("name", [*REMEMBERING, *LAYERED])
def test_tiles_that_rest_in_the_memory_of_the_host_go_on_on_the_device(name):
    long = load_long(name)
    vae = tiling(long.pipe.vae).to("cuda")
    long, latents = long.copy(vae=vae), wide_latents(long, 21).to("cuda")

    frames = streamed(long, pieces(latents, 5))

    np.testing.assert_allclose(frames, decoded(long, latents), rtol=0, atol=1e-3)


@pytest.mark.parametrize("tiled", [False, True], ids=["whole", "tiled"])
@pytest.mark.parametrize("name", [*REMEMBERING, "ltx-2", "hunyuan-video-1.5", "sana-video-720p"])
def test_frames_come_long_before_the_last_latents(name, tiled):
    long, taken = load_long(name), []
    latents = random_latents(long, 60)
    if tiled:
        long = long.copy(vae=tiling(long.pipe.vae))
        latents = wide_latents(long, 60)

    def source():
        for piece in pieces(latents, 1):
            taken.append(piece.shape[2])
            yield piece

    with quiet():
        stream = long.adapter.decode_stream(long.pipe, source())
        next(stream)
        stream.close()

    assert sum(taken) <= 24


@pytest.mark.parametrize("name", ["wan", "wan-2.2-5b", "cogvideox", *LAYERED, "modelscope"])
def test_any_number_of_latents_makes_the_right_number_of_frames(name):
    long = load_long(name)
    latents = random_latents(long, 20)
    # CogVideoX decodes two latents as a pair of later ones.
    numbers = [n for n in range(1, 21) if n != 2 or name != "cogvideox"]

    counts = {n: len(streamed(long, pieces(latents[:, :, :n], 3))) for n in numbers}

    assert counts == {n: pixel_frames(long.rule, n) for n in numbers}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *(
            "wan",
            "cogvideox",
            "ltx",
            "modelscope",
            "animatediff",
            "latte",
            "mochi",
            "hunyuan-video",
        ),
        EMBEDDED,
    ],
)
def test_every_number_of_frames_up_to_200_is_exact(name):
    long = load_long(name)
    latents = random_latents(long, latent_frames(long.rule, 200))
    needed = {num_frames: latent_frames(long.rule, num_frames) for num_frames in range(6, 201)}

    # Several lengths need the same latents.
    made = {
        number: len(streamed(long, pieces(latents[:, :, :number], long.window)))
        for number in set(needed.values())
    }

    for num_frames, number in needed.items():
        assert num_frames <= made[number] < num_frames + long.rule.factor


def test_context_is_cut_out_by_frames():
    """A decoder whose frames are the sums of three latents, two frames each but the first."""

    def decode(latents):
        values = torch.nn.functional.pad(latents[0, 0, :, 0, 0], (1, 1))
        sums = values[:-2] + values[1:-1] + values[2:]
        for index, value in enumerate(sums):
            yield from [np.float32(value)] * (2 if index else 1)

    latents = torch.arange(1.0, 20.0).reshape(1, 1, 19, 1, 1)

    frames = list(decoded_with_context(decode, pieces(latents, 1, 4, 2), 1, 2))

    assert frames == list(decode(latents))


def test_a_stream_takes_no_more_latents_than_its_frames_need():
    long = load_long("wan")
    taken = []

    def source():
        for piece in pieces(random_latents(long, 9), 1):
            taken.append(piece.shape[2])
            yield piece

    frames = long.adapter.decode_stream(long.pipe, source())
    for _ in range(6):
        next(frames)

    assert sum(taken) == 3
    frames.close()
