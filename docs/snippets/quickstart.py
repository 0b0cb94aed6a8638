"""One video from Python."""

import t2v

generator = t2v.load("doodle-128")
video = generator.generate("a red ball bounces over green hills", seed=7, output="ball.mp4")
print(video.output, video.status, video.record["frames_sha256"][:12])
