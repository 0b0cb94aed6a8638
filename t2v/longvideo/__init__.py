"""Videos longer than a clip: windows denoised together, streamed out as they become final."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2v.longvideo.stream import frames

__all__ = ["frames"]


def __getattr__(name: str) -> Any:
    # Reports on long videos are read without torch.
    if name == "frames":
        return import_module("t2v.longvideo.stream").frames
    raise AttributeError(name)
