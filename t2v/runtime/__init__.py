"""Torch land: devices, seeds, loading, memory rungs, and what every model family has in common."""

import os

# diffusers and huggingface_hub read these once, when they are first imported.
os.environ["DIFFUSERS_DISABLE_REMOTE_CODE"] = "1"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
