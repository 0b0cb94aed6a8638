"""The words that the schemas have in common."""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
YES_OR_NO: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
SECONDS: Schema = {"type": "number", "minimum": 0}
MAYBE_SECONDS: Schema = {"type": ["number", "null"], "minimum": 0}
NUMBER_OF_BYTES = COUNT
MAYBE_BYTES: Schema = {"type": ["integer", "null"], "minimum": 0}
TIME: Schema = {"type": "string", "description": "ISO 8601, UTC."}
FRACTION: Schema = {"type": "string", "description": "An exact fraction, such as 24000/1001."}


def record(description: str, **properties: Schema) -> Schema:
    """An object with all of these properties and no other."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def one_of(values: Iterable[str]) -> Schema:
    """One of these words."""
    return {"enum": list(values)}


def array(items: Schema, description: str | None = None, *, least: int = 0) -> Schema:
    """A list of them."""
    schema: Schema = {"type": "array", "items": items}
    if description:
        schema["description"] = description
    return schema | ({"minItems": least} if least else {})


def maybe(schema: Schema, description: str) -> Schema:
    """That, or null."""
    return {"description": description, "oneOf": [{"type": "null"}, schema]}


def said(schema: Schema, description: str) -> Schema:
    """The same, with what its name does not say."""
    return {**schema, "description": description}
