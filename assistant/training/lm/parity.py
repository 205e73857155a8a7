"""Whether two files hold the same model: what each takes for the likeliest next token, all through some texts."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from veriloop.assistant.training.corpus import design
from veriloop.assistant.training.draft import families
from veriloop.models.local import LocalModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What a comparison came to."""

    top1_agreement: float
    """At which share of the places both say the same."""
    places: int
    texts: int


def designs(count: int, *, seed: int = 1_000_000) -> Iterator[str]:
    """Texts of families that no training has seen, in many styles; the same ones always."""
    held_out = [one for one in families() if one.held_out]
    source = Random("parity")
    for number in range(count):
        yield design(source.choice(held_out), seed + number).rendered.text


def lines(count: int) -> Iterator[str]:
    """So many lines of such texts."""
    return itertools.islice((line for text in designs(count) for line in text.splitlines()), count)


def compare(one: Path, two: Path, texts: Sequence[str]) -> Parity:
    """Two files of one model, asked by llama.cpp.

    Raises:
        ModelError: a file cannot be used.
    """
    first, second = (LocalModel(path, threads=1, exact_cache=True) for path in (one, two))
    same = places = compared = 0
    try:
        for text in texts:
            shown = fitting(first, text)
            said, other = first.likeliest(shown), second.likeliest(shown)
            same += sum(a == b for a, b in zip(said, other, strict=True))
            places += len(said)
            compared += 1
    finally:
        first.close()
        second.close()
    return Parity(top1_agreement=same / max(1, places), places=places, texts=compared)


def fitting(model: LocalModel, text: str) -> str:
    """As much of a text, from its beginning, as a model's context holds."""
    room = model.info.context_tokens
    while (count := model.count(text)) >= room:
        text = text[: min(len(text) - 1, len(text) * (room - 1) // count)]
    return text


def same_tokens(model: LocalModel, tokenizer: Any, lines: Sequence[str]) -> float:
    """The share of lines that llama.cpp and the tokenizer of the training split alike."""
    equal: int = sum(list(model.tokens(line)) == tokenizer.encode(line).ids for line in lines)
    return equal / max(1, len(lines))


def compare_with_run(path: Path, run: Path, *, count: int, texts: int = 40) -> tuple[float, float]:
    """How far a file agrees with the run of training that it came from.

    Args:
        path: the file, 8 bits a weight or any other.
        run: the run's directory.
        count: how many lines both tokenizers split.
        texts: in how many texts the likeliest next tokens are compared.

    Returns:
        The share of equal likeliest tokens, and the share of lines that both split alike.
    """
    from veriloop.assistant.training.lm.source import open_source

    source = open_source(run)
    shown = list(designs(texts))
    equal = source.equal_lines(path, list(lines(count)))
    with tempfile.TemporaryDirectory(prefix="veriloop-exact-") as place:
        exact = Path(place, "exact.gguf")
        source.write(exact, name="exact", quantised=False)
        return compare(exact, path, shown).top1_agreement, equal
