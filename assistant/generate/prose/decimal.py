"""Decimal counters: some digits in BCD, each of which counts when all below it turn over."""

from __future__ import annotations

import re

from veriloop.assistant.generate.prose.circuit import (
    Circuit,
    Expr,
    Register,
    arithmetic,
    bitwise,
    chosen,
    compared,
    const,
    joined,
    part,
)
from veriloop.assistant.generate.prose.clocking import Clocking, reset_of, reset_port
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number

_NAMED = r"(\w+)[- ]digit (?:bcd|decimal)(?: \([^()]*\))? counter"
_PLACES = ("ones?|units?", "tens?", "hundreds?", "thousands?")


def read_decimal_counter(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Digits of four bits each, the lowest in the lowest bits; an output may say which of the upper ones will count."""
    named = prose.take(rf"(?:(?:0|zero) (?:through|to) \d+ )?{_NAMED}")
    clock = prose.interface.clock
    count = number(named[1]) if named is not None else None
    digits = [port for port in prose.interface.outputs if count is not None and port.width_bits == 4 * count]
    others = [port for port in prose.interface.outputs if port not in digits]
    free = [port for port in prose.inputs if port.name != reset_port(prose)]
    made = reset_of(prose, clocking)
    if count is None or count < 2 or clock is None or len(digits) != 1 or free or clocking.value or made is None:
        return None
    port = digits[0]
    name = re.escape(port.name.lower())
    places = r",? ?(?:and )?".join(
        rf"(?:`?{name}`?\[{4 * place + 3}:{4 * place}\] is (?:for )?the (?:{word})(?: digit)?)?"
        for place, word in enumerate(_PLACES[:count])
    )
    prose.drop(
        r"each (?:decimal |bcd )?digit is (?:encoded|represented|stored) (?:using|in|with|by) (?:4|four) bits",
        rf"each (?:decimal |bcd )?digit is (?:encoded|represented|stored) (?:using|in|with|by) (?:4|four) bits: {places}(?:,? (?:etc|and so on))?\.?",
        rf"{places}(?:,? (?:etc|and so on))?\.?",
    )
    word: list[Expr] = []
    carries: list[Expr] = []
    for place in range(count):
        low = port.lsb + 4 * place
        now = part(port, low + 3, low)
        nine = compared("==", now, const(9, 4))
        following = chosen(nine, const(0, 4), arithmetic("+", now, const(1, 4)))
        word.insert(0, following if not carries else chosen(bitwise("&", carries), following, now))
        carries.append(nine)
    enables = [bitwise("&", carries[: place + 1]) for place in range(count - 1)]
    outputs: dict[str, Expr] = {}
    for other in others:
        if other.width_bits != count - 1 or not _enables(prose, count):
            return None
        outputs[other.name] = joined(list(reversed(enables)))
    return Circuit(
        outputs=outputs,
        registers=(Register(port.name, joined(word)),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )


def _enables(prose: Prose, count: int) -> bool:
    """Whether a sentence says that the upper digits' enables are put out."""
    words = {2: "two", 3: "three", 4: "four"}
    upper = rf"(?:{count - 1}|{words.get(count - 1, count - 1)})"
    return (
        prose.take(
            rf"(?:for digits \[{count - 1}:1\], )?(?:also )?outputs? an enable signal (?:indicating|that says|to indicate|showing) "
            rf"when each of the upper {upper} digits should be incremented"
        )
        is not None
    )
