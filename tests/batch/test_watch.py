"""Who hangs, by a clock that the test moves."""

from t2v.batch.making import Failure
from t2v.batch.running.tries import Alike, Tries
from t2v.batch.running.watch import Watch
from tests.batch.quick_run import plan_of

A, B, C = plan_of(["a", "b", "c"]).jobs


def working(timeout_s: float | None) -> Watch:
    """A worker that was told to make A and B at 0."""
    watch = Watch(timeout_s)
    watch.loads("w", 0)
    watch.loaded("w", 0)
    watch.begins("w", [A], 0)
    watch.begins("w", [B], 0)
    return watch


def test_silence_beyond_the_limit_is_a_hang_of_all_it_has():
    watch = working(10)
    assert watch.hangs(10) == []
    [hang] = watch.hangs(11)
    assert (hang.worker, hang.silence_s, hang.culprits) == ("w", 11, (A.key, B.key))


def test_whoever_is_heard_of_does_not_hang():
    watch = working(10)
    watch.heard("w", A.id, 9)
    assert watch.hangs(18) == []


def test_one_that_says_nothing_while_two_others_come_and_go_is_the_culprit():
    watch = working(10)
    for now in (4, 8):
        watch.ended("w", [B.key], now)
        watch.begins("w", [B], now)
    watch.heard("w", B.id, 12)
    [hang] = watch.hangs(13)
    assert hang.culprits == (A.key,)


def test_one_that_waits_for_another_lane_does_not_hang():
    watch = working(10)
    for now in range(100):
        watch.heard("w", B.id, now)
    assert watch.hangs(100) == []


def test_an_idle_worker_may_be_silent():
    watch = working(10)
    watch.ended("w", [A.key], 1)
    watch.ended("w", [B.key], 1)
    assert watch.hangs(1000) == []


def test_the_limit_follows_the_longest_silence_seen():
    watch = working(None)
    watch.heard("w", A.id, 1, is_step=True)
    watch.heard("w", A.id, 101)
    assert watch.hangs(101 + 1000) == []
    assert len(watch.hangs(101 + 1001)) == 1


def test_the_first_step_may_take_as_long_as_loading():
    watch = working(None)
    assert watch.hangs(1800) == []
    assert len(watch.hangs(1801)) == 1


def test_loading_that_does_not_end_is_a_hang_of_no_job():
    watch = Watch(10)
    watch.loads("w", 0)
    assert watch.hangs(1800) == []
    assert watch.hangs(1801)[0].culprits == ()


def test_the_dead_do_not_hang():
    watch = working(10)
    watch.died("w")
    assert watch.hangs(100) == []


def test_a_job_is_given_up_at_the_second_death_that_is_surely_its_own():
    tries = Tries(retry=1)
    verdicts = [tries.died(A, is_surely_it=sure) for sure in (False, True, True)]
    assert verdicts == ["alone", "alone", "failed"]


def test_a_job_whose_machines_are_taken_away_is_not_given_up():
    tries = Tries(retry=0)
    assert {tries.was_taken_away(A) for _ in range(20)} == {"again", "alone"}


def test_the_third_of_the_same_failure_is_noticed_only_before_a_success():
    same, other = (Failure("generation", "GenerationError", text) for text in ("x", "y"))
    alike = Alike()
    assert [alike.add(failure) for failure in (same, same, other, other, other)] == [
        *(False, False, False, False, True)
    ]
    alike.has_succeeded = True
    assert alike.add(other) is False
