"""Everything that is known before a weight is loaded."""

import t2v

plan = t2v.make_plan("a fox in the snow", t2v.Options(model="wan2.1-t2v-1.3b", seconds=5))
request = plan.requests[0]
print(request.num_frames, request.fps, request.origins["fps"])
print(plan.memory.rung, plan.memory.reason)
print(*plan.notes, sep="\n")
