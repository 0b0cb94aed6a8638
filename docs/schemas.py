"""Writes the JSON schemas of what commands print from the code; `--check` says whether they hold."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from outputs.batch import batch, batch_dry_run, inspect_run, results
from outputs.models import models_list, models_search, models_show
from outputs.plan import plan
from outputs.words import Schema

FOLDER = Path(__file__).parent / "pages" / "schemas"

SCHEMAS: dict[str, Callable[[], Schema]] = {
    "batch": batch,
    "batch-dry-run": batch_dry_run,
    "inspect-run": inspect_run,
    "models-list": models_list,
    "models-search": models_search,
    "models-show": models_show,
    "plan": plan,
    "results": results,
}


def main() -> None:
    """Write the schemas, or compare them."""
    texts = {FOLDER / f"{name}.json": _text(make()) for name, make in SCHEMAS.items()}
    if "--check" not in sys.argv:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return
    there = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    stale = [path for path, text in texts.items() if there.get(path) != text]
    if stale:
        sys.exit(f"out of date: {', '.join(map(str, stale))}; run python docs/schemas.py")
    if strange := sorted(there.keys() - texts.keys()):
        sys.exit(f"not made by docs/schemas.py: {', '.join(map(str, strange))}")


def _text(schema: Schema) -> str:
    draft = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": draft, **schema}, indent=1) + "\n"


if __name__ == "__main__":
    main()
