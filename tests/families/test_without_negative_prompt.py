"""Most people say what they want, and not what they do not want."""

import numpy as np
import pytest

from t2v.testing import TINY

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", TINY)
def test_a_request_needs_no_negative_prompt(load_tiny, name):
    model = load_tiny(name)

    frames = model.ours(negative_prompt=None)

    assert np.isfinite(frames).all()
    assert np.ptp(frames) > 0.1
