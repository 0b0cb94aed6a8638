"""Models of a few hundred bytes, complete for everything but torch."""

import json
import struct
from pathlib import Path


def save_model(folder: Path) -> Path:
    """Write a Wan folder that is complete for everything but torch."""
    index = {
        "_class_name": "WanPipeline",
        "_diffusers_version": "0.42.1",
        "boundary_ratio": None,
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "T5TokenizerFast"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    transformer = {"_class_name": "WanTransformer3DModel", "patch_size": [1, 2, 2]}
    vae = {"_class_name": "AutoencoderKLWan", "scale_factor_spatial": 8, "scale_factor_temporal": 4}
    write_json(folder / "model_index.json", index)
    write_json(folder / "scheduler/scheduler_config.json", {"num_train_timesteps": 1000})
    write_json(folder / "tokenizer/tokenizer.json", {"model": {}})
    write_json(folder / "text_encoder/config.json", {"model_type": "umt5"})
    write_json(folder / "transformer/config.json", transformer)
    write_json(folder / "vae/config.json", vae)
    write_weights(folder / "text_encoder/model.safetensors")
    write_weights(folder / "transformer/diffusion_pytorch_model.safetensors")
    write_weights(folder / "vae/diffusion_pytorch_model.safetensors")
    return folder


def write_json(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def write_weights(path: Path, count: int = 2) -> None:
    """A safetensors file of one vector."""
    tensor = {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}
    header = json.dumps({"weight": tensor}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * count))
