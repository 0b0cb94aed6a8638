"""CogVideoX 1.5 has positions for frames up to a size, and none beyond."""

import pytest

from t2v.errors import RequestError


@pytest.mark.parametrize(("width", "height"), [(48, 32), (32, 48)])
def test_a_size_beyond_the_positions_of_1_5_is_refused_before_the_first_step(
    load_tiny, width, height
):
    with pytest.raises(RequestError, match=rf"no frames of {width}x{height}.*end at 32x32"):
        load_tiny("cogvideox-1.5").arguments(width=width, height=height)


def test_the_older_ones_have_no_such_end(load_tiny):
    model = load_tiny("cogvideox-5b")
    assert model.ours(width=48, height=32, num_frames=9).shape[:3] == (9, 32, 48)
