"""Frames in memory: without an output nothing is written until `save`."""

import t2v

video = t2v.load("doodle-128").generate("a yellow star falls over the sea", seed=1)
print(video.frames.shape, video.frames.dtype, video.fps)
video.save("star.gif")
