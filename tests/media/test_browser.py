"""The colors that a person sees: a video in a real browser, drawn to a canvas, pixel by pixel."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import numpy as np
import pytest

from tests.patience import PATIENCE_S

COLORS = [
    *[(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)],
    *[(128, 128, 128), (235, 180, 150), (16, 16, 16), (240, 240, 240)],
]
PAGE = """<!doctype html><video id="video" muted></video><script>
const answer = (found) => fetch("/colors", {method: "POST", body: JSON.stringify(found)});
video.onerror = () => answer(video.error.message);
const look = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const found = [];
  for (let patch = 0; patch < 8; patch++) {
    const x = Math.floor((patch + 0.5) * canvas.width / 8);
    found.push([...context.getImageData(x, canvas.height / 2, 1, 1).data].slice(0, 3));
  }
  // Until the first frame has been painted, the canvas stays black.
  found.flat().some(value => value > 0) ? answer(found) : setTimeout(look, 50);
};
video.onloadeddata = look;
video.src = "/video";
</script>"""


class Site(ThreadingHTTPServer):
    """Serves the page and a video, and takes the answer of the page."""

    def __init__(self, video: Path) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.video = video
        self.answers: Queue[object] = Queue()


class Visit(BaseHTTPRequestHandler):
    """One request of the browser."""

    server: Site

    def do_GET(self):
        is_video = self.path == "/video"
        kind = "video/webm" if self.server.video.suffix == ".webm" else "video/mp4"
        body = self.server.video.read_bytes() if is_video else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind if is_video else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def colors_in_browser(tmp_path):
    """The colors of the patches as headless Chromium shows them."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")

    def show(path):
        with Site(path) as site, running(chromium, tmp_path / "profile", site.server_port):
            Thread(target=site.serve_forever, daemon=True).start()
            try:
                return site.answers.get(timeout=90)
            finally:
                site.shutdown()

    return show


@contextlib.contextmanager
def running(chromium, profile, port):
    """Headless Chromium on the page; none of its processes is left behind, whatever happens."""
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
    command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
    command += ["--disable-component-update", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        [*command, f"http://127.0.0.1:{port}/"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_S)


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
