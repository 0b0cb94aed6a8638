"""What an independent reader finds in every kind of video file."""

from fractions import Fraction

import numpy as np
import pytest

from t2v.errors import GenerationError, RequestError
from t2v.media.probe import opened, probe, read_frames
from t2v.media.writer import open_writer

KINDS = [
    ("clip.mp4", "h264", "h264", "avc1", "yuv420p"),
    ("clip.mp4", "hevc", "hevc", "hvc1", "yuv420p10le"),
    ("clip.mp4", "av1", "av1", "av01", "yuv420p10le"),
    ("clip.webm", "vp9", "vp9", None, "yuv420p"),
    ("clip.mov", "prores", "prores", "apch", "yuv422p10le"),
    ("clip.avif", "avif", "av1", "av01", "yuv420p10le"),
    ("clip.mkv", "h264", "h264", None, "yuv420p"),
]
NTSC = Fraction(24000, 1001)


def assert_is_right(stream, kind, width, height, fps, count):
    _, _, codec, tag, pix_fmt = kind
    assert (stream["codec_name"], stream["pix_fmt"]) == (codec, pix_fmt)
    assert tag in (None, stream["codec_tag_string"])
    assert (stream["width"], stream["height"]) == (width, height)
    assert stream["color_range"] == "tv"
    assert stream["color_space"] == "bt709"
    assert stream["color_transfer"] == "bt709"
    assert stream["color_primaries"] == "bt709"
    assert Fraction(stream["r_frame_rate"]) == Fraction(stream["avg_frame_rate"]) == fps
    assert int(stream["nb_read_frames"]) == count


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[1]}-{kind[0]}")
def test_tags_rate_and_count_are_exact(kind, frames, write, ffprobe):
    path = write(kind[0], frames(64, 64, 9), fps=NTSC, codec=kind[1])
    assert_is_right(ffprobe(path)["video"], kind, 64, 64, NTSC, 9)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[1]}-{kind[0]}")
def test_an_odd_size_is_padded_and_said(kind, frames, tmp_path, ffprobe):
    with open_writer(
        tmp_path / kind[0], width=97, height=65, fps=Fraction(16), codec=kind[1]
    ) as writer:
        for frame in frames(97, 65, 5):
            writer.write(frame)
        path = writer.finish()
    height = 65 if kind[1] == "prores" else 66
    assert_is_right(ffprobe(path)["video"], kind, 98, height, 16, 5)
    assert writer.notes[0].startswith(f"97x65 -> 98x{height}, {kind[1]} takes even sizes")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(854, 480), (1280, 720), (1920, 1080)], ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[1]}-{kind[0]}")
def test_common_sizes_are_tagged_alike(kind, size, frames, write, ffprobe):
    path = write(kind[0], frames(*size, 4), fps=Fraction(25), codec=kind[1])
    assert_is_right(ffprobe(path)["video"], kind, *size, 25, 4)


@pytest.mark.parametrize("fps", ["16", "24000/1001", "30000/1001", "25/2", "1/2", "1000"])
def test_any_rational_rate_is_kept(fps, frames, write, ffprobe):
    stream = ffprobe(write("clip.mp4", frames(64, 64, 5), fps=Fraction(fps)))["video"]
    assert Fraction(stream["avg_frame_rate"]) == Fraction(fps)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
def test_the_index_comes_before_the_frames(name, frames, write):
    data = write(name, frames(64, 64, 30), metadata={"prompt": "x" * 100_000}).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_an_edge_is_repeated_where_an_odd_size_is_padded(write):
    bright = np.full((33, 33, 3), 200, np.uint8)
    padded = next(read_frames(write("clip.mp4", [bright])))
    assert padded.shape == (34, 34, 3)
    assert np.abs(padded.astype(int) - 200).max() <= 2


def test_defaults_keep_a_soft_clip_above_40_db_without_a_color_cast(frames, write):
    clip = frames(256, 160, 24)
    decoded = np.stack(list(read_frames(write("clip.mp4", clip)))).astype(float)
    difference = decoded - 255 * np.stack(clip)
    assert 10 * np.log10(255**2 / np.mean(difference**2)) >= 40
    assert np.abs(difference.mean(axis=(0, 1, 2))).max() < 0.5


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_pure_colors_come_back(codec, write):
    colors = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (255, 255, 255), (0, 0, 0)]
    for number, color in enumerate(colors):
        name = f"{number}.{'webm' if codec == 'vp9' else 'mp4'}"
        path = write(name, [np.full((64, 64, 3), color, np.uint8)] * 3, codec=codec)
        assert np.abs(np.stack(list(read_frames(path))).astype(int) - color).max() <= 4


def test_float_frames_keep_more_than_8_bits_in_prores(write):
    ramp = np.linspace(0.2, 0.3, 512, dtype=np.float32)
    frame = np.broadcast_to(ramp[None, :, None], (64, 512, 3)).copy()
    with opened(write("clip.mov", [frame])) as container:
        levels = next(container.decode(video=0)).to_ndarray(format="gray10le")[32]
    assert len(np.unique(levels)) > 60  # 26 levels would be left of 8 bits


def test_a_codec_that_the_container_does_not_hold_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"\.webm does not hold h264.*use \.mp4"):
        open_writer(tmp_path / "clip.webm", width=64, height=64, fps=Fraction(8), codec="h264")


