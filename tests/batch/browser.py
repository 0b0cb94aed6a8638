"""Headless Chromium on a page, through its own protocol over two pipes: no port, no package."""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-sync", "--disable-component-update"),
    *(
        "--remote-debugging-pipe",
        "--window-size=1280,800",
        "--autoplay-policy=no-user-gesture-required",
    ),
]
KEY_CODES = {"Escape": 27, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40}
# The protocol is spoken over file descriptors 3 and 4.
LAUNCH = (
    "import fcntl, os, sys; r, w = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]);"
    "os.dup2(r, 3); os.dup2(w, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class Page:
    """A page that is shown: what its scripts see, real clicks and keys, and all that it asks for."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._is_loaded = False
        self.requests: list[str] = []
        """Addresses of everything the page asked for."""
        self.complaints: list[str] = []
        """Exceptions of its scripts, and what the browser's console has as errors."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Go to an address and wait until all of it is there."""
        self._is_loaded = False
        self.send("Page.navigate", url=address)
        while not self._is_loaded:
            self._hear(self._receive())

    def ask(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, timeout_s: float = 10) -> None:
        """Wait until an expression holds."""
        deadline = time.monotonic() + timeout_s
        while not self.ask(f"!!({expression})"):
            assert time.monotonic() < deadline, f"not in {timeout_s} s: {expression}"
            time.sleep(0.02)

    def click(self, selector: str, number: int = 0) -> None:
        """Press and release the mouse in the middle of an element that can be seen."""
        x, y = self.ask(
            f"(() => {{ const node = document.querySelectorAll({json.dumps(selector)})[{number}];"
            "const box = node.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def type(self, text: str) -> None:
        """Enter a text where the focus is."""
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key and let go of it."""
        event = {"key": key, "windowsVirtualKeyCode": KEY_CODES.get(key, 0)}
        text = {"text": key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def picture(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def send(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": params}
        if self._session:
            call["sessionId"] = self._session
        os.write(self._write, json.dumps(call).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._hear(message)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], 20)
            assert ready, "the browser says nothing"
            data = os.read(self._read, 1 << 16)
            assert data, "the browser is gone"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def _hear(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message["method"]:
            case "Page.loadEventFired":
                self._is_loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(json.dumps(params["entry"]))


def find_chromium() -> str | None:
    """Where Chromium is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def browsing(chromium: str, profile: Path) -> Iterator[Page]:
    """A browser with one empty page; none of its processes is left behind, whatever happens."""
    read_there, write = os.pipe()
    read, write_there = os.pipe()
    command = [sys.executable, "-c", LAUNCH, str(read_there), str(write_there), chromium, *FLAGS]
    process = subprocess.Popen(
        [*command, f"--user-data-dir={profile}", "about:blank"],
        stderr=subprocess.DEVNULL,
        pass_fds=(read_there, write_there),
        start_new_session=True,
    )
    os.close(read_there)
    os.close(write_there)
    try:
        yield Page(read, write)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(read)
        os.close(write)
