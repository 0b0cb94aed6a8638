"""A small Hugging Face Hub on loopback: real requests, real redirects, real broken downloads."""

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

COMMIT = "a" * 40


@dataclass
class HubServer:
    """Serves folders as repositories, and remembers what was asked of it."""

    repos: dict[str, Path] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Repository -> status and error code of its every answer."""
    break_once_after: int | None = None
    """Close the connection after so many bytes of the VAE, the first time."""
    stall_after: int | None = None
    """Send so many bytes of the VAE, then nothing more."""
    ignores_ranges: bool = False
    """Send whole files to those who ask for the rest of one, as some mirrors do."""
    damaged: dict[str, bytes] = field(default_factory=dict)
    """File -> what is sent in place of its content."""
    busy: int = 0
    """So many requests for the weights of the VAE are answered with 503."""
    tags: list[str] = field(default_factory=list)
    branch: str = "main"
    """The one that every repository has."""
    claimed_sizes: dict[str, int] = field(default_factory=dict)
    """File -> the size that its listing claims."""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def add(self, repo: str, folder: Path, commit: str = COMMIT) -> None:
        self.repos[repo] = folder
        self.commits[repo] = commit

    def fetched(self) -> list[str]:
        """The files that were sent, in order."""
        return [p.split("/resolve/")[1].partition("/")[2] for p in self._paths("GET", "/resolve/")]

    def resumed(self) -> list[str]:
        """The `Range` headers of the requests that went on with a file."""
        return [h["range"] for m, p, h in self.requests if m == "GET" and "range" in h]

    def _paths(self, method: str, part: str) -> list[str]:
        return [path for m, path, _ in self.requests if m == method and part in path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, *, send_body: bool) -> None:
        hub = self.server.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub.requests.append((self.command, self.path, headers))
        path = self.path.partition("?")[0]
        if match := re.match(r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/]+)", path):
            self._api(match[1], match[2], match[3])
        elif match := re.match(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(match[1], match[3], headers, send_body=send_body)
        else:
            self._refuse(404, "EntryNotFound")

    def _api(self, repo: str, what: str, revision: str) -> None:
        hub = self.server.hub
        if repo in hub.refused:
            return self._refuse(*hub.refused[repo])
        if repo not in hub.repos:
            return self._refuse(401, "RepoNotFound")
        if unquote(revision) not in (hub.branch, hub.commits[repo]):
            return self._refuse(404, "RevisionNotFound")
        folder = hub.repos[repo]
        names = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
        if what == "tree":
            return self._json([self._tree_entry(folder, name) for name in names])
        siblings = [{"rfilename": name, **self._size(folder, name)} for name in names]
        return self._json(
            {"id": repo, "sha": hub.commits[repo], "siblings": siblings, "tags": hub.tags}
        )

    def _size(self, folder: Path, name: str) -> dict[str, object]:
        hub, content = self.server.hub, (folder / name).read_bytes()
        size = hub.claimed_sizes.get(name, len(content))
        facts: dict[str, object] = {"size": size, "blobId": git_hash(content)}
        if is_large(name):
            facts["lfs"] = {"sha256": sha256(content), "size": size, "pointerSize": 134}
        return facts

    def _tree_entry(self, folder: Path, name: str) -> dict[str, object]:
        facts = self._size(folder, name)
        entry = {"type": "file", "path": name, "size": facts["size"], "oid": facts["blobId"]}
        if lfs := facts.get("lfs"):
            assert isinstance(lfs, dict)
            entry["lfs"] = {"oid": lfs["sha256"], "size": lfs["size"], "pointerSize": 134}
        return entry

    def _file(self, repo: str, name: str, headers: dict[str, str], *, send_body: bool) -> None:
        hub = self.server.hub
        if repo in hub.refused:
            return self._refuse(*hub.refused[repo])
        if repo not in hub.repos or not (hub.repos[repo] / name).is_file():
            return self._refuse(404, "EntryNotFound")
        if send_body and hub.busy and name.startswith("vae/diffusion"):
            hub.busy -= 1
            return self._refuse(503, "Busy")
        content = (hub.repos[repo] / name).read_bytes()
        served = hub.damaged.get(name, content)
        begin = 0
        if "range" in headers and not hub.ignores_ranges:
            begin = int(headers["range"].removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        known = sha256(content) if is_large(name) else git_hash(content)
        self.send_header("ETag", f'"{known}"')
        self.send_header("X-Repo-Commit", hub.commits[repo])
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if not send_body:
            return None
        self._send(served[begin:], name)
        return None

    def _send(self, body: bytes, name: str) -> None:
        hub = self.server.hub
        if not name.startswith("vae/diffusion"):
            self.wfile.write(body)
        elif hub.break_once_after:
            self.wfile.write(body[: hub.break_once_after])
            hub.break_once_after = None
            self.close_connection = True
        elif hub.stall_after:
            self.wfile.write(body[: hub.stall_after])
            self.wfile.flush()
            while hub.stall_after:
                time.sleep(0.01)
            self.close_connection = True
        else:
            self.wfile.write(body)

    def _json(self, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", f"refused: {code}")
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """Say nothing: some clients here are killed in the middle of an answer."""

    def __init__(self, hub: HubServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        hub.url = f"http://127.0.0.1:{self.server_port}"


def serve(hub: HubServer) -> ThreadingHTTPServer:
    """Answer in a thread until `shutdown`."""
    server = _Server(hub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def is_large(name: str) -> bool:
    """Whether the Hub keeps the file outside git."""
    return name.endswith((".safetensors", ".bin"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
