"""Gemma without files: the tokenizer of LTX-2 and SANA-Video, and their text encoders."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import transformers as tf


def gemma_tokenizer() -> "tf.GemmaTokenizer":
    """Bytes and letters."""
    symbols = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    symbols += [f"<0x{byte:02X}>" for byte in range(256)]
    symbols += ["▁", *"abcdefghijklmnopqrstuvwxyz"]
    vocab = {symbol: number for number, symbol in enumerate(symbols)}
    return tf.GemmaTokenizer(vocab=vocab, merges=[], model_max_length=512)


def gemma2(tokenizer: Any, dim: int = 8) -> "tf.Gemma2Model":
    """The text encoder of SANA-Video."""
    config = tf.Gemma2Config(
        vocab_size=len(tokenizer),
        head_dim=16,
        hidden_size=dim,
        intermediate_size=2 * dim,
        num_attention_heads=2,
        num_hidden_layers=1,
        num_key_value_heads=2,
    )
    return tf.Gemma2Model(config)


def gemma3(tokenizer: Any, dim: int = 16, num_layers: int = 2) -> Any:
    """The text encoder of LTX-2.0 and 2.3; its eyes are there and stay closed."""
    num_words = len(tokenizer)
    config = tf.Gemma3Config(
        text_config={
            "vocab_size": num_words + 8,
            "hidden_size": dim,
            "intermediate_size": 2 * dim,
            "num_hidden_layers": num_layers,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "sliding_window": 64,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
        mm_tokens_per_image=4,
        image_token_index=num_words + 1,
        boi_token_index=num_words + 2,
        eoi_token_index=num_words + 3,
    )
    return tf.Gemma3ForConditionalGeneration(config)
