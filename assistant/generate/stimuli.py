"""Inputs that tell answers to one specification apart: a step a clock cycle, from reset, with resets in between.

Uniform random inputs seldom meet what decides: an opcode, a sequence that a detector waits for, a request that is held
until it is granted. So phases take turns, and the specification's own numbers and bit strings are among the inputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from veriloop.assistant.generate.interface import Interface, PortDeclaration
from veriloop.assistant.generate.reference import Inputs
from veriloop.assistant.generate.wording import read_reset

_PHASE_STEPS = 40
_RESET_STEPS = 3
_LONGEST_HOLD = 7
_LITERAL = re.compile(r"(?:\b\d+)?'([bdoh])([0-9a-f_]+)|\b0x([0-9a-f]+)\b|\b(\d{1,9})\b", re.I)
_BITS = re.compile(r"\b[01]{3,16}\b")
_OFFERS = re.compile(r"valid|vld|req|start|strobe|push|write|wr_?en|load", re.I)
_TAKES = re.compile(r"ready|rdy|ack|grant|gnt|pop|read|rd_?en|stall|pause", re.I)
_BASES = {"b": 2, "o": 8, "d": 10, "h": 16}

PHASES = (
    "zeros", "random", "words", "held", "serial", "handshake",
    "sparse", "small", "dense", "ones", "counting", "walking",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """The numbers and the bit strings of a specification."""

    values: tuple[int, ...]
    strings: tuple[str, ...]


class Stimuli:
    """Makes inputs for one interface.

    Args:
        interface: the ports.
        text: the specification, for the reset's level and for its numbers.
    """

    def __init__(self, interface: Interface, text: str) -> None:
        self.interface = interface
        reset, _ = read_reset(text, interface, ("",))
        self.reset = reset.port if reset is not None else ""
        self._active = 0 if reset is not None and reset.active_low else 1
        self._text = text

    @cached_property
    def ports(self) -> tuple[PortDeclaration, ...]:
        """The inputs that are driven at random: neither clock nor reset."""
        return tuple(port for port in self.interface.data if port.name != self.reset)

    @cached_property
    def _numbers(self) -> _Numbers:
        values: list[int] = []
        for base, digits, hexadecimal, plain in _LITERAL.findall(self._text):
            try:
                values.append(
                    int(digits.replace("_", ""), _BASES[base.lower()])
                    if base
                    else int(hexadecimal or plain, 16 if hexadecimal else 10)
                )
            except ValueError:
                continue
        near = [value + step for value in values for step in (-1, 0, 1) if value + step >= 0]
        return _Numbers(tuple(dict.fromkeys(near)), tuple(dict.fromkeys(_BITS.findall(self._text))))

    def in_reset(self, step: Inputs) -> bool:
        """Whether reset is given in a step."""
        return bool(self.reset) and step.get(self.reset) == self._active

    def batch(self, seed: int, *, phases: Sequence[str] = PHASES) -> list[Inputs]:
        """One run from reset through the phases; where all inputs fit in ten bits and nothing is clocked, all of them.

        Args:
            seed: of the random choices.
            phases: the kinds of inputs, in their order.
        """
        if self.interface.clock is None and sum(port.width_bits for port in self.ports) <= 10 and not self.reset:
            return list(self._all())
        source = Random(seed)
        steps = [self._with_reset({port.name: 0 for port in self.ports}, given=True) for _ in range(_RESET_STEPS)]
        for number, phase in enumerate(phases):
            rows = list(self._phase(phase, source))
            # Every third phase begins with a reset, every fifth has one in its middle.
            again = {0, 1} if number % 3 == 2 else {len(rows) // 2} if number % 5 == 4 else set()
            steps += [self._with_reset(row, given=place in again) for place, row in enumerate(rows)]
        return steps

    def mutated(self, steps: Sequence[Inputs], source: Random) -> list[Inputs]:
        """A run that behaves interestingly, with a piece repeated, replaced or disturbed."""
        if len(steps) < 2 * _PHASE_STEPS:
            return self.batch(source.getrandbits(30))
        first = source.randrange(_RESET_STEPS, len(steps) - 1)
        last = min(len(steps), first + source.randint(1, _PHASE_STEPS))
        piece = list(steps[first:last])
        kind = source.randrange(4)
        if kind == 0:
            piece = piece * source.randint(2, 6)
        elif kind == 1:
            piece = [self._with_reset(row, given=False) for row in self._phase(source.choice(PHASES), source)]
        elif kind == 2:
            piece = [self._disturbed(row, source) for row in piece]
        else:
            row = piece[0]
            piece = [row] * source.randint(4, 4 * _PHASE_STEPS)
        return [*steps[:first], *piece, *steps[last:]]

    def _all(self) -> Iterator[Inputs]:
        width = sum(port.width_bits for port in self.ports)
        for word in range(1 << width):
            row, left = {}, word
            for port in reversed(self.ports):
                row[port.name] = left & ((1 << port.width_bits) - 1)
                left >>= port.width_bits
            yield row

    def _with_reset(self, row: Inputs, *, given: bool) -> Inputs:
        return {**row, self.reset: self._active if given else 1 - self._active} if self.reset else row

    def _disturbed(self, row: Inputs, source: Random) -> Inputs:
        port = source.choice(self.ports) if self.ports else None
        if port is None or source.random() < 0.5:
            return row
        return {**row, port.name: row[port.name] ^ 1 << source.randrange(port.width_bits)}

    def _phase(self, phase: str, source: Random) -> Iterator[Inputs]:
        """The inputs of one phase, without the reset."""
        if phase == "handshake":
            yield from self._handshake(source)
            return
        streams = {port.name: self._stream(port, phase, source) for port in self.ports}
        for _ in range(_PHASE_STEPS):
            yield {name: next(stream) for name, stream in streams.items()}

    def _stream(self, port: PortDeclaration, phase: str, source: Random) -> Iterator[int]:
        """The values of one port in one phase; it has no end."""
        width = port.width_bits
        full = (1 << width) - 1
        fitting = [value for value in self._numbers.values if value <= full]
        value = 0
        while True:
            if phase == "serial" and width == 1 and self._numbers.strings:
                word = source.choice(self._numbers.strings)
                yield from map(int, word)
                if source.random() < 0.3:
                    yield source.getrandbits(1)
            elif phase == "held":
                value = source.getrandbits(width)
                yield from [value] * source.randint(1, _LONGEST_HOLD)
            elif phase == "counting":
                yield value
                value = (value + 1) & full
            elif phase == "walking":
                yield 1 << value % width
                value += 1
            else:
                yield _word(phase, width, fitting, source)

    def _handshake(self, source: Random) -> Iterator[Inputs]:
        """Who offers holds offer and data for a while; who takes is ready always, seldom, or every other time."""
        row: dict[str, int] = {port.name: source.getrandbits(port.width_bits) for port in self.ports}
        left, pattern = 0, source.randrange(3)
        for number in range(2 * _PHASE_STEPS):
            if left == 0:
                offering = source.random() < 0.6
                left = source.randint(1, _LONGEST_HOLD)
                pattern = source.randrange(3)
                for port in self.ports:
                    if _OFFERS.search(port.name) and port.width_bits == 1:
                        row[port.name] = int(offering)
                    elif not _TAKES.search(port.name):
                        row[port.name] = source.getrandbits(port.width_bits)
            for port in self.ports:
                if _TAKES.search(port.name) and port.width_bits == 1 and not _OFFERS.search(port.name):
                    row[port.name] = (1, int(source.random() < 0.2), number & 1)[pattern]
            left -= 1
            yield dict(row)


def _word(phase: str, width: int, fitting: Sequence[int], source: Random) -> int:
    word = source.getrandbits(width)
    if phase == "zeros":
        return 0
    if phase == "ones":
        return (1 << width) - 1
    if phase == "sparse":
        return word & source.getrandbits(width) & source.getrandbits(width)
    if phase == "dense":
        return word | source.getrandbits(width) | source.getrandbits(width)
    if phase == "small":
        return word & 3
    if phase == "words" and width > 1 and fitting and source.random() < 0.7:
        return source.choice(fitting)
    return word
