import hashlib

import numpy as np

from t2v.media.frames import FrameHash, to_uint8, to_uint16


def one_row(*values):
    return np.array(values, np.float32).reshape(1, -1, 1).repeat(3, axis=2)


def test_floats_are_rounded_to_the_nearest_level():
    assert to_uint8(one_row(0, 0.4 / 255, 0.6 / 255, 254.6 / 255, 1))[0, :, 0].tolist() == [
        *(0, 0, 1, 255, 255)
    ]


def test_what_is_out_of_range_is_clipped_and_never_wraps():
    row = one_row(-0.01, 1.01, -np.inf, np.inf, np.nan)
    assert to_uint8(row)[0, :, 0].tolist() == [0, 255, 0, 255, 0]
    assert to_uint16(row)[0, :, 0].tolist() == [0, 65535, 0, 65535, 0]


def test_white_stays_white_in_16_bits():
    assert to_uint16(np.full((1, 1, 3), 255, np.uint8)).tolist() == [[[65535] * 3]]


def test_the_frame_given_is_left_as_it_was():
    frame = one_row(0.5, 2)
    to_uint8(frame)
    assert frame[0, :, 0].tolist() == [0.5, 2]


def test_the_hash_is_sha256_of_the_bytes_of_all_frames_in_order():
    rng = np.random.default_rng(0)
    clip = [rng.integers(0, 255, (8, 9, 3), dtype=np.uint8) for _ in range(3)]
    whole = FrameHash()
    for frame in clip:
        whole.update(frame)
    assert whole.hexdigest() == hashlib.sha256(b"".join(map(np.ndarray.tobytes, clip))).hexdigest()


def test_a_float_frame_has_the_hash_of_its_bytes():
    frame = np.random.default_rng(0).random((8, 9, 3), np.float32)
    floats, integers = FrameHash(), FrameHash()
    floats.update(frame)
    integers.update(to_uint8(frame))
    assert floats.hexdigest() == integers.hexdigest()
