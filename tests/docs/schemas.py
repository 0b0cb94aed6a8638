"""Holds documents against the schemas in the documentation."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from tests.docs.reading import FOLDER


def faults(name: str, document: Any) -> list[str]:
    """What a document has that the schema of that name does not allow."""
    schema = json.loads((FOLDER / "schemas" / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    found = Draft202012Validator(schema).iter_errors(as_printed(document))
    return [f"{error.json_path}: {error.message}" for error in found]


def as_printed(document: Any) -> Any:
    """The document as JSON has it."""
    return json.loads(json.dumps(document))
