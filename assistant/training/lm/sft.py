"""Supervised training of a small Llama from nothing, in steps that survive a kill."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.training.lm.dataset import Batch, Dataset, Recipe
from veriloop.assistant.training.lm.muon import Muon
from veriloop.assistant.training.lm.run import CHECKPOINT
from veriloop.assistant.training.lm.tokenizer import load_tokenizer

_READ_WEIGHT = 0.3
"""What a token of a prompt counts beside one of an answer: prompts are RTL, too."""
_BETAS = (0.9, 0.95)
_DECAY = 0.01
_CLIP = 1.0
_WARM_UP = 0.02
_COOL_DOWN = 0.4
"""In which last share of the time the rate falls."""
_NOTE_S = 20.0
_CHECKPOINT_S = 120.0

Device = Literal["cpu", "cuda"]
"""`cuda` is PyTorch's word for AMD's graphics processors, too."""


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
    steps: int = 0
    """The same in steps, whichever is over first; 0: as many as the time allows."""
    batch_tokens: int = 2048
    rate: float = 3e-3
    """Of the embedding and the norms."""
    matrix_rate: float = 2e-2
    """Of the matrices of the blocks."""
    threads: int = 1
    device: Device = "cpu"
    seed: int = 1

    def done(self, state: _State) -> float:
        """Which share is over."""
        return max(state.seconds / self.seconds, state.steps / self.steps if self.steps else 0.0)


def train(
    rows: Dataset,
    tokenizer: Path,
    shape: Shape,
    schedule: Schedule,
    out: Path,
    *,
    cancel: CancelToken,
) -> Run[LlamaForCausalLM]:
    """Trains a small model from nothing, on the schedule's device; arguments as in `learn`, and the model's shape."""
    torch.manual_seed(schedule.seed)
    model = LlamaForCausalLM(shape.config(load_tokenizer(tokenizer).get_vocab_size())).to(schedule.device)
    optimizers = Optimizers.of(model, schedule)
    yield from learn(model, optimizers, rows, tokenizer, shape.context, schedule, out, cancel=cancel)
    return model


def learn(
    model: Any,
    optimizer: Optimizers,
    rows: Dataset,
    tokenizer: Path,
    context: int,
    schedule: Schedule,
    out: Path,
    *,
    cancel: CancelToken,
) -> Run[None]:
    """Trains a model until the time is over; a directory that holds a checkpoint is gone on with.

    Args:
        model: what learns, on the schedule's device; of one that is partly frozen the checkpoint keeps the other part.
        optimizer: of what learns.
        rows: what to learn from; rows may join while it runs.
        tokenizer: the words' file.
        context: tokens that a text may have.
        schedule: time and rates.
        out: where the checkpoint lies.
        cancel: ends it after the present step, with a checkpoint.

    Raises:
        UsageError: there is nothing to learn from, or the checkpoint is another model's.
    """
    torch.set_num_threads(schedule.threads)
    if schedule.device != "cpu":
        # What is left of 32-bit products is in the optimizer, which needs no more.
        torch.set_float32_matmul_precision("high")
    out.mkdir(parents=True, exist_ok=True)
    state = _resume(out / CHECKPOINT, model, optimizer)
    learning = sum(value.numel() for value in model.parameters() if value.requires_grad)
    learnt = sum(entry.split == "train" for entry in rows.entries())
    yield Note(f"{learning / 1e6:.2f} M parameters learn, from {learnt} rows, on {schedule.device}")
    recipe = Recipe(tokenizer=tokenizer, context=context, batch_tokens=schedule.batch_tokens, seed=schedule.seed)
    model.train()
    saved = noted = began = time.monotonic()
    if schedule.done(state) >= 1:
        return
    for chunk in rows.chunks(recipe, epoch=state.epoch, number=state.chunk):
        if not chunk.batches:
            raise UsageError(f"no text of these rows has fewer than {context} tokens", hint="--context N")
        state.begin(chunk.epoch, chunk.number)
        for batch in chunk.batches[state.batch :]:
            optimizer.set_rate(schedule.done(state))
            loss = _step(model, optimizer, batch, schedule.device)
            state.took(loss, batch.count, time.monotonic() - began)
            began = time.monotonic()
            over = schedule.done(state) >= 1 or cancel.cancelled
            if began - noted > _NOTE_S or over:
                yield Note(state.line())
                noted = began
            if began - saved > _CHECKPOINT_S or over:
                _save(out / CHECKPOINT, model, optimizer, state)
                saved = began
            if over:
                return


@dataclass(slots=True)
class _State:
    epoch: int = 0
    chunk: int = 0
    batch: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: Any = 0.0
    """Of late, on average; on the device, as reading it there waits for all that is under way."""

    def begin(self, epoch: int, chunk: int) -> None:
        if (epoch, chunk) != (self.epoch, self.chunk):
            self.epoch, self.chunk, self.batch = epoch, chunk, 0

    def took(self, loss: Any, tokens: int, seconds: float) -> None:
        self.batch += 1
        self.steps += 1
        self.tokens += tokens
        self.seconds += seconds
        self.loss = loss if self.steps == 1 else 0.98 * self.loss + 0.02 * loss

    def line(self) -> str:
        return (
            f"{self.seconds:.0f} s, epoch {self.epoch}, step {self.steps}, {self.tokens / 1e6:.2f} M tokens, "
            f"loss {float(self.loss):.3f}"
        )

    def kept(self) -> dict[str, Any]:
        return {**asdict(self), "loss": float(self.loss)}


@dataclass(frozen=True, slots=True)
class Optimizers:
    """Muon for the matrices of the blocks, AdamW for the rest, each with the rate that it begins with."""

    each: tuple[tuple[Any, float], ...]

    @classmethod
    def of(cls, model: LlamaForCausalLM, schedule: Schedule) -> Optimizers:
        """For a model's parameters."""
        matrices = [value for value in model.model.layers.parameters() if value.ndim == 2]
        known = {id(value) for value in matrices}
        others = [value for value in model.parameters() if id(value) not in known]
        return cls(
            (
                (Muon(matrices, lr=schedule.matrix_rate), schedule.matrix_rate),
                (
                    torch.optim.AdamW(others, lr=schedule.rate, betas=_BETAS, weight_decay=_DECAY),
                    schedule.rate,
                ),
            )
        )

    def set_rate(self, share: float) -> None:
        """Up in a straight line, level, and down in a straight line to a twentieth."""
        factor = min(1.0, max(0.02, share / _WARM_UP), 0.05 + 0.95 * max(0.0, 1 - share) / _COOL_DOWN)
        for optimizer, rate in self.each:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor

    def step(self) -> None:
        """Moves the parameters, and forgets the gradients."""
        for optimizer, _ in self.each:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dicts(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps of them."""
        return [optimizer.state_dict() for optimizer, _ in self.each]

    def load(self, states: Sequence[dict[str, Any]]) -> None:
        """What a checkpoint kept of them."""
        for (optimizer, _), state in zip(self.each, states, strict=True):
            optimizer.load_state_dict(state)


def device_of(asked: str) -> Device:
    """What trains: a graphics processor where PyTorch sees one and nothing else is asked for.

    Raises:
        UsageError: `cuda` is asked for, and there is none.
    """
    seen = torch.cuda.is_available()
    if asked == "cuda" and not seen:
        raise UsageError("PyTorch sees no graphics processor here", hint="--device cpu")
    return "cuda" if seen and asked != "cpu" else "cpu"


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself; where it does not, it is many times slower than 32 bits."""
    capabilities = torch.backends.cpu.get_cpu_capability()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()) and "512" in capabilities


