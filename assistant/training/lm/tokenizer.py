"""A byte-level BPE tokenizer of our own, whose way of splitting llama.cpp knows as `starcoder`: digits one by one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from veriloop.assistant.repair.prompt import special_tokens

PRE_TOKENIZER = "starcoder"
"""What llama.cpp calls the way of splitting."""
_RARE = 2


def train_tokenizer(texts: Iterable[str], *, size: int) -> Tokenizer:
    """Learns merges from texts.

    Args:
        texts: plain ones, without special tokens.
        size: of the vocabulary, bytes and special tokens included; fewer if the texts hold fewer pairs.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special_tokens(),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=_RARE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer from its file."""
    return Tokenizer.from_file(str(path))
