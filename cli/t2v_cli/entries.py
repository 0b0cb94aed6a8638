"""A model's entry in words: as a line of the list, and whole."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import t2v

if TYPE_CHECKING:
    from t2v import ModelSpec

HEADERS = (
    "name",
    "family",
    "params",
    "download",
    "native clip",
    "license",
    "commercial",
    "here",
    "maturity",
)


def facts(spec: "ModelSpec") -> dict[str, Any]:
    """All that is known of a model, JSON-ready."""
    return {
        **spec.model_dump(mode="json", exclude_none=True),
        "params": _params(spec),
        "download_bytes": spec.download_bytes,
        "is_here": t2v.locate(spec) is not None,
    }


def _params(spec: "ModelSpec") -> int:
    """Parameters of what denoises, the number models are known by."""
    parts = [spec.components.get(name) for name in ("transformer", "transformer_2", "unet")]
    return sum(part.params for part in parts if part)


def row(spec: "ModelSpec") -> tuple[str, ...]:
    """A model as a line of the list."""
    width, height = spec.sizes.native[0]
    seconds = float(spec.frames.native / Fraction(spec.fps))
    return (
        spec.name,
        spec.family,
        _count(_params(spec), "M", "B"),
        "none" if spec.builtin else _count(spec.download_bytes, " MB", " GB"),
        f"{width}x{height} {seconds:.1f} s",
        spec.license,
        spec.commercial,
        "yes" if t2v.locate(spec) else "no",
        spec.maturity,
    )


def _count(number: int, millions: str, billions: str) -> str:
    """`1.3B`, `14 MB`; a question mark where it is not known."""
    if not number:
        return "?"
    scaled, unit = (number / 1e9, billions) if number >= 1e9 else (number / 1e6, millions)
    return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:.0f}{unit}"


def flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested facts as rows of key path and value; what is empty is left out."""
    rows = []
    for name, value in facts.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name}.")
        elif value not in (None, [], ""):
            rows.append((prefix + name, str(value)))
    return rows
