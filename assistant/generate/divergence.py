"""Where two behaviours part: a short window of the waveform, and one concrete question about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veriloop.assistant.generate.examination import Examination, Played
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.questions import Question
from veriloop.assistant.generate.reference import Inputs
from veriloop.assistant.generate.stimuli import Stimuli
from veriloop.assistant.generate.traces import Word

_BEFORE = 4
_SOON = 3


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first cycle in which two answers differ.

    Attributes:
        steps: the inputs of the cycles up to it, the last ones.
        one: what the first answer said in them.
        other: what the second one said.
        signal: an output that differs in the last cycle.
        cycle: its number, from reset.
        since_reset: cycles since the last reset; none where there is no reset.
        run: the whole run.
    """

    steps: tuple[Inputs, ...]
    one: tuple[Word, ...]
    other: tuple[Word, ...]
    signal: str
    cycle: int
    since_reset: int | None
    run: Played

    def said(self, number: int, interface: Interface) -> str:
        """What an answer, by its number, said of the signal in the last cycle, as a question shows it."""
        place = [port.name for port in interface.outputs].index(self.signal)
        words = self.run.words[number]
        return shown(words[self.cycle][place]) if words else ""


def divergence(examined: Examination, one: int, other: int, interface: Interface, text: str) -> Divergence | None:
    """Where two answers part first; none where they never did."""
    found = examined.divergence(one, other)
    if found is None:
        return None
    run, at = found
    first, second = run.words[one] or (), run.words[other] or ()
    start = max(0, at - _BEFORE)
    names = [port.name for port in interface.outputs]
    signal = next(name for name, a, b in zip(names, first[at], second[at], strict=True) if a != b and a and b)
    return Divergence(
        steps=run.steps[start : at + 1],
        one=first[start : at + 1],
        other=second[start : at + 1],
        signal=signal,
        cycle=at,
        since_reset=_since_reset(run, at, Stimuli(interface, text)),
        run=run,
    )


def _since_reset(run: Played, at: int, stimuli: Stimuli) -> int | None:
    if not stimuli.reset:
        return None
    given = [number for number in range(at + 1) if stimuli.in_reset(run.steps[number])]
    return at - given[-1] if given else None


def window(found: Divergence, interface: Interface, labels: tuple[str, str] = ("one", "other")) -> str:
    """The window as a table, a row a cycle; values in decimal, unknown bits as they are."""
    inputs = [port.name for port in interface.inputs if port is not interface.clock]
    outputs = [port.name for port in interface.outputs]
    header = ["cycle", *inputs, *(f"{name} ({label})" for name in outputs for label in labels)]
    rows = [header]
    first = found.cycle - len(found.steps) + 1
    for number, (step, one, other) in enumerate(zip(found.steps, found.one, found.other, strict=True)):
        values = [value for pair in zip(one, other, strict=True) for value in pair]
        rows.append([str(first + number), *(str(step.get(name, 0)) for name in inputs), *map(shown, values)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def question(found: Divergence, interface: Interface) -> Question:
    """The difference as a question of one sentence that a person can answer without reading either text."""
    names = [port.name for port in interface.outputs]
    place = names.index(found.signal)
    values = (found.one[-1][place], found.other[-1][place])
    before = {row[-2][place] for row in (found.one, found.other)} if len(found.one) > 1 else set()
    said = [f"{shown(value)}{' (held)' if before == {value} else ''}" for value in values]
    last = found.steps[-1]
    moved = found.steps[-2] if len(found.steps) > 1 else {}
    inputs = [port.name for port in interface.inputs if port is not interface.clock and port.name in last]
    given = ", ".join(f"{name}={last[name]}" for name in _telling(inputs, last, moved))
    when = "with" if interface.clock is None else "at a clock edge with"
    if found.since_reset is not None and 0 < found.since_reset <= _SOON:
        when = f"{found.since_reset} cycle{'s' if found.since_reset > 1 else ''} after reset, with"
    text = f"{when} {given or 'any inputs'}, is {found.signal} {said[0]} or {said[1]}?"
    return Question(text, tuple(map(shown, values)))


def _telling(inputs: Sequence[str], last: Inputs, before: Inputs) -> list[str]:
    """The inputs that matter to a reader: all of a few, of many those that just changed or are not 0."""
    if len(inputs) <= 4:
        return list(inputs)
    return [name for name in inputs if last[name] or last[name] != before.get(name, 0)]


def shown(bits: str) -> str:
    """A value as it is read: decimal, or bits where some are unknown; `-` where nothing was said."""
    if not bits:
        return "-"
    return str(int(bits, 2)) if set(bits) <= {"0", "1"} else bits
