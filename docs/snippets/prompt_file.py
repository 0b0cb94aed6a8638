"""The items of a prompt file, as `t2v batch` sees them."""

from pathlib import Path

import t2v

Path("prompts.txt").write_text("a {red|blue} ball --size 128x128\n")
for item in t2v.read_items(["prompts.txt"], sweeps={"seed": ["1", "2"]}):
    print(item.source, item.prompt, item.options.said())
