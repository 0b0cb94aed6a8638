import subprocess
import sys

from t2v.media.codecs import CODECS
from t2v.media.probe import working_codecs


def test_every_codec_encodes_a_frame_here():
    assert working_codecs() == dict.fromkeys(CODECS)


def test_encoders_say_nothing_on_their_own():
    code = "from t2v.media.probe import working_codecs; working_codecs()"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("", "")
