"""Conditions and deeds: `if sel is 1, choose b, otherwise choose a`, `turn the heater on when too_cold = 1`."""

from __future__ import annotations

import re

from veriloop.assistant.generate.interface import PortDeclaration
from veriloop.assistant.generate.prose.circuit import Expr, bitwise, compared, const, inverse, name, reduce
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number, operand

_SIGN = {
    "=": "==",
    "==": "==",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "equals": "==",
    "is equal to": "==",
}


def condition(text: str, prose: Prose) -> Expr | None:
    """A condition as one bit; none if any of it is not understood."""
    text = text.strip(" ,.()")
    text = re.sub(r"^(?:that )?(?:the )?(?:input )?(?:signal )?", "", text)
    for word, sign in ((" or ", "|"), (" and ", "&")):
        if word in text and not re.match(r"both |either |neither ", text):
            parts = [condition(one, prose) for one in text.split(word)]
            known = [one for one in parts if one is not None]
            return bitwise(sign, known) if len(known) == len(parts) else None
    if pair := re.fullmatch(
        r"(both|either|neither)(?: of)? `?(\S+?)`? (?:and|or|nor) `?(\S+?)`? (?:is|are) (.+)", text
    ):
        tests = [condition(f"{one} is {pair[4]}", prose) for one in (pair[2], pair[3])]
        if None in tests:
            return None
        first, second = (one for one in tests if one is not None)
        return (
            inverse(bitwise("|", [first, second]))
            if pair[1] == "neither"
            else bitwise("&" if pair[1] == "both" else "|", [first, second])
        )
    if said := re.fullmatch(r"`?([\w\[\]:]+)`? ?(==|=|!=|<=|>=|<|>|equals|is equal to) ?`?([\w'\[\]:]+)`?", text):
        return _comparison(said[1], _SIGN[said[2]], said[3], prose)
    if said := re.fullmatch(r"`?([\w\[\]:]+)`? (?:is|are|becomes?) (?:at )?(?:logic )?(not )?(.+)", text):
        return _state(said[1], said[3], prose, negated=bool(said[2]))
    if said := re.fullmatch(r"(not )?`?([\w\[\]:]+)`?", text):
        port = prose.port(said[2])
        if port is not None and port.width_bits == 1:
            return inverse(prose.whole(port)) if said[1] else prose.whole(port)
    return None


def _comparison(left: str, sign: str, right: str, prose: Prose) -> Expr | None:
    one = operand(left, prose.interface)
    if one is None:
        return None
    two = operand(right, prose.interface, width=one.width)
    if two is None or two.width != one.width:
        return None
    if one.width == 1 and right in ("0", "1") and sign == "==":
        return one if right == "1" else inverse(one)
    return compared(sign, one, two)


def _state(subject: str, state: str, prose: Prose, *, negated: bool) -> Expr | None:
    one = operand(subject, prose.interface)
    if one is None:
        return None
    words = {
        "asserted": 1,
        "set": 1,
        "active": 1,
        "deasserted": 0,
        "inactive": 0,
        "enabled": 1,
        "disabled": 0,
        "clear": 0,
        "cleared": 0,
    }
    if between := re.fullmatch(r"between (\w+) and (\w+)", state):
        low, high = number(between[1]), number(between[2])
        if low is None or high is None or high >= 1 << one.width:
            return None
        within = compared("<=", one, const(high, one.width))
        return within if low == 0 else bitwise("&", [compared(">=", one, const(low, one.width)), within])
    value = words.get(state, number(state))
    if value is None or value >= 1 << one.width:
        return None
    found = one if one.width == 1 else compared("==", one, const(value, one.width))
    if one.width == 1 and not value:
        found = inverse(one)
    return inverse(found) if negated else found


def value_of(text: str, prose: Prose, width: int) -> Expr | None:
    """What an output is set to: an input, some of its bits, or a constant."""
    text = re.sub(r"^(?:the )?(?:input |value (?:of )?|data input )?", "", text.strip(" ,.()"))
    found = operand(text, prose.interface, width=width)
    return found if found is not None and found.width == width else None


def non_zero(port: PortDeclaration) -> Expr:
    """Whether any bit of a port is 1."""
    return reduce("|", name(port.name, port.width_bits))
