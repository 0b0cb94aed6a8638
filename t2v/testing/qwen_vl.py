"""Qwen 2.5 VL without files: the text encoder of Kandinsky 5 and 6 and of Cosmos 2.5."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import transformers as tf


def qwen_vl(tokenizer: Any, dim: int = 32, num_layers: int = 2) -> Any:
    """The whole model; its eyes are there and stay closed."""
    rope = {"mrope_section": [dim // 16, dim // 16, dim // 8], "rope_type": "default"}
    config = tf.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": dim,
            "intermediate_size": 2 * dim,
            "num_hidden_layers": num_layers,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "rope_parameters": rope | {"rope_theta": 1e6},
            "max_position_embeddings": 4096,
            "bos_token_id": None,
            "eos_token_id": None,
            "pad_token_id": None,
        },
        vision_config={
            "depth": 1,
            "hidden_size": dim,
            "intermediate_size": 2 * dim,
            "num_heads": 2,
            "out_hidden_size": dim,
        },
        # The marks of a picture have to lie inside the small vocabulary.
        image_token_id=1,
        video_token_id=2,
        vision_start_token_id=3,
        vision_end_token_id=4,
    )
    return tf.Qwen2_5_VLForConditionalGeneration(config)
