"""How fast a model is on this machine: processor seconds of its process, which other programs' load changes little."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.models.local import LocalModel
from veriloop.models.model import Sampling, Stop, never

_CANDIDATES = 8
_ANSWER_TOKENS = 32
_SENTENCE = "always @(posedge clk) if (rst) q <= 0; else if (en) q <= q + d; // a register\n"
_ENDLESS = "root ::= [ -~] root"
"""No end token comes, so every candidate has the same length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Tokens a processor second, of one thread.

    Attributes:
        prefill_tok_s: while a prompt is read.
        decode_tok_s: while one answer is written.
        batch8_ratio: processor time of 8 answers one after the other, the prompt read once, over that of 8 at once.
        same_greedy: whether both say the same.
        prompt_tokens: of the prompt.
        memory_mb: the process's at its largest.
    """

    prefill_tok_s: float
    decode_tok_s: float
    batch8_ratio: float
    same_greedy: bool
    prompt_tokens: int
    memory_mb: float


def measure(model: LocalModel, *, prompt_tokens: int = 256, stop: Stop = never) -> Speed:
    """Measures a model; it is best loaded with one thread.

    Raises:
        ModelError: it cannot be used, or its context is shorter than prompt and answer.
    """
    room = model.info.context_tokens - 2 * _ANSWER_TOKENS
    prompt = _prompt(model, min(prompt_tokens, room))
    count = model.count(prompt)
    sampling = Sampling(max_tokens=_ANSWER_TOKENS, grammar=_ENDLESS)
    prefill_s = _spent(model, lambda: model.score(prompt, ["x"], stop=stop))[0]
    # The prompt is held now: what follows reads no more than its last token.
    decode_s, _ = _spent(model, lambda: model.complete(prompt, sampling, stop=stop))
    one_by_one_s, alone = _spent(
        model, lambda: [model.complete(prompt, sampling, stop=stop)[0].text for _ in range(_CANDIDATES)]
    )
    together_s, answers = _spent(model, lambda: model.complete(prompt, sampling, n=_CANDIDATES, stop=stop))
    return Speed(
        prefill_tok_s=round(count / prefill_s, 1),
        decode_tok_s=round(_ANSWER_TOKENS / decode_s, 1),
        batch8_ratio=round((one_by_one_s + prefill_s) / (together_s + prefill_s), 2),
        same_greedy={answer.text for answer in answers} == set(alone),
        prompt_tokens=count,
        memory_mb=round(_memory_mb(model), 1),
    )


def _prompt(model: LocalModel, tokens: int) -> str:
    text = _SENTENCE
    while model.count(text) < tokens:
        text += _SENTENCE
    while model.count(text) > tokens and text:
        text = text[: -max(1, (model.count(text) - tokens) // 2)]
    return text


def _spent(model: LocalModel, work: Callable[[], Any]) -> tuple[float, Any]:
    before = _cpu_s(model)
    value = work()
    return max(_cpu_s(model) - before, 1e-3), value


def _cpu_s(model: LocalModel) -> float:
    """User and system time of the model's process (proc(5), fields 14 and 15)."""
    pid = model.process_id
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(model: LocalModel) -> float:
    for line in Path(f"/proc/{model.process_id}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
