"""A batch from Python: what is missing is made, and what became of each is counted."""

from pathlib import Path

import t2v

Path("prompts.txt").write_text("a red ball bounces over green hills\na blue square slides left\n")
plan = t2v.plan_batch(t2v.read_items(["prompts.txt"]))
print(len(plan.jobs), "videos by", plan.groups[0].spec.name)
folder = Path("out")
summary = t2v.run_batch(plan, folder=folder, manner=t2v.Manner(folder))
for item in summary.failures:
    print(item.source, item.failure.message)
assert summary.num_made + summary.num_there == len(plan.jobs)
