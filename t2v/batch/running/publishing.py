"""Finished videos copied to where others look for them, before they count as done.

The driver does it: a worker may be on another machine, where a folder of this one means nothing.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from t2v.batch.jobs import Job
from t2v.batch.making import Failure, Outcome
from t2v.batch.run_folder.finished import sidecars_of
from t2v.batch.run_folder.folder import Run
from t2v.batch.running.failures import failure_of
from t2v.errors import GenerationError, RequestError, T2VError
from t2v.media.parts import Part, disk_error, prepare_folder

_USER = re.compile(r"(?<=://)(?:[^/@]*@|[^@]*:.*@)")
PIECE_BYTES = 8 << 20


class Publisher:
    """Copies outputs of a run folder to a folder or to a URL that fsspec knows."""

    def __init__(self, target: str, folder: Path) -> None:
        """Look at the target.

        Raises:
            RequestError: Nothing can be copied there, whatever it is.
        """
        import fsspec  # noqa: PLC0415 - most batches do without

        self._target, self._folder = target, folder
        try:
            self._fs, self._root = fsspec.core.url_to_fs(target)
        except Exception as error:
            why = self._without_secrets(str(error))
            raise RequestError(f"--publish {public_url(target)}: {why}") from error
        protocols = self._fs.protocol
        self._is_local = "file" in ((protocols,) if isinstance(protocols, str) else protocols)
        if self._is_local and Path(self._root).resolve() == folder.resolve():
            raise RequestError("--publish names the folder of the run itself. Name another one.")

    def has(self, outcome: Outcome) -> bool:
        """Whether an output was copied there already, as far as that can be told at no cost."""
        if outcome.output is None or outcome.published != self._public(outcome.output):
            return False
        return not self._is_local or all(
            _size(self._local(file)) == file.stat().st_size for file in self._files(outcome.output)
        )

    def publish(self, outcome: Outcome) -> Outcome:
        """Copy an output and its record; the outcome with where they are now.

        What lies there under the same name is replaced.

        Raises:
            DiskError: The folder cannot be written.
            GenerationError: The copy failed.
        """
        output = outcome.output or ""
        for file in self._files(output):
            (self._copy if self._is_local else self._send)(file)
        place = self._public(output)
        return replace(outcome, published=place, record=outcome.record | {"published": place})

    def _files(self, output: str) -> list[Path]:
        """The record first: where the video is, all is."""
        path = self._folder / output
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.is_file()]
            return sorted(inside, key=lambda file: file.suffix != ".json")
        sidecars = [file for file in sidecars_of(path) if file.is_file()]
        return [*sidecars[:1], path]

    def _local(self, file: Path) -> Path:
        return Path(self._root) / file.relative_to(self._folder)

    def _copy(self, file: Path) -> None:
        target = self._local(file)
        try:
            with Part(prepare_folder(target)) as part:
                with file.open("rb") as source:
                    shutil.copyfileobj(source, part, PIECE_BYTES)
                part.publish(overwrite=True)
        except OSError as error:
            raise disk_error(target, error) from error

    def _send(self, file: Path) -> None:
        target = f"{self._root.rstrip('/')}/{file.relative_to(self._folder).as_posix()}"
        try:
            with contextlib.suppress(NotImplementedError):
                self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._fs.put_file(str(file), target)
            self._fs.invalidate_cache()
            arrived = self._fs.info(target)["size"]
        except Exception as error:  # each file system has classes of its own
            why = self._without_secrets(str(error)) or type(error).__name__
            raise GenerationError(
                f"{file.name} was made and not copied to {public_url(self._target)}: {why}"
            ) from error
        if arrived != file.stat().st_size:
            raise GenerationError(f"{file.name} arrived cut at {public_url(self._target)}.")

    def _public(self, output: str) -> str:
        if self._is_local:
            return f"{Path(self._root).name}/{output}"
        return f"{public_url(self._target).rstrip('/')}/{output}"

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(_secrets(self._target), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def public_url(url: str) -> str:
    """A URL without user, password and the signatures that may follow a question mark.

    >>> public_url("s3://key:secret@bucket/films?token=abc")
    's3://bucket/films'
    >>> public_url("/home/ada/films")
    'films'
    """
    if "://" not in url:
        return Path(url).name
    if url.startswith(("file://", "local://")):
        return Path(url.partition("://")[2]).name
    return _USER.sub("", re.split(r"[?#]", url, maxsplit=1)[0])


def _secrets(url: str) -> Iterator[str]:
    if url != public_url(url) and "://" in url:
        yield url
    if found := _USER.search(url):
        user = found[0].rstrip("@")
        yield from (one for one in (user, user.partition(":")[2]) if one)
    query = re.split(r"[?#]", url, maxsplit=1)[1:]
    yield from (value for one in query for value in (one, *re.findall(r"=([^&]+)", one)) if value)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


class Publishing:
    """Whether videos are where they shall be; for the loop of a run."""

    def __init__(self, run: Run, target: str | None, *, retry: int = 1) -> None:
        """Of the outputs of a `Run`; None for no place but its folder."""
        self._run, self._retry = run, retry
        self._publisher = Publisher(target, run.folder) if target else None

    def finished(self, outcome: Outcome) -> tuple[Outcome, Failure | None]:
        """A made video, copied; or why it is not. Then it is not done: the next run copies it."""
        publisher, failure = self._publisher, None
        if publisher is None or outcome.status not in ("ok", "suspect"):
            return outcome, None
        for _ in range(1 + self._retry):
            try:
                return publisher.publish(outcome), None
            except T2VError as error:
                failure = failure_of(error)
                if failure.kind == "disk":
                    break
        return Outcome(outcome.key, "interrupted", failure=failure), failure

    def settle(self, job: Job) -> Failure | None:
        """Copy a video of an earlier run that is not copied yet."""
        now = self._run.state.of(job.key).outcome
        if self._publisher is None or now is None or self._publisher.has(now):
            return None
        outcome, failure = self.finished(replace(now, record=self._run.record_of(job.key)))
        self._run.ended(job, outcome)
        return failure
