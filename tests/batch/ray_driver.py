"""`python -m tests.batch.ray_driver FOLDER`, with a list of `[prompt, output]` on stdin.

Makes them on the cluster of `RAY_ADDRESS`, or on one of its own. With `--apart`, workers do not see
the run folder, as on machines that share no disk.
"""

import json
import sys
from pathlib import Path

from t2v.batch.items import Item
from t2v.batch.making import Manner
from t2v.batch.planning.plan import plan_batch
from t2v.batch.running.runner import run_batch
from t2v.batch.workers.ray import RayEngine
from t2v.plan.options import Options

MAKER = "tests.batch.ray_maker:open_maker"


class Apart(RayEngine):
    def open(self, manner: Manner, maker: str) -> None:
        super().open(manner, maker)
        for mark in manner.folder.glob(".work/shared-*"):
            mark.unlink()


def main() -> None:
    folder = Path(sys.argv[1])
    engine = Apart() if "--apart" in sys.argv else RayEngine()
    wishes = enumerate(json.load(sys.stdin))
    items = [Item(prompt, Options(seed=seed), output=output) for seed, (prompt, output) in wishes]
    plan = plan_batch(items, machine=engine.machine())
    summary = run_batch(plan, folder=folder, manner=Manner(folder), engine=engine, maker=MAKER)
    reasons = [one.failure.message for one in summary.failures]
    facts = {"made": summary.num_made, "there": summary.num_there, "reasons": reasons}
    sys.stdout.write(json.dumps(facts))
    sys.exit(summary.exit_code)


if __name__ == "__main__":
    main()
