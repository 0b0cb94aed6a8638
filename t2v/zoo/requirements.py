"""Packages that a model needs beside those of t2v: looked for before anything is fetched."""

from importlib.util import find_spec

from t2v.errors import DependencyMissingError
from t2v.zoo.spec import ModelSpec


def missing_packages(spec: ModelSpec) -> tuple[str, ...]:
    """Those of the packages that the entry asks for which are not installed."""
    return tuple(name for name in spec.requires if find_spec(name.replace("-", "_")) is None)


def check_packages(spec: ModelSpec) -> None:
    """Refuse a model whose packages are not all there.

    Raises:
        DependencyMissingError: Some are missing; the message has the command that installs them.
    """
    if missing := missing_packages(spec):
        packages, are = " ".join(missing), "is" if len(missing) == 1 else "are"
        raise DependencyMissingError(
            f"{spec.name} needs {' and '.join(missing)}, which {are} not installed. "
            f"Install: pip install {packages}"
        )
