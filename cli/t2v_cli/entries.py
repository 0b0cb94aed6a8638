"""A model as a line of the list."""

from typing import Any

from t2v_cli.columns import Column

COLUMNS = (
    Column("name", 0, shortest=24),
    Column("family", 8),
    Column("params", 6, is_number=True),
    Column("download", 1, is_number=True),
    Column("native clip", 2),
    Column("license", 7, shortest=10),
    Column("commercial", 3),
    Column("here", 4),
    Column("fits", 5),
    Column("maturity", 9),
    Column("description", 10, shortest=24),
)
FITS = {"yes": "yes", "offload": "offload", "no": "no", "unknown": "?"}


def row(facts: dict[str, Any]) -> tuple[str, ...]:
    """A model in the order of `COLUMNS`."""
    return (
        f"{facts['name']} (default)" if facts["is_default"] else facts["name"],
        facts["family"],
        count(facts["params"], "M", "B"),
        download(facts),
        clip(facts),
        facts["license"],
        facts["commercial"],
        "yes" if facts["is_here"] else "no",
        FITS[facts["fits"]["answer"]],
        facts["maturity"],
        facts.get("description", ""),
    )


def download(facts: dict[str, Any]) -> str:
    """What fetching the model takes: `14.7 GB`, or `none` for one that is on the machine."""
    return count(facts["download_bytes"], " MB", " GB") if facts.get("repo") else "none"


def clip(facts: dict[str, Any]) -> str:
    """The clip that the model was trained on: `832x480 5.1 s`."""
    native = facts["native"]
    return f"{native['width']}x{native['height']} {native['duration_s']:.1f} s"


def count(number: int, millions: str, billions: str) -> str:
    """`1.3B`, `14 MB`; a question mark where it is not known."""
    if not number:
        return "?"
    scaled, unit = (number / 1e9, billions) if number >= 1e9 else (number / 1e6, millions)
    if scaled < 0.1:
        return f"{scaled:.1g}{unit}"
    return f"{scaled:.1f}{unit}" if scaled < 99.95 else f"{scaled:.0f}{unit}"
