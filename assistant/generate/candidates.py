"""Answers from a language model: modules and reference models, written independently of each other.

Half of them are drawn cold and half hot: a model that is right most of the time is right when it is cold, and where
its likeliest answer is wrong only a hot one gets away from it (MAGE's observation). Each kind is one batch a
temperature, so that the prompt is read once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.generate.answers import code_in
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.prompts import reference_messages, rtl_messages
from veriloop.assistant.repair.prompt import END, spec_prompt
from veriloop.models.errors import ModelError
from veriloop.models.model import Completion, Message, Model, Sampling

COLD, HOT = 0.3, 0.9
_MOST_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a model said: modules, and reference models as Python."""

    rtl: tuple[bytes, ...]
    references: tuple[str, ...]


def candidates(
    model: Model, specification: str, interface: Interface, *, count: int, seed: int = 1, cancel: CancelToken
) -> Run[Candidates]:
    """Asks for `count` modules and as many reference models.

    A model without a conversation template is asked in the words that Veriloop's own models are trained on; those write
    modules only. A model that fails at reference models still gives its modules.

    Args:
        model: any.
        specification: the whole text.
        interface: the ports.
        count: of each kind.
        seed: of the sampling.
        cancel: stops it.

    Raises:
        ModelError: it gives no modules.
    """
    yield Stage("candidates")
    if not model.info.has_chat:
        texts = yield from _completed(model, specification, interface, count, seed, cancel)
        return Candidates(tuple(text.encode() for text in texts), ())
    started = time.monotonic()
    said = _asked(model, rtl_messages(specification, interface), count, seed, cancel)
    rtl = tuple(code.encode() for one in said if (code := code_in(one.text, language="verilog")))
    yield Note(f"{len(rtl)} of {count} answers hold a module", _rate(said, started))
    try:
        started = time.monotonic()
        said = _asked(model, reference_messages(specification, interface), count, seed + count, cancel)
    except ModelError as error:
        yield Note(f"no reference models: {error.message}")
        return Candidates(rtl, ())
    references = tuple(code for one in said if (code := code_in(one.text, language="python")))
    yield Note(f"{len(references)} of {count} answers hold a reference model", _rate(said, started))
    return Candidates(rtl, references)


def corrections(
    model: Model, messages: Sequence[Message], *, count: int, seed: int, cancel: CancelToken
) -> tuple[bytes, ...]:
    """The modules in `count` answers to a conversation.

    Raises:
        ModelError: the model does not answer.
    """
    said = _asked(model, messages, count, seed, cancel)
    return tuple(code.encode() for one in said if (code := code_in(one.text, language="verilog")))


def _asked(
    model: Model, messages: Sequence[Message], count: int, seed: int, cancel: CancelToken
) -> tuple[Completion, ...]:
    cold = (count + 1) // 2
    found: list[Completion] = []
    for temperature, n, first in ((COLD, cold, seed), (HOT, count - cold, seed + cold)):
        if n:
            sampling = Sampling(max_tokens=_room(model), temperature=temperature, seed=first)
            found += model.chat(messages, sampling, n=n, stop=lambda: cancel.cancelled)
    return tuple(found)


def _completed(
    model: Model, specification: str, interface: Interface, count: int, seed: int, cancel: CancelToken
) -> Run[list[str]]:
    """Modules from a model that goes on where a text ends: it is given the header, and writes the rest."""
    head = f"{interface.header()}\n"
    prompt = spec_prompt(specification.strip()) + head
    found: list[str] = []
    said: list[Completion] = []
    started = time.monotonic()
    cold = (count + 1) // 2
    for temperature, n, first in ((COLD, cold, seed), (HOT, count - cold, seed + cold)):
        if n:
            sampling = Sampling(max_tokens=_room(model), temperature=temperature, seed=first, stop=(END,))
            said += model.complete(prompt, sampling, n=n, stop=lambda: cancel.cancelled)
    for one in said:
        code = code_in(head + one.text, language="verilog")
        found += [code] if code else []
    yield Note(f"{len(found)} of {count} answers hold a module", _rate(said, started))
    return found


def _rate(said: Sequence[Completion], started: float) -> float:
    """Tokens a second, of all answers together."""
    return sum(one.tokens for one in said) / max(1e-3, time.monotonic() - started)


def _room(model: Model) -> int:
    """How long an answer may be: half of what the model can hold."""
    return max(64, min(_MOST_TOKENS, model.info.context_tokens // 2))
