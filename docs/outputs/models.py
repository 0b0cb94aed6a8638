"""Writes the JSON schemas of `t2v models --json` from the code; `--check` says whether they hold."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2v.plan.rungs import RUNGS
from t2v.zoo.spec import ModelSpec

FOLDER = Path(__file__).parent / "pages" / "schemas"

Schema = dict[str, Any]

NUMBER_OF_BYTES = {"type": "integer", "minimum": 0}
MAYBE_BYTES = {"type": ["integer", "null"], "minimum": 0}
MAYBE_TEXT = {"type": ["string", "null"]}
MAYBE_RUNG = {"enum": [*RUNGS, None]}


def record(description: str, **properties: Schema) -> Schema:
    """An object with all of these properties and no other."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


FACTS = {
    "params": {"type": "integer", "minimum": 0, "description": "Of what denoises; 0 is unknown."},
    "download_bytes": {**NUMBER_OF_BYTES, "description": "0 is unknown, or nothing to download."},
    "is_default": {"type": "boolean", "description": "A request that names no model gets it."},
    "is_here": {"type": "boolean", "description": "All of its files are on this machine."},
    "native": record(
        "One clip as the model was trained.",
        width={"type": "integer"},
        height={"type": "integer"},
        num_frames={"type": "integer"},
        fps={"type": "string", "description": "An exact fraction, such as 24000/1001."},
        duration_s={"type": "number"},
    ),
    "fits": record(
        "Whether one native clip fits the memory of this machine.",
        answer={"enum": ["yes", "offload", "no", "unknown"]},
        rung={**MAYBE_RUNG, "description": "The fastest placement of the weights that fits."},
        peak_bytes=MAYBE_BYTES,
        limit_bytes=MAYBE_BYTES,
    ),
}
SCORE = {"score": {"type": "number", "exclusiveMinimum": 0}}
PAGE = {
    "license_meaning": {"type": "string"},
    "rungs": {
        "type": "array",
        "items": record(
            "The estimated peak of one placement on this kind of device.",
            rung={"enum": list(RUNGS)},
            peak_bytes=NUMBER_OF_BYTES,
        ),
    },
    "machine": record("This machine.", device={"type": "string"}, name={"type": "string"}),
    "folder_here": MAYBE_TEXT,
    "revision_here": MAYBE_TEXT,
    "command": {"type": "string", "description": "A command line that runs the model."},
}


def model(title: str, **more: Schema) -> Schema:
    """An entry of a catalog, what follows from it, and more."""
    entry = ModelSpec.model_json_schema(mode="serialization")
    definitions = {name: without_nulls(part) for name, part in entry.pop("$defs").items()}
    entry = without_nulls(entry)
    entry["properties"] |= FACTS | more
    entry["required"] += [*FACTS, *more]
    return {**entry, "title": title, "$defs": definitions}


def without_nulls(schema: Schema) -> Schema:
    """What is null is left out of the output, so it is optional, and never null."""
    properties = schema.get("properties", {})
    optional = {
        name for name, one in properties.items() if {"type": "null"} in one.get("anyOf", ())
    }
    for name in optional:
        one = properties[name]
        one["anyOf"] = [way for way in one["anyOf"] if way != {"type": "null"}]
        one.pop("default", None)
    if properties:
        schema["required"] = [name for name in properties if name not in optional]
    return schema


def several(title: str, one: Schema) -> Schema:
    """A list of them."""
    return {"title": title, "type": "array", "items": one, "$defs": one.pop("$defs")}


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "models-list": lambda: several("t2v models list --json", model("A model")),
    "models-search": lambda: several("t2v models search --json", model("A match", **SCORE)),
    "models-show": lambda: model("t2v models show --json", **PAGE),
}


def main() -> None:
    """Write the schemas, or compare them."""
    stale = []
    for name, make in SCHEMAS.items():
        path = FOLDER / f"{name}.json"
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **make()}
        text = json.dumps(schema, indent=1) + "\n"
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path))
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}; run python docs/schemas.py")


if __name__ == "__main__":
    main()
