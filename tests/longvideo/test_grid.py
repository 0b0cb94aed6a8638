"""Who shares frames with whom."""

from itertools import count

from t2v.longvideo.grid import Grid, Overlap
from t2v.plan.windows import Window, spans, weights


def grid_of(num_latents, length, overlap, **more):
    placed = spans(num_latents, length, overlap, **more)
    given = weights(placed, num_latents, length, **more)
    windows = [Window(k, 0, s.start, length, given[k], "a") for k, s in enumerate(placed)]
    loop_latents = num_latents if more.get("loop") else None
    return Grid(iter(windows), loop_latents=loop_latents)


def test_neighbors_give_to_each_other():
    grid = grid_of(13, 5, 2)

    assert grid.has(3)
    assert not grid.has(4)
    assert [grid.givers(k) for k in range(4)] == [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]
    assert [grid.takers(k) for k in range(4)] == [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3]]
    assert grid.overlaps(1, 2) == [Overlap(own=2, other=0, length=3)]


def test_a_window_hands_on_its_frames_up_to_the_next_start():
    grid = grid_of(13, 5, 2)
    grid.has(3)

    assert [grid.owned(k) for k in range(4)] == [3, 2, 3, 5]
    assert [grid.last_givers(k) for k in range(4)] == [[0], [0, 1], [1, 2], [2, 3]]


def test_a_window_without_a_weight_on_the_frames_of_another_gives_it_nothing():
    windows = [
        Window(0, 0, 0, 4, (1.0, 1.0, 1.0, 0.0), "a"),
        Window(1, 0, 3, 4, (1.0, 1.0, 1.0, 1.0), "b"),
    ]
    grid = Grid(iter(windows))
    grid.has(1)

    assert grid.givers(0) == [0, 1]
    assert grid.givers(1) == [1]
    assert grid.takers(0) == [0]


def test_on_a_ring_the_last_window_meets_the_first():
    grid = grid_of(12, 5, 2, loop=True)

    assert 0 in grid.givers(3)
    assert 3 in grid.givers(0)
    assert sum(grid.owned(k) for k in range(4)) == 12


def test_windows_without_an_end_are_taken_when_they_are_needed():
    taken = []

    def source():
        for k in count():
            taken.append(k)
            yield Window(k, 0, 3 * k, 5, (0.0, 0.5, 1.0, 1.0, 0.5), "a")

    grid = Grid(source(), stride=3)
    grid.has(0)
    before = list(taken)
    givers = grid.givers(0)

    assert before == [0]
    assert givers == [0, 1]
    assert taken == [0, 1]


def test_what_is_done_with_is_forgotten():
    grid = Grid((Window(k, 0, 3 * k, 5, (1.0,) * 5, "a") for k in count()), stride=3)
    for k in range(100):
        grid.has(k)
        grid.givers(k)
        grid.forget_before(k)

    assert len(grid._windows) <= 3
