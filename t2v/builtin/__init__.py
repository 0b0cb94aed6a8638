"""The model that ships inside the package, and where its files are."""

from pathlib import Path


def folder(name: str = "doodle-128") -> Path:
    """The diffusers folder of an embedded model.

    Raises:
        FileNotFoundError: No embedded model has this name.
    """
    path = Path(__file__).parent / name
    if not (path / "model_index.json").is_file():
        raise FileNotFoundError(f"No embedded model {name!r} in {path.parent}.")
    return path
