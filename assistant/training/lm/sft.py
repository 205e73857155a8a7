"""Supervised training of a small Llama from nothing, on this machine's processors, in steps that survive a kill."""

from __future__ import annotations

import math
import random
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.training.lm.texts import Text, texts
from veriloop.assistant.training.row import Row

_CHECKPOINT = "checkpoint.pt"
_READ_WEIGHT = 0.1
"""What a token of a prompt counts beside one of an answer."""
_BETAS = (0.9, 0.95)
_DECAY = 0.05
_CLIP = 1.0
_WARM_UP = 0.03
_NOTE_S = 20.0
_CHUNK_ROWS = 2000
"""How many rows are held in tokens at once."""
_CHECKPOINT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large the model is."""

    width: int = 256
    layers: int = 6
    heads: int = 8
    inner: int = 768
    context: int = 1024

    def config(self, words: int) -> LlamaConfig:
        """transformers' configuration, for a vocabulary of so many words."""
        return LlamaConfig(
            vocab_size=words,
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            max_position_embeddings=self.context,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            attention_dropout=0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long is trained, and how hard."""

    seconds: float
    """Of wall time, over all runs that went on from one another."""
    batch_tokens: int = 4096
    rate: float = 3e-3
    threads: int = 1
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens, and how many of them are only read."""

    tokens: array[int]
    read: int


def examples(rows: Sequence[Row], tokenizer: Tokenizer, context: int, source: random.Random) -> list[Example]:
    """All texts of some rows that fit into a context, in tokens; gaps are drawn anew each time."""
    found: list[Text] = [text for row in rows for text in texts(row, source)]
    prompts = tokenizer.encode_batch([text.prompt for text in found])
    answers = tokenizer.encode_batch([text.answer for text in found])
    made = [
        Example(array("I", [*prompt.ids, *answer.ids]), len(prompt.ids))
        for prompt, answer in zip(prompts, answers, strict=True)
        if len(prompt.ids) + len(answer.ids) <= context
    ]
    source.shuffle(made)
    return made


def batches(found: Sequence[Example], batch_tokens: int) -> Iterator[list[Example]]:
    """Examples of like length together, so that little is padded."""
    ordered = sorted(found, key=lambda example: len(example.tokens))
    batch: list[Example] = []
    for example in ordered:
        if batch and (len(batch) + 1) * len(example.tokens) > batch_tokens:
            yield batch
            batch = []
        batch.append(example)
    if batch:
        yield batch


def train(
    rows: Sequence[Row], tokenizer: Tokenizer, shape: Shape, schedule: Schedule, out: Path, *, cancel: CancelToken
) -> Run[LlamaForCausalLM]:
    """Trains until the time is over; a directory that holds a checkpoint is gone on with.

    Args:
        rows: what to learn from; only those of the split `train` are used.
        tokenizer: the words.
        shape: of the model.
        schedule: time and rates.
        out: where the checkpoint lies.
        cancel: ends it after the present step, with a checkpoint.
    """
    torch.set_num_threads(schedule.threads)
    torch.manual_seed(schedule.seed)
    out.mkdir(parents=True, exist_ok=True)
    model = LlamaForCausalLM(shape.config(tokenizer.get_vocab_size()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=schedule.rate, betas=_BETAS, weight_decay=_DECAY)
    state = _resume(out / _CHECKPOINT, model, optimizer)
    learnt = [row for row in rows if row.split == "train"]
    yield Note(f"{sum(value.numel() for value in model.parameters()) / 1e6:.2f} M parameters, {len(learnt)} rows")
    saved = noted = time.monotonic()
    model.train()
    while state.seconds < schedule.seconds and not cancel.cancelled:
        ready = _chunk(learnt, tokenizer, shape, schedule, state)
        for batch in ready[state.batch :]:
            began = time.monotonic()
            _set_rate(optimizer, schedule, state.seconds / schedule.seconds)
            loss = _step(model, optimizer, batch)
            state.took(loss, sum(len(example.tokens) for example in batch), time.monotonic() - began)
            over = state.seconds >= schedule.seconds or cancel.cancelled
            if time.monotonic() - noted > _NOTE_S or over:
                yield Note(state.line())
                noted = time.monotonic()
            if time.monotonic() - saved > _CHECKPOINT_S or over:
                _save(out / _CHECKPOINT, model, optimizer, state)
                saved = time.monotonic()
            if over:
                break
        else:
            state.next_chunk(-(-len(learnt) // _CHUNK_ROWS))
    return model


def _chunk(
    rows: Sequence[Row], tokenizer: Tokenizer, shape: Shape, schedule: Schedule, state: _State
) -> list[list[Example]]:
    """The batches of the present chunk: the same whenever it is asked for, so that a run can go on inside it."""
    order = list(rows)
    random.Random(f"{schedule.seed} {state.epoch}").shuffle(order)
    source = random.Random(f"{schedule.seed} {state.epoch} {state.chunk}")
    start = state.chunk * _CHUNK_ROWS
    ready = list(
        batches(examples(order[start : start + _CHUNK_ROWS], tokenizer, shape.context, source), schedule.batch_tokens)
    )
    source.shuffle(ready)
    return ready


@dataclass(slots=True)
class _State:
    epoch: int = 0
    chunk: int = 0
    batch: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0

    def took(self, loss: float, tokens: int, seconds: float) -> None:
        self.batch += 1
        self.steps += 1
        self.tokens += tokens
        self.seconds += seconds
        self.loss = loss if self.steps == 1 else 0.98 * self.loss + 0.02 * loss

    def next_chunk(self, chunks: int) -> None:
        self.batch = 0
        self.chunk += 1
        if self.chunk >= chunks:
            self.epoch, self.chunk = self.epoch + 1, 0

    def line(self) -> str:
        return (
            f"{self.seconds:.0f} s, epoch {self.epoch}, step {self.steps}, {self.tokens / 1e6:.2f} M tokens, "
            f"loss {self.loss:.3f}"
        )


def _step(model: LlamaForCausalLM, optimizer: torch.optim.Optimizer, batch: Sequence[Example]) -> float:
    longest = max(len(example.tokens) for example in batch)
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for row, example in enumerate(batch):
        tokens[row, : len(example.tokens)] = torch.tensor(example.tokens.tolist())
        weights[row, : example.read] = _READ_WEIGHT
        weights[row, example.read : len(example.tokens)] = 1.0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(input_ids=tokens).logits
    losses = functional.cross_entropy(logits[:, :-1].float().transpose(1, 2), tokens[:, 1:], reduction="none")
    loss = (losses * weights[:, 1:]).sum() / weights[:, 1:].sum()
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward([loss])
    torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
    optimizer.step()
    return float(loss.detach())


def _set_rate(optimizer: torch.optim.Optimizer, schedule: Schedule, share: float) -> None:
    """Up in a straight line, then down along half a cosine to a tenth."""
    factor = share / _WARM_UP if share < _WARM_UP else 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, share)))
    for group in optimizer.param_groups:
        group["lr"] = schedule.rate * max(0.01, factor)


def _save(path: Path, model: LlamaForCausalLM, optimizer: torch.optim.Optimizer, state: _State) -> None:
    part = path.with_suffix(".part")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "state": asdict(state)}, part)
    part.replace(path)