def _step(model: Any, optimizer: Optimizers, batch: Batch, device: Device) -> Any:
    """Learns from a batch; the loss, on the device."""
    tokens = torch.from_numpy(batch.tokens).to(device, non_blocking=True).long()
    read, sizes = (torch.from_numpy(one).to(device, non_blocking=True)[:, None] for one in (batch.read, batch.sizes))
    place = torch.arange(tokens.shape[1], device=device)[None]
    weights = torch.where(place < read, _READ_WEIGHT, 1.0) * (place < sizes)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=device != "cpu" or has_bfloat16()):
        logits = model(input_ids=tokens).logits
    losses = functional.cross_entropy(logits[:, :-1].float().flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    wanted = weights[:, 1:].flatten()
    loss = (losses * wanted).sum() / wanted.sum()
    torch.autograd.backward([loss])
    torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
    optimizer.step()
    return loss.detach()


def _save(path: Path, model: Any, optimizer: Optimizers, state: _State) -> None:
    part = path.with_suffix(".part")
    held = {"model": learnt_part(model), "optimizers": optimizer.state_dicts(), "state": state.kept()}
    torch.save(held, part)
    part.replace(path)


def learnt_part(model: Any) -> dict[str, Any]:
    """The weights of a model; of one that is partly frozen those that are not."""
    whole: dict[str, Any] = model.state_dict()
    if all(value.requires_grad for value in model.parameters()):
        return whole
    return {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}


def save_model(path: Path, model: LlamaForCausalLM, steps: int, seconds: float) -> None:
    """A checkpoint of a model that another way of learning has changed; training does not go on from it."""
    part = path.with_suffix(".part")
    state = _State(steps=steps, seconds=seconds).kept()
    torch.save({"model": model.state_dict(), "optimizers": [], "state": state}, part)
    part.replace(path)


def _resume(path: Path, model: Any, optimizer: Optimizers) -> _State:
    if not path.is_file():
        return _State()
    held: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    wanted = learnt_part(model)
    shapes = {name: value.shape for name, value in held["model"].items()}
    if shapes != {name: value.shape for name, value in wanted.items()}:
        raise UsageError(f"the checkpoint {path} is of another shape", hint="--out NEW_DIRECTORY")
    model.load_state_dict(held["model"], strict=False)
    if not held["optimizers"]:
        raise UsageError(f"training cannot go on from {path}", hint="--out NEW_DIRECTORY")
    optimizer.load(held["optimizers"])
    return _State(**held["state"])


def trained(out: Path, shape: Shape, words: int) -> LlamaForCausalLM:
    """The model that a directory's checkpoint holds.

    Raises:
        UsageError: there is none, or it is of another shape.
    """
    model = LlamaForCausalLM(shape.config(words))
    path = out / CHECKPOINT
    if not path.is_file():
        raise UsageError(f"{out} holds no checkpoint", hint="veriloop train sft --rows DIR --out DIR")
    try:
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model"])
    except RuntimeError as error:
        raise UsageError(f"the checkpoint in {out} is of another shape") from error
    return model


def progress_of(out: Path) -> dict[str, Any]:
    """How far a directory's checkpoint is: steps, tokens, seconds, loss."""
    return dict(torch.load(out / CHECKPOINT, map_location="cpu", weights_only=True)["state"])


def weights_of(model: LlamaForCausalLM) -> dict[str, Any]:
    """The weights by transformers' names, as arrays of 32-bit floats."""
    return {name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()}
