from hypothesis import given
from hypothesis import strategies as st

from t2v.plan.seeds import MAX_SEED, derive_seed, random_seed


def test_the_first_video_keeps_the_seed():
    assert derive_seed(42, 0) == 42


def test_later_seeds_never_change():
    assert [derive_seed(42, index) for index in (1, 2, 3)] == [
        4251888718461,
        226454022878170,
        168516074113133,
    ]


def test_ten_thousand_videos_have_ten_thousand_seeds():
    assert len({derive_seed(7, index) for index in range(10_000)}) == 10_000


@given(st.integers(0, MAX_SEED), st.integers(0, 10_000))
def test_derived_seeds_are_seeds(seed, index):
    assert 0 <= derive_seed(seed, index) <= MAX_SEED


def test_random_seeds_are_short_and_differ():
    seeds = {random_seed() for _ in range(100)}

    assert len(seeds) == 100
    assert max(seeds) < 2**32
