"""Names of outputs that try to leave the folder, or to be no name at all."""

import json
import os
from pathlib import Path

import pytest

from tests.hostile.world import World

TEMPLATED = [
    # a prompt, a name for the output, where the video goes
    ("../../escape", "{prompt}.mp4", "escape.mp4"),
    ("/etc/passwd", "{prompt}.mp4", "etc-passwd.mp4"),
    ("..", "{prompt}.mp4", "video.mp4"),
    ("...", "a/{prompt}/b.mp4", "a/video/b.mp4"),
    ("~root/x", "{prompt}.mp4", "root-x.mp4"),
    ("~", "{prompt}.mp4", "video.mp4"),
    ("C:\\Windows\\x", "{prompt}.mp4", "c-windows-x.mp4"),
    ("{seed}", "{prompt}.mp4", "seed.mp4"),
    ("{prompt}", "{prompt}.mp4", "prompt.mp4"),
    ("{prompt.__class__}", "{prompt}.mp4", "prompt.__class.mp4"),
    ("a\nb\tc", "{prompt}.mp4", "a-b-c.mp4"),
    ("a ball ", "{prompt}.mp4", "a-ball.mp4"),
    ("-rf", "{prompt}.mp4", "rf.mp4"),
    (".hidden", "{prompt}.mp4", "hidden.mp4"),
    ("x" * 300, "{prompt}.mp4", "x" * 80 + ".mp4"),
    ("好" * 300, "{prompt}.mp4", "好" * 26 + ".mp4"),
    ("👨‍👩‍👧‍👦", "{prompt}.mp4", "video.mp4"),
    ("ball", "{prompt}{prompt}.mp4", "ballball.mp4"),
    ("ball", "{index}-{seed}-{width}x{height}-{num_frames}-{fps}-{model}.mp4",
     "0-7-128x128-17-8-doodle-128.mp4"),
    ("fullwidth ．．／．．／", "{prompt}.mp4", "fullwidth.mp4"),
]  # fmt: skip

DEVICES = ["con", "PRN", "aux", "NUL", "com1", "LPT9", "con.txt", "nul.tar.gz", " aux "]

REFUSED = [
    # a name, the exit code, what is said
    ("", 2, "no name for an output"),
    ("   ", 2, "no name for an output"),
    ("a\nb.mp4", 2, "control characters"),
    ("a\x00b.mp4", 2, "control characters"),
    ("a\x1b[31mb.mp4", 2, "control characters"),
    ("a\x9bb.mp4", 2, "control characters"),
    ("a\x7fb.mp4", 2, "control characters"),
    ("a\udcffb.mp4", 2, "control characters"),
    ("a\u202e4pm.mp4", 2, "control characters"),
    ("\u2066a.mp4", 2, "control characters"),
    (".", 2, "is a folder"),
    ("..", 2, "is a folder"),
    ("/", 2, "is a folder"),
    ("../..", 2, "is a folder"),
    ("{prompt.__class__}.mp4", 2, "{"),
    ("{prompt.__class__.__init__.__globals__}.mp4", 2, "{"),
    ("{prompt[0]}.mp4", 2, "{"),
    ("{prompt!r}.mp4", 2, "{"),
    ("{seed:>1000000000}.mp4", 2, "{"),
    ("{}.mp4", 2, "{"),
    ("{0}.mp4", 2, "no {0} in a name"),
    ("{password}.mp4", 2, "no {password} in a name"),
    ("{PROMPT}.mp4", 2, "no {PROMPT} in a name"),
    ("clip", 2, "no suffix"),
    ("clip.", 2, "no known kind"),
    ("clip.mp4.", 2, "no known kind"),
    ("clip.mp4 ", 2, "no known kind"),
    ("clip.exe", 2, ".exe is no known kind"),
    ("clip.avi", 2, ".avi is no known kind"),
    (".mp4", 2, "no suffix"),
    ("x" * 300 + ".mp4", 2, "longer than 224 bytes"),
    ("好" * 80 + ".mp4", 2, "longer than 224 bytes"),
    ("{prompt}" * 4 + ".mp4", 2, "longer than 224 bytes"),
    ("a/" * 3000 + "b.mp4", 2, "is too long"),
    ("y" * 300 + "/b.mp4", 2, "is too long"),
    ("x" * 5000, 2, "no suffix"),
    ("x." + "y" * 5000, 2, "no known kind"),
    ("{" + "y" * 5000 + "}.mp4", 2, "in a name"),
    ("/dev/null", 2, "no suffix"),
]


def planned(world: World, prompt: str, name: str) -> str:
    done = world("plan", "--json", "--seed", "7", f"--output={name}", "--", prompt)
    assert done.code == 0, done.err
    (path,) = json.loads(done.out)["outputs"]
    return str(path)


@pytest.mark.parametrize(("prompt", "name", "place"), TEMPLATED)
def test_what_is_filled_in_cannot_name_a_folder(world: World, prompt: str, name: str, place: str):
    assert planned(world, prompt, name) == place


@pytest.mark.parametrize("device", DEVICES)
def test_a_prompt_that_is_a_device_of_windows_becomes_an_ordinary_name(world: World, device: str):
    stem = planned(world, device, "{prompt}.mp4").split(".")[0]
    assert stem not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@pytest.mark.parametrize(("name", "code", "said"), REFUSED, ids=[ascii(c[0][:40]) for c in REFUSED])
def test_a_name_that_is_none_is_refused_before_anything_is_done(
    world: World, name: str, code: int, said: str
):
    refused = world("plan", "x" * 80, f"--output={name}")
    assert (refused.code, refused.changed) == (code, ())
    assert said in refused.error


@pytest.mark.parametrize(
    "name",
    ["clip.mp4/", "con.mp4", "NUL.mp4", "a/aux/b.mp4", "a?b*c.mp4", "a:b|c.mp4", "-o.mp4",
     "~nobody-here/x.mp4", "spaces in a name.mp4", "%s%n.mp4", "$HOME.mp4", "`id`.mp4", "a{b.mp4"],
)  # fmt: skip
def test_a_name_that_the_user_typed_is_taken_to_the_letter(world: World, name: str):
    assert planned(world, "a", name) == name.rstrip("/")


def test_many_videos_of_one_name_are_counted(world: World):
    done = world("plan", "a", "--num-videos", "3", "-o", "../work/x.mp4", "-q")
    assert done.out.split() == ["../work/x-1.mp4", "../work/x-2.mp4", "../work/x-3.mp4"]


def test_many_videos_of_a_long_name_still_have_names_that_fit(world: World):
    done = world("plan", "a", "--num-videos", "10000", "-o", "x" * 220 + ".mp4", "-q")
    assert all(len(os.fsencode(Path(line).name)) <= 224 for line in done.out.split())


def test_a_name_that_the_user_typed_may_lie_elsewhere(world: World):
    assert planned(world, "a", str(world.root / "elsewhere" / "x.mp4")).endswith("elsewhere/x.mp4")
