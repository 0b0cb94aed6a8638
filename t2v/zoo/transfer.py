"""One large file from the Hub into its cache, going on where any earlier try has stopped.

huggingface_hub goes on after a broken connection, but not after a broken process: it throws away
what has come. Here it stays beside the blob that it will be, under the hash that it must have.
"""

import hashlib
import os
import time
from collections.abc import Callable
from typing import BinaryIO

from t2v.errors import ModelError
from t2v.zoo.hashes import Expected
from t2v.zoo.places import hub_cache, repo_name

PART_SUFFIX = ".t2v-part"

_CHUNK_BYTES = 1 << 20
_TRIES = 5
"""In a row without a byte."""
_PAUSE_S = 1.0
_BUSY = (408, 429, 500, 502, 503, 504)
"""Answers of a server that may have another one in a moment."""


def transfer(
    repo: str, revision: str, name: str, expected: Expected, add: Callable[[int], None]
) -> None:
    """Put a file that is known by its SHA-256 among the blobs of the cache.

    Args:
        repo: The repository.
        revision: Its commit.
        name: The file.
        expected: Its size and SHA-256.
        add: Told the bytes as they arrive; those of an earlier try at once.

    Raises:
        ModelError: What arrived has another hash; it is thrown away.
        OSError: It cannot be stored.
    """
    from huggingface_hub.utils import WeakFileLock

    blob = hub_cache() / repo_name(repo) / "blobs" / str(expected.hash)
    lock = hub_cache() / ".locks" / repo_name(repo) / f"{expected.hash}.lock"
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    part = blob.with_name(f"{blob.name}{PART_SUFFIX}")
    # The lock of huggingface_hub, so that no other program fetches the same.
    with WeakFileLock(str(lock)):
        if blob.exists():
            add(expected.size)
            return
        with part.open("a+b") as file:
            found = _receive(_Part(file, add), _request(repo, revision, name), expected.size)
        if found != expected.hash:
            part.unlink()
            raise ModelError(
                f"{repo}: {name} arrived damaged and was thrown away. Fetch it again: "
                f"t2v models pull {repo}"
            )
        part.replace(blob)


class _Part:
    """The file as far as it is here, and its hash."""

    def __init__(self, file: BinaryIO, add: Callable[[int], None]) -> None:
        self._file, self._add, self._hash = file, add, hashlib.sha256()
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            self._hash.update(chunk)
            add(len(chunk))

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self._file.tell()

    def append(self, chunk: bytes) -> None:
        """Add what has arrived."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self._add(len(chunk))

    def restart(self) -> None:
        """Forget all of it."""
        self._add(-self.size)
        self._file.truncate(0)
        self._file.seek(0)
        self._hash = hashlib.sha256()

    def finish(self) -> str:
        """Bring it to the disk, and return its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()


def _request(repo: str, revision: str, name: str) -> tuple[str, dict[str, str]]:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    headers = dict(build_hf_headers(library_name="t2v"))
    # Compressed bytes cannot be counted against the size.
    return hf_hub_url(repo, name, revision=revision), {**headers, "Accept-Encoding": "identity"}


def _receive(part: _Part, request: tuple[str, dict[str, str]], size: int) -> str:
    """Append what is missing, and return the SHA-256 of the whole."""
    if part.size > size:
        part.restart()
    tries = _TRIES
    while part.size < size and tries:
        begin = part.size
        try:
            _stream(part, request)
        except Exception as error:
            tries = _TRIES if part.size > begin else tries - 1
            if not tries or not _is_passing(error):
                raise
            time.sleep(_PAUSE_S)
        else:  # an answer that ends early is no error to every server
            tries = _TRIES if part.size > begin else tries - 1
    return part.finish()


def _stream(part: _Part, request: tuple[str, dict[str, str]]) -> None:
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import hf_raise_for_status

    url, headers = request
    if part.size:
        headers = {**headers, "Range": f"bytes={part.size}-"}
    with get_session().stream(
        "GET",
        url,
        headers=headers,
        follow_redirects=True,
        timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
    ) as response:
        hf_raise_for_status(response)
        if part.size and response.status_code != 206:  # not the rest, but all of it once more
            part.restart()
        for chunk in response.iter_bytes():
            part.append(chunk)


def _is_passing(error: Exception) -> bool:
    from huggingface_hub import errors

    if isinstance(error, errors.HfHubHTTPError):
        return error.response.status_code in _BUSY
    # The class of whichever HTTP library this huggingface_hub is built on.
    return isinstance(error, errors.HTTPError | ConnectionError | TimeoutError)
