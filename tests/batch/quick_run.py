"""A batch of tiny videos in a process of its own, to be killed: `python -m tests.batch.quick_run`.

Prompts come on stdin, a line each. Events go to stdout as they come, then the summary.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2v.batch.items import Item
from t2v.batch.jobs import BatchPlan
from t2v.batch.making import Manner
from t2v.batch.planning.plan import plan_batch
from t2v.batch.running.runner import run_batch
from t2v.errors import T2VError
from t2v.plan.events import Event
from t2v.plan.machine import Machine
from t2v.plan.options import Options

MAKER = "tests.batch.quick_maker:open_maker"
MACHINE = Machine("cpu", "a processor", 1 << 34, 1 << 35, 1 << 34, 1 << 35, 2)


def plan_of(prompts: Sequence[str]) -> BatchPlan:
    """The plan of prompts for the embedded model."""
    items = [Item(prompt, Options(), source=f"p.txt:{n}") for n, prompt in enumerate(prompts, 1)]
    return plan_batch(items, Options(model="doodle-128"), machine=MACHINE, config=False)


def _say(event: Event) -> None:
    _print({name: value for name, value in asdict(event).items() if value is not None})


def _print(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run it; the exit code is that of the summary."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--maker", default=MAKER)
    parser.add_argument("--retry-failed", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args()
    prompts = sys.stdin.read().splitlines()
    try:
        summary = run_batch(
            plan_of(prompts),
            folder=given.folder,
            manner=Manner(given.folder, lanes=given.lanes or None),
            workers=given.workers,
            timeout_s=given.timeout,
            retry_failed=given.retry_failed,
            fresh=given.fresh,
            maker=given.maker,
            listener=_say,
        )
    except T2VError as error:
        _print({"error": str(error), "exit_code": error.exit_code})
        return error.exit_code
    _print(summary.to_dict() | {"event": "summary"})
    return summary.exit_code


if __name__ == "__main__":
    sys.exit(main())
