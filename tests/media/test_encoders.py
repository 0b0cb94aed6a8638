import os
from pathlib import Path

import pytest

from t2v.media.codecs import CODECS
from t2v.media.probe import working_codecs
from tests.fresh import python


def test_every_codec_encodes_a_frame_here():
    assert working_codecs() == dict.fromkeys(CODECS)


def test_encoders_say_nothing_on_their_own():
    code = "from t2v.media.probe import working_codecs; working_codecs()"
    result = python(code)
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux")
def test_no_encoder_makes_the_process_a_real_time_one(write, frames):
    write("clip.mp4", frames(64, 64, 2), codec="av1")

    policies = {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()}
    assert policies == {os.SCHED_OTHER}
