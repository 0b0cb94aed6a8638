"""Tokenizers without files, text encoders and image VAEs that several families share."""

# ruff: noqa: TID253 - tiny pipelines are made of torch

from typing import Any

import diffusers as df
import transformers as tf
from tokenizers.pre_tokenizers import ByteLevel


def t5_tokenizer() -> "tf.T5Tokenizer":
    """Letters alone."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'\"-()"
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces = [*special, *((c, -3.0) for c in letters), ("▁a", -2.5), ("▁the", -2.5)]
    return tf.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=64)


def clip_tokenizer() -> "tf.CLIPTokenizer":
    """Bytes alone."""
    symbols = sorted(ByteLevel.alphabet())
    # The end of a text gets the highest id, because the encoder looks for it with argmax.
    words = [*symbols, *(s + "</w>" for s in symbols), "<|startoftext|>", "<|endoftext|>"]
    vocab = {word: number for number, word in enumerate(words)}
    return tf.CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)


_CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{{ c['text'] }}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def qwen_tokenizer() -> "tf.Qwen2Tokenizer":
    """Bytes, and the marks of a chat."""
    symbols = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = tf.Qwen2Tokenizer(
        vocab={symbol: number for number, symbol in enumerate(symbols)},
        merges=[],
        model_max_length=2048,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    tokenizer.chat_template = _CHAT
    return tokenizer


def llama_tokenizer() -> "tf.LlamaTokenizer":
    """Bytes and letters."""
    symbols = ["<unk>", "<s>", "</s>", "<pad>", *(f"<0x{byte:02X}>" for byte in range(256))]
    symbols += ["▁", *"abcdefghijklmnopqrstuvwxyz"]
    vocab = {symbol: number for number, symbol in enumerate(symbols)}
    tokenizer = tf.LlamaTokenizer(vocab=vocab, merges=[], pad_token="<pad>", model_max_length=2048)
    tokenizer.padding_side = "right"
    return tokenizer


def qwen_text_config(tokenizer: Any, dim: int = 32, num_layers: int = 2) -> Any:
    """The language half of a Qwen 2.5 VL."""
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
        }
    )
    return config.text_config


def _t5_config(tokenizer: Any, kind: Any, dim: int = 32) -> Any:
    return kind(
        vocab_size=len(tokenizer),
        d_model=dim,
        d_ff=2 * dim,
        d_kv=8,
        num_heads=4,
        num_layers=2,
        num_decoder_layers=1,
        relative_attention_num_buckets=8,
        feed_forward_proj="gated-gelu",
    )


def t5(tokenizer: Any, dim: int = 32) -> "tf.T5EncoderModel":
    """The text encoder of most transformers."""
    return tf.T5EncoderModel(_t5_config(tokenizer, tf.T5Config, dim))


def umt5(tokenizer: Any) -> "tf.UMT5EncoderModel":
    """The text encoder of Wan."""
    return tf.UMT5EncoderModel(_t5_config(tokenizer, tf.UMT5Config))


def _clip_config(tokenizer: Any) -> "tf.CLIPTextConfig":
    return tf.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        num_hidden_layers=2,
        projection_dim=32,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def clip(tokenizer: Any) -> "tf.CLIPTextModel":
    """The text encoder of Stable Diffusion."""
    return tf.CLIPTextModel(_clip_config(tokenizer))


def clip_with_projection(tokenizer: Any) -> "tf.CLIPTextModelWithProjection":
    """The second text encoder of Stable Diffusion XL."""
    return tf.CLIPTextModelWithProjection(_clip_config(tokenizer))


def image_vae() -> "df.AutoencoderKL":
    """The VAE of Stable Diffusion, half size in each direction."""
    return df.AutoencoderKL(
        block_out_channels=(8, 8),
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        norm_num_groups=2,
        sample_size=16,
    )


def ddim() -> "df.DDIMScheduler":
    """The scheduler of Stable Diffusion's kin."""
    return df.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="linear", clip_sample=False
    )
