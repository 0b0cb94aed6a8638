"""A call on a thread that runs only while it is waited for."""

import _thread
import threading
import time

import pytest

from t2v.longvideo.baton import Call, Finished


def counting(meet):
    received = []
    for number in range(3):
        received.append(meet(number))
    return received


def test_a_call_stops_in_every_meeting():
    call = Call(counting, "counting")

    shown = [call.send(), call.send("a"), call.send("b")]
    finished = call.send("c")

    assert shown == [0, 1, 2]
    assert isinstance(finished, Finished)
    assert finished.result == ["a", "b", "c"]


def test_what_it_raises_reaches_whoever_sent_it_on():
    def failing(meet):
        meet(1)
        raise KeyError("lost")

    call = Call(failing, "failing")
    call.send()

    with pytest.raises(KeyError, match="lost"):
        call.send()


def test_an_interrupt_raised_inside_arrives_outside():
    def interrupted(meet):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Call(interrupted, "interrupted").send()


def test_closing_ends_a_waiting_call_and_runs_its_cleanup():
    ended = []

    def careful(meet):
        try:
            meet(1)
        finally:
            ended.append(True)

    call = Call(careful, "window careful")
    call.send()
    call.close()

    assert ended == [True]


def test_closing_a_call_that_never_ran_does_nothing():
    Call(counting, "counting").close()


def test_ctrl_c_in_the_middle_of_a_step_ends_the_step():
    def busy(meet):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(0.001)

    call = Call(busy, "window busy")
    threading.Timer(0.2, _thread.interrupt_main).start()
    began = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        call.send()
    call.close()

    assert time.monotonic() - began < 20
