"""Read back how a video was made, and make it again."""

import t2v

t2v.load("doodle-128").generate("a pink heart rises", seed=3, output="heart.mp4")
print(t2v.inspect("heart.mp4")["record"]["seed"])

again = t2v.replay_plan("heart.mp4")
(video,) = t2v.run(again.plan, output="again.mp4")
assert video.record["frames_sha256"] == again.frames_sha256

variation = t2v.replay_plan("heart.mp4", {"seed": "4"})
(video,) = t2v.run(variation.plan, output="other.mp4")
