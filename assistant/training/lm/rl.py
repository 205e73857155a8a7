"""Reinforcement learning of repairs on a small model: the verification loop is the reward.

Group-relative policy optimisation (Shao et al., DeepSeekMath, 2024): several answers to one question are drawn and
judged, and an answer counts by how much better than its group it is; a penalty holds the model near the one that it
started from. One gradient step is made of each group, so that nothing has to be clipped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.farm.elsewhere import Elsewhere
from veriloop.assistant.repair.prompt import END
from veriloop.assistant.training.lm.run import CHECKPOINT
from veriloop.assistant.training.lm.sft import save_model
from veriloop.assistant.training.lm.texts import repair_text
from veriloop.assistant.training.reward import PASSED, judged
from veriloop.assistant.training.row import Row

_PROGRESS = "rl.json"
_SAVED_EVERY = 5
_CLIP = 1.0
_ANSWER_TOKENS = 48
_TINY = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long is learnt, and how.

    Attributes:
        seconds: of wall time, over all runs that went on from one another.
        group: answers drawn to a question.
        questions: of a step.
        rate: of the gradient steps.
        held: how strongly the model is held near the one that it started from.
        temperature: of the draws.
        held_out: rows that are asked before and after.
        threads: for PyTorch.
        seed: of the draws.
    """

    seconds: float
    group: int = 8
    questions: int = 4
    rate: float = 1e-4
    held: float = 0.02
    temperature: float = 0.9
    held_out: int = 60
    threads: int = 1
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How many questions are answered right; shares are 0..1."""

    rows: int
    first: float
    """By the likeliest answer."""
    any_of_group: float
    """By any of a group that is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What reinforcement came to on rows of families, styles and compositions that no training has seen."""

    steps: int
    seconds: float
    before: Success
    after: Success


@dataclass(slots=True)
class _Progress:
    steps: int = 0
    seconds: float = 0.0
    reward: float = 0.0
    """Of late, on average."""
    before: dict[str, float] | None = None


def reinforce(
    model: Any,
    first: Any,
    tokenizer: Tokenizer,
    rows: Sequence[Row],
    settings: Settings,
    out: Path,
    *,
    cancel: CancelToken,
    farm: Elsewhere | None = None,
) -> Run[Learnt]:
    """Learns until the time is over; a directory that holds progress is gone on with.

    Args:
        model: the small model, with the weights of the directory's checkpoint where there is one.
        first: the one that it started from, which holds it near.
        tokenizer: its words.
        rows: broken designs; those of the split `train` are learnt from, of the others some are asked before and after.
        settings: how long, and how.
        out: where checkpoint and progress lie.
        cancel: ends it after the present step.
        farm: where the answers are judged; none: here.

    Raises:
        UsageError: the rows are not of this version of the generator, or there are none to learn from.
    """
    torch.set_num_threads(settings.threads)
    # A dropped-out answer would be judged for what it is not.
    model.eval()
    first.eval()
    learnable = [row for row in rows if row.split == "train" and _question(row) and "+" not in row.family]
    asked = [row for row in rows if row.split in ("family", "style") and _question(row) and "+" not in row.family]
    Random(settings.seed).shuffle(asked)
    asked = asked[: settings.held_out]
    if not learnable or not asked:
        raise UsageError("there are no broken designs to learn from and to be asked", hint="veriloop train data")
    policy = _Policy(model, tokenizer, settings, farm)
    progress = _read(out)
    yield Stage("asking before")
    if progress.before is None:
        progress.before = asdict(success(policy, asked, settings, cancel=cancel))
        _write(out, progress)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=0.0)
    yield Stage("learning")
    while progress.seconds < settings.seconds and not cancel.cancelled:
        began = time.monotonic()
        source = Random(f"{settings.seed} {progress.steps}")
        reward = _step(
            policy, first, optimizer, source.sample(learnable, min(settings.questions, len(learnable))), cancel
        )
        progress.steps += 1
        progress.seconds += time.monotonic() - began
        progress.reward = reward if progress.steps == 1 else 0.9 * progress.reward + 0.1 * reward
        if progress.steps % _SAVED_EVERY == 0 or progress.seconds >= settings.seconds or cancel.cancelled:
            save_model(out / CHECKPOINT, model, progress.steps, progress.seconds)
            _write(out, progress)
            yield Note(f"{progress.seconds:.0f} s, step {progress.steps}, reward {progress.reward:.3f}")
    yield Stage("asking after")
    after = success(policy, asked, settings, cancel=CancelToken())
    assert progress.before is not None
    known = progress.before
    before = Success(rows=int(known["rows"]), first=known["first"], any_of_group=known["any_of_group"])
    return Learnt(steps=progress.steps, seconds=round(progress.seconds, 1), before=before, after=after)


def success(policy: _Policy, rows: Sequence[Row], settings: Settings, *, cancel: CancelToken) -> Success:
    """How many rows are repaired by the first answer, and by any of a group."""
    first = drawn = 0
    asked = []
    for row in rows:
        cancel.check()
        torch.manual_seed(settings.seed)
        asked.append((row, [policy.likeliest(row), *policy.draw(row)]))
    for worth in judged(asked, farm=policy.farm, cancel=cancel):
        first += worth[0] == PASSED
        drawn += PASSED in worth[1:]
    count = max(1, len(rows))
    return Success(rows=len(rows), first=round(first / count, 4), any_of_group=round(drawn / count, 4))


class _Policy:
    """The model as one that answers questions."""

    def __init__(self, model: Any, tokenizer: Tokenizer, settings: Settings, farm: Elsewhere | None = None) -> None:
        self.model = model
        self.farm = farm
        self._tokenizer = tokenizer
        self.settings = settings
        self._end = int(tokenizer.token_to_id(END) or 0)

    def prompt(self, row: Row) -> list[int]:
        """The question's tokens."""
        ids: list[int] = self._tokenizer.encode(_question(row)).ids
        return ids[: self.model.config.max_position_embeddings - _ANSWER_TOKENS]

    def likeliest(self, row: Row) -> str:
        """The answer that takes the likeliest token every time."""
        return self.text(self._generate(row, do_sample=False)[0])

    def draw(self, row: Row) -> list[str]:
        """A group of answers."""
        return [self.text(one) for one in self.drawn(row)]

    def drawn(self, row: Row) -> list[list[int]]:
        """A group of answers in tokens, each up to its end."""
        return self._generate(
            row,
            do_sample=True,
            temperature=self.settings.temperature,
            top_k=0,
            num_return_sequences=self.settings.group,
        )

    def text(self, tokens: Sequence[int]) -> str:
        """An answer with the names of its special tokens."""
        said: str = self._tokenizer.decode(list(tokens), skip_special_tokens=False)
        return said

    def logprobs(self, model: Any, prompt: Sequence[int], answers: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """The logarithm of each answer's tokens' probabilities, padded, and where there are tokens."""
        longest = max(map(len, answers))
        tokens = torch.full((len(answers), len(prompt) + longest), self._end)
        mask = torch.zeros(len(answers), longest)
        for row, answer in enumerate(answers):
            tokens[row, : len(prompt) + len(answer)] = torch.tensor([*prompt, *answer])
            mask[row, : len(answer)] = 1.0
        logits = model(input_ids=tokens, logits_to_keep=longest + 1).logits[:, :-1].float()
        logs = functional.log_softmax(logits / self.settings.temperature, -1)
        return logs.gather(2, tokens[:, len(prompt) :, None])[..., 0], mask

    def _generate(self, row: Row, **how: Any) -> list[list[int]]:
        prompt = self.prompt(row)
        with torch.no_grad():
            found = self.model.generate(
                input_ids=torch.tensor([prompt]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                max_new_tokens=_ANSWER_TOKENS,
                eos_token_id=self._end,
                pad_token_id=self._end,
                **how,
            )
        return [list(self._until_end(one[len(prompt) :].tolist())) for one in found]

    def _until_end(self, tokens: Sequence[int]) -> Iterator[int]:
        for token in tokens:
            yield token
            if token == self._end:
                return


def _step(policy: _Policy, first: Any, optimizer: Any, rows: Sequence[Row], cancel: CancelToken) -> float:
    """Draws, judges and learns; the mean reward."""
    groups = [policy.drawn(row) for row in rows]
    answers = [(row, list(map(policy.text, group))) for row, group in zip(rows, groups, strict=True)]
    worth = judged(answers, farm=policy.farm, cancel=cancel)
    told = [
        (row, group, torch.tensor(values))
        for row, group, values in zip(rows, groups, worth, strict=True)
        if max(values) > min(values)
    ]
    for row, group, values in told:
        gain = (values - values.mean()) / (values.std() + _TINY)
        prompt = policy.prompt(row)
        logs, mask = policy.logprobs(policy.model, prompt, group)
        with torch.no_grad():
            before, _ = policy.logprobs(first, prompt, group)
        # exp(x) - x - 1 is an estimate of the divergence without bias, and never negative.
        away = torch.exp(before - logs) - (before - logs) - 1
        # The ratio to itself is 1; its gradient is that of the logarithm.
        ratio = torch.exp(logs - logs.detach())
        loss = -(ratio * gain[:, None] - policy.settings.held * away)
        torch.autograd.backward([(loss * mask).sum() / mask.sum() / len(told)])
    if told:
        torch.nn.utils.clip_grad_norm_(policy.model.parameters(), _CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return sum(map(sum, worth)) / max(1, sum(map(len, worth)))


def _question(row: Row) -> str:
    text = repair_text(row)
    return text.prompt if text is not None else ""


def _read(out: Path) -> _Progress:
    try:
        return _Progress(**json.loads((out / _PROGRESS).read_text()))
    except (OSError, ValueError, TypeError):
        return _Progress()


def _write(out: Path, progress: _Progress) -> None:
    part = out / f".{_PROGRESS}"
    part.write_text(json.dumps(asdict(progress)) + "\n")
    part.replace(out / _PROGRESS)
