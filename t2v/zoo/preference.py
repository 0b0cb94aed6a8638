"""Which model the user wants where a command names none: one line of the user's config file."""

import json
import re
from pathlib import Path

from t2v.errors import DocumentError
from t2v.zoo.documents import parse_yaml, read_yaml
from t2v.zoo.places import config_home
from t2v.zoo.store import write_text

_PLAIN = re.compile(r"[A-Za-z][\w./@-]*")
_LINE = re.compile(r"^model[ \t]*:.*$", re.MULTILINE)


def preferred_model() -> str | None:
    """The `model` of the user's config file, if there is one.

    Raises:
        DocumentError: The config file is broken.
    """
    path = _config_file()
    if not path.is_file():
        return None
    document = read_yaml(path)
    data = document.data if document.data is not None else {}
    model = data.get("model") if isinstance(data, dict) else None
    if model is not None and not isinstance(model, str):
        raise document.error(("model",), "must be the name of a model.")
    return model or None


def prefer_model(name: str) -> Path:
    """Write the user's choice into the config file and leave the rest of it as it is.

    Raises:
        DocumentError: The config file is broken, or would be afterwards.
        DiskError: The file cannot be written.
    """
    path = _config_file()
    text = path.read_text("utf-8") if path.is_file() else ""
    line = f"model: {name}"
    if not _PLAIN.fullmatch(name):
        # JSON strings are YAML strings.
        line = f"model: {json.dumps(name)}"
    text, lines = _LINE.subn(lambda _: line, text, count=1)
    if not lines:
        text = f"{line}\n{text}"
    data = parse_yaml(text, str(path)).data
    if not isinstance(data, dict) or data.get("model") != name:
        raise DocumentError(f"{path}:1:1: cannot set `model` here; write `{line}` by hand.")
    write_text(path, text)
    return path


def _config_file() -> Path:
    return config_home() / "config.yaml"
