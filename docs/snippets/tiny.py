"""A pipeline of real classes with random weights: all of t2v in a second, for tests."""

import t2v
from t2v.testing import tiny_options, tiny_pipeline

folder = tiny_pipeline("wan", "tiny-wan")
video = t2v.load(folder).generate("a red ball", seed=0, **tiny_options("wan"))
print(video.frames.shape)
