"""The schemas of `t2v models`: an entry of a catalog, and what follows from it on this machine."""

from typing import Any

from outputs.words import (
    FRACTION,
    MAYBE_BYTES,
    MAYBE_TEXT,
    NUMBER_OF_BYTES,
    TEXT,
    YES_OR_NO,
    Schema,
    array,
    one_of,
    record,
    said,
)

from t2v.plan.rungs import RUNGS
from t2v.zoo.spec import ModelSpec

FACTS: dict[str, Schema] = {
    "params": {"type": "integer", "minimum": 0, "description": "Of what denoises; 0 is unknown."},
    "download_bytes": said(NUMBER_OF_BYTES, "0 is unknown, or nothing to download."),
    "is_default": said(YES_OR_NO, "A request that names no model gets it."),
    "is_here": said(YES_OR_NO, "All of its files are on this machine."),
    "native": record(
        "One clip as the model was trained.",
        width={"type": "integer"},
        height={"type": "integer"},
        num_frames={"type": "integer"},
        fps=FRACTION,
        duration_s={"type": "number"},
    ),
    "fits": record(
        "Whether one native clip fits the memory of this machine.",
        answer=one_of(("yes", "offload", "no", "unknown")),
        rung={
            "enum": [*RUNGS, None],
            "description": "The fastest placement of the weights that fits.",
        },
        peak_bytes=MAYBE_BYTES,
        limit_bytes=MAYBE_BYTES,
    ),
}
SCORE: dict[str, Schema] = {"score": {"type": "number", "exclusiveMinimum": 0}}
PAGE: dict[str, Schema] = {
    "license_meaning": TEXT,
    "rungs": array(
        record(
            "The estimated peak of one placement on this kind of device.",
            rung=one_of(RUNGS),
            peak_bytes=NUMBER_OF_BYTES,
        ),
    ),
    "machine": record("This machine.", device=TEXT, name=TEXT),
    "folder_here": MAYBE_TEXT,
    "revision_here": MAYBE_TEXT,
    "command": said(TEXT, "A command line that runs the model."),
}


def models_list() -> Schema:
    """All models, or those that the filters leave."""
    return _several("t2v models list --json", _model("A model"))


def models_search() -> Schema:
    """The models that were found."""
    return _several("t2v models search --json", _model("A match", SCORE))


def models_show() -> Schema:
    """One model."""
    return _model("t2v models show --json", PAGE)


def _model(title: str, more: dict[str, Schema] | None = None) -> Schema:
    """An entry of a catalog, what follows from it, and more."""
    facts = FACTS | (more or {})
    entry: Schema = ModelSpec.model_json_schema(mode="serialization")
    definitions = {name: _without_nulls(part) for name, part in entry.pop("$defs").items()}
    entry = _without_nulls(entry)
    entry["properties"] |= facts
    entry["required"] += facts
    return {**entry, "title": title, "$defs": definitions}


def _without_nulls(schema: Schema) -> Schema:
    """What is null is left out of the output, so it is optional, and never null."""
    properties: dict[str, Any] = schema.get("properties", {})
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


def _several(title: str, one: Schema) -> Schema:
    """A list of them."""
    return {"title": title, "type": "array", "items": one, "$defs": one.pop("$defs")}
