"""What a prompt file says about one video, whatever its format."""

from dataclasses import dataclass

from t2v.plan.options import Options


@dataclass(frozen=True, slots=True)
class Item:
    """One video that was asked for. Every format of prompt file becomes this.

    What the item leaves open in `options` is decided by the layers below, as for `t2v generate`.
    """

    prompt: str | None
    """None where the story of the options begins with a prompt of its own."""
    options: Options
    """Model, seed, size, length, LoRAs, story ...: what is said of this item."""
    custom_id: str | None = None
    """The user's own name for it; comes back in `results.jsonl`."""
    output: str | None = None
    """File name below the run folder, perhaps with `{prompt}` and the like; its suffix is the kind."""
    source: str = ""
    """Where it stands, as messages name it: `prompts.csv:3`."""
