"""How long prompt files take to be read, and how much memory: `python bench/reading.py [--lines N]`.

Every format is written with as many entries and read in a process of its own: checked whole, then
handed out item by item. Prints processor seconds until the first item and for all of them, and by how
much the peak of memory grows over that of a file with a hundred entries.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

KINDS = ("plain.txt", "flags.txt", "alternatives.txt", "csv", "jsonl", "openai.jsonl", "yaml")
_FLAGS = "--w 832 --h 480 --f 81 --s 30 --g 5 --n blurry, dull"


def entries(kind: str, count: int) -> Iterator[str]:
    """The lines of a file of this kind."""
    if kind == "csv":
        yield "id,prompt,seed,size,steps"
    for n in range(count):
        prompt = f"a well-known fox -- number {n} -- runs over the snow"
        record = {"prompt": prompt, "seed": n, "size": "832x480"}
        match kind:
            case "plain.txt":
                yield prompt
            case "flags.txt":
                yield f"{prompt} --d {n} {_FLAGS}"
            case "alternatives.txt":
                yield f"{prompt} and {{rests|sleeps}}"
            case "csv":
                yield f'{n},"{prompt}, and more",{n},832x480,30'
            case "jsonl":
                yield json.dumps({"id": f"fox-{n}", **record, "steps": 30})
            case "openai.jsonl":
                yield json.dumps({"custom_id": f"fox-{n}", "body": record})
            case "yaml":
                yield f"- {{prompt: {prompt}, seed: {n}}}"


def read(kind: str, count: int, folder: Path) -> dict[str, float]:
    """Read one file in this process."""
    from t2v.batch.reading.prompt_files import read_items

    large, small = folder / f"large.{kind}", folder / f"small.{kind}"
    for path, number in ((small, 100), (large, count)):
        with path.open("w") as file:
            file.writelines(f"{line}\n" for line in entries(kind, number))
    deque(read_items([small]), maxlen=0)
    peak = _peak_bytes()
    begin = time.process_time()
    items = read_items([large])
    next(items)
    first = time.process_time()
    num_items = 1 + sum(1 for _ in items)
    return {
        "items": num_items,
        "first_item_s": first - begin,
        "all_items_s": time.process_time() - begin,
        "growth_bytes": _peak_bytes() - peak,
    }


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--kind", choices=KINDS, help="only this one, in this process, as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.kind:
            print(json.dumps(read(given.kind, given.lines, Path(folder))))
            return
    print(f"{given.lines:,} entries".ljust(20), "first item s  all items s  growth MiB")
    for kind in KINDS:
        command = [sys.executable, __file__, "--kind", kind, "--lines", str(given.lines)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        print(
            kind.ljust(20),
            f"{found['first_item_s']:12.2f} {found['all_items_s']:12.2f}",
            f"{found['growth_bytes'] / 2**20:11.1f}",
        )


if __name__ == "__main__":
    main()
