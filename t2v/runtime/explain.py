"""Errors of the libraries below, said in the words of someone who wants a video."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from t2v.errors import DependencyMissingError, GenerationError, RequestError, T2VError
from t2v.runtime.offload import is_exhausted

_PACKAGES = {
    "BeautifulSoup": "beautifulsoup4",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "ftfy": "ftfy",
    "google.protobuf": "protobuf",
    "PIL": "pillow",
    "sentencepiece": "sentencepiece",
    "SentencePiece": "sentencepiece",
    "transforms": "torchvision",
}
"""Module -> the package that has it, where the two differ."""


def dependency_missing(error: ImportError, what: str) -> DependencyMissingError:
    """What to install so that `what` works."""
    package = _package(error)
    if package is None:
        return DependencyMissingError(f"{what} needs a package that is missing: {_line(error)}")
    return DependencyMissingError(
        f"{what} needs the package {package}, which is not installed. "
        f"Install it: pip install {package}"
    )


def _package(error: ImportError) -> str | None:
    text = str(error)
    said = re.search(r"pip install (?:-U |--upgrade )?['\"`]?([A-Za-z0-9][\w.\[\]-]*)", text)
    if said:
        return said[1].rstrip(".")
    if error.name:
        top = error.name.split(".")[0]
        return _PACKAGES.get(error.name, _PACKAGES.get(top, top))
    return next((_PACKAGES[module] for module in _PACKAGES if module in text), None)


@contextmanager
def explained(pipe: Any) -> Generator[None]:
    """A pipeline's own errors become ours; after any error its weights are where they were."""
    name = type(pipe).__name__
    try:
        yield
    except BaseException as error:
        pipe.maybe_free_model_hooks()
        if not isinstance(error, Exception) or isinstance(error, T2VError) or is_exhausted(error):
            raise
        raise _translated(error, name) from error


def _translated(error: Exception, name: str) -> T2VError:
    match error:
        case ImportError():
            return dependency_missing(error, name)
        case NameError() if error.name in _PACKAGES:
            # Some pipelines use an optional import without asking whether it is there.
            return dependency_missing(ImportError(str(error), name=error.name), name)
        case ValueError() if _is_from("check_inputs", error.__traceback__):
            return RequestError(f"{name} refuses the request: {_line(error)}")
        case _:
            return GenerationError(f"{name} failed with {type(error).__name__}: {_line(error)}")


def _is_from(function: str, traceback: TracebackType | None) -> bool:
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == function:
            return True
        traceback = traceback.tb_next
    return False


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