@pytest.mark.parametrize(
    ("codec", "width", "height"), [("h264", 20000, 64), ("hevc", 4, 4), ("av1", 2, 2)]
)
def test_a_size_that_the_encoder_refuses_is_said_before_any_frame(codec, width, height, tmp_path):
    with pytest.raises(RequestError, match=f"cannot encode {width}x{height} at 8 frames a second"):
        open_writer(tmp_path / "clip.mp4", width=width, height=height, fps=Fraction(8), codec=codec)
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_quality_is_refused(tmp_path):
    with pytest.raises(RequestError, match="crf 60: h264 takes 0"):
        open_writer(tmp_path / "clip.mp4", width=64, height=64, fps=Fraction(8), crf=60)


def test_a_quality_that_does_not_apply_is_said(tmp_path):
    with open_writer(tmp_path / "clip.mov", width=64, height=64, fps=Fraction(8), crf=9) as writer:
        assert writer.notes == ["crf does not apply to prores"]


def test_a_lower_crf_makes_a_larger_file(frames, write):
    clip = frames(160, 128, 8)
    sizes = [write(f"{crf}.mp4", clip, crf=crf).stat().st_size for crf in (8, 40)]
    assert sizes[0] > 2 * sizes[1]


def test_a_frame_of_another_size_is_refused(tmp_path):
    with (
        open_writer(tmp_path / "clip.mp4", width=64, height=64, fps=Fraction(8)) as writer,
        pytest.raises(GenerationError, match=r"shape \(32, 64, 3\).*\(64, 64, 3\)"),
    ):
        writer.write(np.zeros((32, 64, 3), np.uint8))


def test_h264_gives_the_same_bytes_again(frames, write):
    clip = frames(128, 64, 24)
    files = {write(f"{n}.mp4", clip, metadata={}).read_bytes() for n in range(5)}
    assert len(files) == 1


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.webm", "clip.mkv"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("length", [0.5, 1, 2])
def test_sound_ends_within_a_frame_of_the_pictures(name, when, length, frames, tmp_path):
    rate, fps, clip = 44100, Fraction(24), frames(64, 64, 36)
    sound = np.sin(np.arange(int(1.5 * length * rate)) / 20).astype(np.float32)[:, None]
    with open_writer(tmp_path / name, width=64, height=64, fps=fps) as writer:
        writer.open_audio(rate, 1)
        if when == "before":
            writer.write_audio(sound)
        for frame in clip:
            writer.write(frame)
        if when == "after":
            writer.write_audio(sound)
        path = writer.finish({"prompt": "a hum"})
    found = probe(path)
    assert found.duration_s == 1.5
    assert found.audio_codec == ("aac" if name in ("clip.mp4", "clip.mov") else "opus")
    assert abs(decoded_seconds(path) - 1.5) <= 1 / fps


def decoded_seconds(path):
    with opened(path) as container:
        return sum(block.samples / block.sample_rate for block in container.decode(audio=0))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.webm", "clip.mkv"])
@pytest.mark.parametrize("rate", [24000, 44100])
def test_a_flash_and_a_bang_stay_together_to_within_a_frame(name, rate, tmp_path):
    fps, when = Fraction(24), 20
    sound = np.zeros((2 * rate, 1), np.float32)
    bang = round(when / fps * rate)
    sound[bang : bang + rate // 50] = np.sin(np.arange(rate // 50) / 4)[:, None]
    with open_writer(tmp_path / name, width=64, height=64, fps=fps) as writer:
        writer.open_audio(rate, 1)
        writer.write_audio(sound)
        for index in range(48):
            writer.write(np.full((64, 64, 3), 255 if index == when else 0, np.uint8))
        path = writer.finish()
    assert abs(bang_at(path) - flash_at(path)) < 1 / fps


def flash_at(path):
    with opened(path) as container:
        times = {
            float(p.time): p.to_ndarray(format="gray").mean() for p in container.decode(video=0)
        }
    return max(times, key=times.get)


def bang_at(path):
    with opened(path) as container:
        blocks = list(container.decode(audio=0))
    samples = np.concatenate([block.to_ndarray()[0] for block in blocks])
    loud = np.abs(samples) > np.abs(samples).max() / 2
    return float(blocks[0].time) + int(np.argmax(loud)) / blocks[0].sample_rate


def test_a_file_opened_for_sound_that_gets_none_is_a_silent_film(frames, tmp_path, ffprobe):
    with open_writer(tmp_path / "clip.mp4", width=64, height=64, fps=Fraction(24)) as writer:
        writer.open_audio(16000, 2)
        for frame in frames(64, 64, 4):
            writer.write(frame)
        path = writer.finish()
    assert "audio" not in ffprobe(path)


def test_sound_is_announced_before_the_frames(frames, tmp_path):
    with open_writer(tmp_path / "clip.mp4", width=64, height=64, fps=Fraction(24)) as writer:
        writer.write(frames(64, 64, 1)[0])
        with pytest.raises(GenerationError, match="before the first frame"):
            writer.open_audio(16000, 2)


@pytest.mark.parametrize("name", ["clip.gif", "clip.webp", "clip.avif", "frames"])
def test_kinds_of_files_without_sound_say_so(name, tmp_path):
    with open_writer(tmp_path / name, width=64, height=64, fps=Fraction(24)) as writer:
        assert not writer.open_audio(16000, 2)
        assert f"{name} holds no sound; .mp4, .mov, .mkv and .webm do" in writer.notes


def test_the_probe_agrees_with_ffprobe(frames, write, ffprobe):
    path = write("clip.mp4", frames(64, 48, 9), fps=NTSC)
    found, stream = probe(path), ffprobe(path)["video"]
    assert (found.width, found.height, found.num_frames) == (64, 48, 9)
    assert found.fps == Fraction(stream["r_frame_rate"])
    assert found.duration_s == pytest.approx(float(stream["duration"]), abs=1e-5)
    assert (found.color_space, found.has_fast_start) == ("bt709", True)