def _resume(path: Path, model: LlamaForCausalLM, optimizer: torch.optim.Optimizer) -> _State:
    if not path.is_file():
        return _State()
    held: dict[str, Any] = torch.load(path, weights_only=True)
    try:
        model.load_state_dict(held["model"])
    except RuntimeError as error:
        raise UsageError(f"the checkpoint {path} is of another shape", hint="--out NEW_DIRECTORY") from error
    optimizer.load_state_dict(held["optimizer"])
    return _State(**held["state"])


def trained(out: Path, shape: Shape, words: int) -> LlamaForCausalLM:
    """The model that a directory's checkpoint holds.

    Raises:
        UsageError: there is none, or it is of another shape.
    """
    model = LlamaForCausalLM(shape.config(words))
    path = out / _CHECKPOINT
    if not path.is_file():
        raise UsageError(f"{out} holds no checkpoint", hint="veriloop train sft --rows DIR --out DIR")
    try:
        model.load_state_dict(torch.load(path, weights_only=True)["model"])
    except RuntimeError as error:
        raise UsageError(f"the checkpoint in {out} is of another shape") from error
    return model


def weights_of(model: LlamaForCausalLM) -> dict[str, Any]:
    """The weights by transformers' names, as arrays of 32-bit floats."""
    return {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
