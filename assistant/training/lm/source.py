"""What can be exported: a run of this pipeline, or a Llama in Hugging Face's form, with or without an adapter."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from veriloop.assistant.errors import UsageError
from veriloop.assistant.training.lm.card import card
from veriloop.assistant.training.lm.export import write_gguf
from veriloop.assistant.training.lm.lora import widened
from veriloop.assistant.training.lm.parity import fitting, same_tokens
from veriloop.assistant.training.lm.run import ADAPTER, CHECKPOINT, TOKENIZER, RunFacts, read_facts
from veriloop.assistant.training.lm.sft import Shape, progress_of, trained, weights_of
from veriloop.assistant.training.lm.tokenizer import load_tokenizer
from veriloop.models.local import LocalModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A model in PyTorch's memory with its tokenizer's file."""

    facts: RunFacts
    model: Any
    tokenizer: Path
    licence: str
    progress: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path, *, name: str, quantised: bool) -> None:
        """Writes it as a GGUF file."""
        weights = weights_of(self.model)
        write_gguf(
            path, self.model.config, weights, self.tokenizer, name=name, licence=self.licence, quantised=quantised
        )

    def card(self, model: Mapping[str, Any], scores: Mapping[str, Any]) -> str:
        """Its card."""
        return card(replace(self.facts, scores={**self.facts.scores, **scores}), model, self.progress)

    def equal_lines(self, path: Path, rows: Sequence[str]) -> float:
        """Which share of lines a file and the tokenizer of the training split alike."""
        asked = LocalModel(path, threads=1)
        try:
            return same_tokens(asked, load_tokenizer(self.tokenizer), rows)
        finally:
            asked.close()

    def agreement(self, path: Path, texts: Sequence[str]) -> float:
        """At which share of the places a file says what PyTorch says, and splits texts as the training did.

        Raises:
            UsageError: it splits them otherwise.
        """
        words = load_tokenizer(self.tokenizer)
        asked = LocalModel(path, threads=1, exact_cache=True)
        same = places = 0
        try:
            for text in (fitting(asked, text) for text in texts):
                tokens = list(asked.tokens(text))
                if tokens != words.encode(text, add_special_tokens=False).ids:
                    raise UsageError(
                        "llama.cpp splits texts otherwise than this model's tokenizer",
                        hint="convert it with llama.cpp's convert_hf_to_gguf.py, then veriloop models add FILE",
                    )
                said = asked.likeliest(text)[-len(tokens) :]
                with torch.no_grad():
                    wanted = self.model(input_ids=torch.tensor([tokens])).logits[0].argmax(-1).tolist()
                same += sum(a == b for a, b in zip(said, wanted, strict=True))
                places += len(tokens)
        finally:
            asked.close()
        return same / max(1, places)


def open_source(directory: Path) -> Source:
    """What a directory holds: a run of this pipeline, an adapter, or a Llama in Hugging Face's form.

    Raises:
        UsageError: nothing that can be exported.
    """
    if (directory / ADAPTER).is_file():
        return _adapter(directory)
    if (directory / CHECKPOINT).is_file():
        facts = read_facts(directory)
        words = directory / TOKENIZER
        size = load_tokenizer(words).get_vocab_size()
        model = trained(directory, Shape(**facts.shape), size)
        progress = progress_of(directory)
        return Source(facts=facts, model=model.eval(), tokenizer=words, licence="Apache-2.0", progress=progress)
    if (directory / "config.json").is_file():
        model, _ = widened(directory)
        words = directory / TOKENIZER
        if load_tokenizer(words).get_vocab_size() < model.config.vocab_size:
            # Not widened: the file holds what the directory holds.
            model = AutoModelForCausalLM.from_pretrained(directory, local_files_only=True, dtype=torch.float32)
        return _foreign(directory, model, words)
    raise UsageError(f"{directory} holds no trained model", hint="veriloop train sft --out DIR")


def _adapter(directory: Path) -> Source:
    """An adapter, merged into the base that it names."""
    base = Path(json.loads((directory / ADAPTER).read_text())["base_model_name_or_path"])
    words = directory / TOKENIZER
    model, _ = widened(base, words)
    with warnings.catch_warnings():
        # peft asks transformers by a name that is to go.
        warnings.simplefilter("ignore", FutureWarning)
        merged = PeftModel.from_pretrained(model, directory, local_files_only=True).merge_and_unload()
    return replace(_foreign(directory, merged, words), progress=progress_of(directory))


def _foreign(directory: Path, model: Any, words: Path) -> Source:
    try:
        facts = read_facts(directory)
    except UsageError:
        facts = RunFacts(name=directory.resolve().name, shape={})
    return Source(facts=facts, model=model.eval(), tokenizer=words, licence="that of the base model")
