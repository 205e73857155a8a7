"""How well a model in training answers about broken designs of families that it has not learnt from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from veriloop.assistant.repair.prompt import LINES, line_token
from veriloop.assistant.training.lm.dataset import Entry
from veriloop.assistant.training.lm.texts import repair_text

_SEED = 1
_FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What came of asking; shares are 0..1.

    Attributes:
        asked: broken designs.
        loss: of a token of the right answers, in nats.
        first: how often the line that the model finds likeliest is the right one.
        first_five: how often it is among the five likeliest.
    """

    asked: int
    loss: float
    first: float
    first_five: float


def held_out(
    model: Any, entries: Sequence[Entry], tokenizer: Tokenizer, context: int, *, device: str, most: int
) -> HeldOut | None:
    """Asks about broken designs of held-out families; none where there are none.

    Args:
        model: what is asked.
        entries: rows; those of families that were kept out of training are asked about.
        tokenizer: the words.
        context: tokens that a text may have.
        device: where the model is.
        most: how many designs at most, chosen by chance, the same every time.
    """
    able = [one for one in entries if one.split == "family" and one.task == "repair"]
    random.Random(_SEED).shuffle(able)
    numbers = [tokenizer.token_to_id(line_token(number)) for number in range(LINES)]
    asked = first = first_five = tokens = 0
    loss = 0.0
    was_training = model.training
    model.eval()
    for entry in able[:most]:
        text = repair_text(entry.read())
        if text is None:
            continue
        prompt, answer = tokenizer.encode(text.prompt).ids, tokenizer.encode(text.answer).ids
        if len(prompt) + len(answer) > context:
            continue
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([prompt + answer], device=device)).logits[0, len(prompt) - 1 : -1]
        logits = logits.float()
        right = torch.tensor(answer, device=device)
        loss += float(functional.cross_entropy(logits, right, reduction="sum"))
        tokens += len(answer)
        lines = logits[0, numbers]
        better = int((lines > logits[0, answer[0]]).sum())
        first += better < 1
        first_five += better < _FEW
        asked += 1
    model.train(was_training)
    if not asked:
        return None
    return HeldOut(
        asked=asked,
        loss=round(loss / tokens, 4),
        first=round(first / asked, 4),
        first_five=round(first_five / asked, 4),
    )
