"""Slips in numbers: a neighbour, a flipped bit, another radix, digits swapped or lost, a parameter meant."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.design.syntax import Node, ancestor
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_BASED = re.compile(r"(?P<width>\d*)\s*'\s*(?P<sign>[sS]?)(?P<base>[bBdDhHoO])\s*(?P<digits>[0-9a-fA-F_]+)")
_RADIX = {"b": 2, "d": 10, "h": 16, "o": 8}
_DIMENSIONS = ("packed_dimension", "unpacked_dimension", "delay_control", "delay_value", "parameter_value_assignment")
_LOOPS = ("for_step", "for_initialization", "genvar_initialization", "genvar_iteration")
_LOOP_HEADER = 3.0
"""Added where a loop's header is touched: seldom the slip, and often a loop without an end."""
_ENUMERATED_BITS = 6
_FLIPPED_BITS = 16
_NUMBERS = 48
"""So many numbers of a module are offered in place of one; of more, as in a table, those that stand nearest."""


@dataclass(frozen=True, slots=True)
class Number:
    """An integer literal."""

    value: int
    width_bits: int | None
    """As written; none for a plain decimal."""
    base: str
    sign: str
    digits: str

    @classmethod
    def read(cls, text: str) -> Number | None:
        """The literal, or none for one with x, z or a form that is no integer."""
        if re.fullmatch(r"\d[\d_]*", text):
            digits = text.replace("_", "")
            return cls(int(digits), None, "", "", digits)
        match = _BASED.fullmatch(text)
        if match is None:
            return None
        base, digits = match["base"].lower(), match["digits"].replace("_", "")
        try:
            value = int(digits, _RADIX[base])
        except ValueError:
            return None
        return cls(value, int(match["width"]) if match["width"] else None, match["base"], match["sign"], digits)

    def write(self, value: int) -> str:
        """Another value in the same form."""
        if not self.base:
            return str(value)
        width = "" if self.width_bits is None else str(self.width_bits)
        form = {"b": "b", "d": "d", "h": "x", "o": "o"}[self.base.lower()]
        pad = f"0{len(self.digits)}" if self.base.lower() != "d" else ""
        return f"{width}'{self.sign}{self.base}{format(value, pad + form)}"


def literals(site: Site) -> Proposals:
    """Every integer literal outside declarations and delays becomes another one."""
    places = [
        (node, number)
        for node in site.nodes
        if node.type == "primary_literal"
        and ancestor(node, _DIMENSIONS) is None
        and (number := Number.read(site.text(node))) is not None
    ]
    values = [number.value for _, number in places]
    others = set(values)
    many = len(others) > _NUMBERS
    for at, (node, number) in enumerate(places):
        if many:
            others = set(values[max(0, at - _NUMBERS // 2) : at + _NUMBERS // 2 + 1])
        header = _LOOP_HEADER if ancestor(node, _LOOPS) is not None else 0
        for value, cost in sorted(_neighbours(number, others).items(), key=lambda item: item[1]):
            yield from site.replace("literal", cost + header, node, number.write(value))
        for value in sorted(swapped_digits(number)):
            yield from site.replace("digits swapped", 2.2 + header, node, number.write(value))
        yield from _other_forms(site, node, number)


def swapped_digits(number: Number) -> set[int]:
    """The values that two neighbouring digits give, typed in the wrong order; of bits that is another slip."""
    digits = number.digits if number.base.lower() != "b" else ""
    typed = {digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(len(digits) - 1)}
    return {int(text, _RADIX[number.base.lower() or "d"]) for text in typed} - {number.value}


def _neighbours(number: Number, others: set[int]) -> dict[int, float]:
    costs: dict[int, float] = {}
    width = number.width_bits

    def offer(value: int, cost: float) -> None:
        if value < 0 or value == number.value or (width is not None and value >= 1 << width):
            return
        costs[value] = min(cost, costs.get(value, cost))

    for delta in (1, -1):
        offer(number.value + delta, 1)
    for value in (0, 1):
        offer(value, 2)
    offer(number.value * 2, 2.5)
    offer(number.value // 2, 2.5)
    for value in others:
        offer(value, 3)
    if width is None:
        for value in range(17):
            offer(value, 4)
        for delta in (2, 3, 4, 8):
            offer(number.value + delta, 4)
            offer(number.value - delta, 4)
        return costs
    for bit in range(min(width, _FLIPPED_BITS)):
        offer(number.value ^ (1 << bit), 2)
    offer((1 << width) - 1, 3)
    if width <= _FLIPPED_BITS:
        for turn in range(1, width):
            mask = (1 << width) - 1
            offer(((number.value << turn) | (number.value >> (width - turn))) & mask, 3)
    if width <= _ENUMERATED_BITS:
        for value in range(1 << width):
            offer(value, 4)
    else:
        for first in range(min(width, _FLIPPED_BITS)):
            for second in range(first):
                offer(number.value ^ (1 << first) ^ (1 << second), 4.5)
    return costs


def _other_forms(site: Site, node: Node, number: Number) -> Proposals:
    """The same digits in another radix or width, a leading digit lost, a parameter in place of the number."""
    digits, base = number.digits, number.base.lower()
    width = "" if number.width_bits is None else str(number.width_bits)
    for other in ("b", "d", "h"):
        if other == base or not digits or max(int(digit, 16) for digit in digits) >= _RADIX[other]:
            continue
        if base or (len(digits) > 1 and set(digits) <= {"0", "1"}):
            size = width or str(len(digits))
            yield from site.replace("radix", 2.5, node, f"{size}'{number.sign}{other}{digits}")
    if base == "b" and number.width_bits is not None and len(digits) < number.width_bits and len(digits) > 1:
        for fill in ("1", "0"):
            filled = fill * (number.width_bits - len(digits)) + digits
            yield from site.replace(f"leading {fill}", 2.5, node, f"{width}'{number.sign}{number.base}{filled}")
    for name in site.structure.parameters:
        yield from site.replace("parameter for number", 4.5, node, name)
