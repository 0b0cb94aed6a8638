"""The colors that a person sees: a video in a real browser, drawn to a canvas, pixel by pixel."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess

import numpy as np
import pytest

COLORS = [
    *[(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)],
    *[(128, 128, 128), (235, 180, 150), (16, 16, 16), (240, 240, 240)],
]
PAGE = """<!doctype html><pre id="colors"></pre><video id="video" muted></video><script>
const bytes = Uint8Array.from(atob("%s"), letter => letter.charCodeAt(0));
video.src = URL.createObjectURL(new Blob([bytes], {type: "%s"}));
video.onerror = () => { colors.textContent = JSON.stringify(video.error.message); };
video.onloadeddata = () => requestAnimationFrame(() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const found = [];
  for (let patch = 0; patch < 8; patch++) {
    const x = Math.floor((patch + 0.5) * canvas.width / 8);
    found.push([...context.getImageData(x, canvas.height / 2, 1, 1).data].slice(0, 3));
  }
  colors.textContent = JSON.stringify(found);
});
</script>"""


# As root Chromium makes threads of real-time priority, and one that spins takes a core for itself.
WITHOUT_REAL_TIME = (
    ["setpriv", "--inh-caps=-sys_nice", "--bounding-set=-sys_nice"]
    if shutil.which("setpriv") and os.geteuid() == 0
    else []
)


@pytest.fixture
def colors_in_browser(tmp_path):
    """The colors of the patches as headless Chromium shows them."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")

    def show(path):
        page = tmp_path / "page.html"
        kind = "video/webm" if path.suffix == ".webm" else "video/mp4"
        page.write_text(PAGE % (base64.b64encode(path.read_bytes()).decode(), kind))
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
        command += ["--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}"]
        command += ["--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
        dom = output_of([*WITHOUT_REAL_TIME, *command])
        return json.loads(re.search(r'<pre id="colors">(.*?)</pre>', dom)[1])

    return show


def output_of(command):
    """What the command prints; none of its processes is left behind, whatever happens."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        return process.communicate(timeout=120)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def patches(width, height):
    frame = np.zeros((height, width, 3), np.uint8)
    for number, color in enumerate(COLORS):
        frame[:, number * width // 8 : (number + 1) * width // 8] = color
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("size", [(832, 480), (1280, 720), (1920, 1080)], ids=str)
@pytest.mark.parametrize(
    ("name", "codec"), [("clip.mp4", "h264"), ("clip.webm", "vp9"), ("clip.mp4", "av1")]
)
def test_a_browser_shows_the_colors_that_were_written(name, codec, size, write, colors_in_browser):
    path = write(name, [patches(*size)] * 3, codec=codec)
    found = np.array(colors_in_browser(path))
    assert np.abs(found - COLORS).max() <= 10
