"""Qwen 2.5 VL without files: the text encoder of Kandinsky 5 and 6 and of Cosmos 2.5."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import transformers as tf

from t2v.testing.parts import qwen_text_config


def qwen_vl(tokenizer: Any, dim: int = 32, num_layers: int = 2) -> Any:
    """The whole model; its eyes are there and stay closed."""
    config = tf.Qwen2_5_VLConfig(
        text_config=qwen_text_config(tokenizer, dim, num_layers).to_dict(),
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
