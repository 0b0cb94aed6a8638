"""AnyFlow: few steps over the whole clip, or chunk by chunk to any length."""

import numpy as np
import pytest

from t2v.runtime.quiet import quiet


@pytest.fixture(scope="module")
def far(load_tiny):
    """Trained on four latents, cut into chunks of one and three."""
    return load_tiny("anyflow-far")


def test_a_clip_of_the_trained_length_keeps_the_trained_chunks(far):
    assert "chunk_partition" not in far.arguments(num_frames=13)


@pytest.mark.parametrize(
    ("num_frames", "chunks"), [(1, [1]), (9, [1, 2]), (21, [1, 3, 2]), (25, [1, 3, 3])]
)
def test_another_length_is_cut_the_same_way(far, num_frames, chunks):
    assert far.arguments(num_frames=num_frames)["chunk_partition"] == chunks


@pytest.mark.parametrize("num_frames", [9, 25])
def test_other_lengths_are_equal_too(far, num_frames):
    frames = far.ours(num_frames=num_frames)

    assert len(frames) == num_frames
    np.testing.assert_array_equal(frames, far.direct(num_frames=num_frames))


@pytest.mark.parametrize(("num_frames", "num_steps"), [(13, 4), (25, 6)])
def test_steps_count_on_over_the_chunks(far, num_frames, num_steps):
    heard = []
    with quiet():
        far.adapter.denoise(
            far.pipe,
            far.arguments(num_frames=num_frames),
            lambda step, of: heard.append((step, of)),
        )

    assert heard == [(step, num_steps) for step in range(num_steps + 1)]


def test_any_number_of_steps_will_do(load_tiny):
    model = load_tiny("anyflow")

    for steps in (1, 3, 5):
        np.testing.assert_array_equal(
            model.ours(num_inference_steps=steps), model.direct(num_inference_steps=steps)
        )
