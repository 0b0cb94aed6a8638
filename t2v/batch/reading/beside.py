"""What a prompt file names by a path from its own folder on: stories, LoRAs, models."""

from functools import lru_cache
from pathlib import Path

from t2v.plan.lora import is_here, locate, parse_lora
from t2v.plan.paths import absolute, is_model_path
from t2v.plan.story import Cue, read_story
from t2v.plan.wording import quoted


class Beside:
    """Finds what the entries of a file name; the same name is looked up once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.story = lru_cache(maxsize=64)(self._story)
        self.lora = lru_cache(maxsize=1024)(self._lora)
        self.model = lru_cache(maxsize=1024)(self._model)

    def _story(self, text: str) -> tuple[Cue, ...]:
        return read_story(absolute(text, self.folder))

    def _lora(self, text: str) -> str:
        lora = parse_lora(text)
        return str(locate(lora, self.folder)) if is_here(lora.source, self.folder) else text

    def _model(self, text: str) -> str:
        if not text.isprintable():
            raise ValueError(f"{quoted(text)} is no name of a model")
        return str(absolute(text, self.folder)) if is_model_path(text, self.folder) else text
