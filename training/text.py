"""The words of the world as a tokenizer, and the small text encoder that is trained along."""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from training import world

MAX_TOKENS = 24
SPECIAL = ("<pad>", "</s>", "<unk>")


def build_tokenizer() -> PreTrainedTokenizerFast:
    """One token a word or sign, in lower case; a word from outside the world is one `<unk>`."""
    words = [*SPECIAL, *world.vocabulary()]
    vocab = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    end = ("</s>", vocab["</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[end]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=MAX_TOKENS,
    )


def build_text_encoder(vocab_size: int, *, width: int = 128, layers: int = 2) -> UMT5EncoderModel:
    """A small encoder of the family that Wan uses."""
    config = UMT5Config(
        vocab_size=vocab_size,
        d_model=width,
        d_kv=32,
        num_heads=width // 32,
        d_ff=2 * width,
        num_layers=layers,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
    )
    return UMT5EncoderModel(config)


def adopt_words(
    encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerFast,
    old_encoder: UMT5EncoderModel,
    old_tokenizer: PreTrainedTokenizerFast,
) -> None:
    """Take over an older encoder: its layers as they are, its embeddings word by word."""
    old_rows = {
        word.strip("\u2581"): row
        for word, row in old_tokenizer.get_vocab().items()
        if word != "\u2581"
    }
    state = old_encoder.state_dict()
    old_table = state["shared.weight"]
    table = old_table.mean(0).repeat(len(tokenizer), 1)
    for word, row in tokenizer.get_vocab().items():
        if word in old_rows:
            table[row] = old_table[old_rows[word]]
    tied = {
        name: table for name in state if name.endswith(("shared.weight", "embed_tokens.weight"))
    }
    encoder.load_state_dict({**state, **tied})


def embed(
    tokenizer: PreTrainedTokenizerFast,
    encoder: UMT5EncoderModel,
    captions: Sequence[str],
    *,
    length: int = MAX_TOKENS,
) -> torch.Tensor:
    """What the pipeline makes of the captions: hidden states, zero behind the end."""
    tokens = tokenizer(
        list(captions),
        padding="max_length",
        max_length=length,
        truncation=True,
        return_tensors="pt",
    ).to(encoder.device)
    hidden = encoder(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
    return hidden.last_hidden_state * tokens.attention_mask[..., None]
