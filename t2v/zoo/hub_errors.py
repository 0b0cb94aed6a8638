"""Turn what huggingface_hub raises into errors that say what to do, and never repeat a token."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

from t2v.errors import (
    DiskError,
    GatedModelError,
    ModelError,
    T2VError,
    UnknownModelError,
    WeightsMissingError,
)
from t2v.text import redacted

_BROKEN_OFF = ("ReadError", "ReadTimeout", "RemoteProtocolError")
"""What the HTTP libraries raise when an answer had begun and its rest does not come."""


@contextmanager
def explained(repo: str, revision: str) -> Generator[None]:
    """Raise t2v's own errors for what goes wrong inside, with the next step in each."""
    try:
        yield
    except Exception as error:
        # The cause is dropped: its text and its request can hold an address with a password.
        raise _translated(error, repo, revision) from None


def _translated(error: Exception, repo: str, revision: str) -> Exception:
    from huggingface_hub import errors as hub

    if isinstance(error, T2VError):
        return error
    if isinstance(error, hub.GatedRepoError):
        return _gated(repo)
    if isinstance(error, hub.RevisionNotFoundError):
        return UnknownModelError(f"{repo} has no revision {revision!r}. Check the name after @.")
    if isinstance(error, hub.RepositoryNotFoundError):
        return UnknownModelError(
            f"The Hub has no repository {repo}, or it is private. "
            "Check the spelling; for a private one log in: hf auth login."
        )
    if isinstance(error, hub.HFValidationError):
        return UnknownModelError(f"{repo!r} is no repository id. Write it as org/name.")
    if _is_offline():
        return WeightsMissingError(
            f"{repo} is not in the cache, and HF_HUB_OFFLINE forbids fetching it. "
            f"Unset it, then: t2v models pull {repo}"
        )
    if isinstance(error, hub.HfHubHTTPError):
        return _answered(error.response.status_code, repo)
    if type(error).__name__ in _BROKEN_OFF:
        return _broken_off(repo)
    # hub.HTTPError is the class of whichever HTTP library this huggingface_hub is built on.
    if isinstance(
        error, hub.HTTPError | ConnectionError | TimeoutError | hub.LocalEntryNotFoundError
    ):
        return _unreachable(repo)
    if isinstance(error, OSError):
        return _disk(error, repo)
    return ModelError(f"{repo} cannot be fetched: {redacted(str(error)) or type(error).__name__}.")


def _is_offline() -> bool:
    from huggingface_hub import is_offline_mode

    return bool(is_offline_mode())


def _gated(repo: str) -> GatedModelError:
    return GatedModelError(
        f"{repo} is gated: accept its licence at https://huggingface.co/{repo}, "
        f"log in with `hf auth login`, then: t2v models pull {repo}"
    )


def _answered(status: int, repo: str) -> T2VError:
    if status in (401, 403):
        return _gated(repo)
    if status == 404:
        return UnknownModelError(f"The Hub has no such file or repository: {repo}.")
    return WeightsMissingError(
        f"The Hub answered {status} for {repo}. Try again later: t2v models pull {repo}"
    )


def _unreachable(repo: str) -> WeightsMissingError:
    return WeightsMissingError(
        f"{repo} is not in the cache, and the Hub cannot be reached. "
        f"With a network: t2v models pull {repo}"
    )


def _broken_off(repo: str) -> WeightsMissingError:
    return WeightsMissingError(
        f"The connection broke off while fetching {repo}. What has come is kept; "
        f"fetch the rest: t2v models pull {repo}"
    )


def _disk(error: OSError, repo: str) -> T2VError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskError(
            f"The disk became full while fetching {repo}. Make room, or set HF_HOME to a folder "
            f"on a larger disk; then: t2v models pull {repo}"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DiskError(f"Cannot write {error.filename}: {error.strerror}. Set HF_HOME.")
    if error.errno is None:
        return _unreachable(repo)
    return DiskError(f"Cannot store {repo}: {redacted(error.strerror or str(error))}.")
