"""Several videos of one model, which is loaded once."""

from pathlib import Path

import t2v

PROMPTS = ("a blue star spins at night", "a green square rises over the sea")

generator = t2v.load("doodle-128")
for number, prompt in enumerate(PROMPTS):
    generator.generate(prompt, seed=number, output=Path("clips") / f"{number}.mp4")
generator.close()
