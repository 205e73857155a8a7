"""Counters with a stated range, and timers that count down."""

from __future__ import annotations

import re

from veriloop.assistant.generate.prose.circuit import (
    Circuit,
    Expr,
    Register,
    arithmetic,
    chosen,
    compared,
    const,
)
from veriloop.assistant.generate.prose.clocking import Clocking, reset_of, reset_port
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number

_NAMES = r"(?:(\d+|\w+)-bit )?(?:binary |decade |up |free-running |modulo-\d+ )*counter"
_INCLUSIVE = r"(?:,? inclusive)?(?:,? (?:with a period of|period) (\d+))?"


def read_counter(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Up through a stated range and round again, perhaps only while an enable is 1."""
    match = prose.take(rf"{_NAMES},? (?:that |which )?counts? from (\w+) (?:through|to|up to) (\w+){_INCLUSIVE}")
    output, clock = prose.output, prose.interface.clock
    if match is None or output is None or clock is None:
        return None
    low, high = number(match[2]), number(match[3])
    width = output.width_bits
    if low is None or high is None or not low < high < 1 << width:
        return None
    if (match[1] and number(match[1]) not in (None, width)) or (match[4] and int(match[4]) != high - low + 1):
        return None
    reset = reset_port(prose)
    made = reset_of(prose, clocking)
    if (reset is not None and made is None) or (reset is None and prose.inputs):
        return None
    start = low if clocking.value is None else clocking.value
    if start != low:
        return None
    now = prose.whole(output)
    following = arithmetic("+", now, const(1, width))
    if high != (1 << width) - 1 or low:
        following = chosen(compared("==", now, const(high, width)), const(low, width), following)
    enabled = _enabled(prose, following, now, reset)
    if enabled is None:
        return None
    return _one(prose, clocking, output.name, enabled, start)


def _enabled(prose: Prose, following: Expr, now: Expr, reset: str | None) -> Expr | None:
    """The next value with a pause input, where there is one; none if an input is left over."""
    others = [port for port in prose.inputs if port.name != reset]
    if not others:
        return following
    if len(others) != 1 or others[0].width_bits != 1:
        return None
    name = re.escape(others[0].name.lower())
    said = prose.take(
        rf"(?:the )?`?{name}`?(?: input| signal)? (?:indicates|controls|says) (?:when|whether) (?:the )?counter should increment"
    ) or prose.take(
        rf"(?:it |the counter )?(?:should )?(?:only )?(?:counts?|increments?) (?:only )?(?:when|while|if) `?{name}`? (?:is|=) ?(?:1|high|asserted)"
    )
    pause = prose.take(
        rf"(?:we want to )?(?:be able to )?pause the counter rather than always incrementing every clock cycle, so (?:the )?`?{name}`? input indicates when the counter should increment"
    )
    if said is None and pause is None:
        return None
    return chosen(prose.whole(others[0]), following, now)


def _one(prose: Prose, clocking: Clocking, output: str, following: Expr, start: int) -> Circuit:
    clock = prose.interface.clock
    assert clock is not None
    return Circuit(
        registers=(Register(output, following, start),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=reset_of(prose, clocking),
    )


def read_up_down(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Up or down by the level of one input."""
    match = prose.take(r"(\d+)-bit counter that can increment or decrement based on control signals")
    output, clock = prose.output, prose.interface.clock
    if match is None or output is None or clock is None or int(match[1]) != output.width_bits:
        return None
    up = prose.take(r"if (?:the )?`?(\w+)`?(?: control signal)? is high, the counter increments on each clock cycle")
    down = prose.take(r"if (?:the )?`?(\w+)`?(?: control signal)? is low, the counter decrements on each clock cycle")
    port = prose.port(up[1]) if up is not None and down is not None and up[1] == down[1] else None
    made = reset_of(prose, clocking)
    if port is None or made is None or len(prose.inputs) != 1:
        return None
    now, one = prose.whole(output), const(1, output.width_bits)
    following = chosen(prose.whole(port), arithmetic("+", now, one), arithmetic("-", now, one))
    return _one(prose, clocking, output.name, following, clocking.value or 0)


def read_timer(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Loaded with a number, down to 0, where it stays; an output says that it is there."""
    match = prose.take(
        r"timer that counts down for a given number of clock cycles, then asserts a signal to indicate that the given duration has elapsed"
    )
    output, clock = prose.output, prose.interface.clock
    single = [port for port in prose.inputs if port.width_bits == 1]
    wide = [port for port in prose.inputs if port.width_bits > 1]
    if match is None or output is None or clock is None or len(single) != 1 or len(wide) != 1 or output.width_bits != 1:
        return None
    load, data = single[0], wide[0]
    name, out, word = (re.escape(one.name.lower()) for one in (load, output, data))
    parts = (
        rf"if `?{name}`? ?= ?1, load the internal counter with the {data.width_bits}-bit `?{word}`?, the number of clock cycles the timer should count before timing out",
        rf"if `?{name}`? ?= ?0, the internal counter should decrement by 1",
        rf"(?:the )?output signal `?{out}`? \(\"?terminal count\"?\) indicates whether the internal counter has reached 0",
        r"once the internal counter has reached 0, it should stay 0 \(stop counting\) until the counter is loaded again",
    )
    if any(prose.take(pattern) is None for pattern in parts):
        return None
    prose.drop(
        r"good way to implement this is with a down-counter that asserts an output signal when the count becomes 0",
        r"at each clock cycle",
        r"(?:the )?counter can be loaded at any time, including when it is still counting and has not yet reached 0",
        r"single d flip-flop",
    )
    left = Expr(data.width_bits, "left", lambda values: values["left"], atom=True)
    zero = compared("==", left, const(0, data.width_bits))
    down = chosen(zero, const(0, data.width_bits), arithmetic("-", left, const(1, data.width_bits)))
    following = chosen(prose.whole(load), prose.whole(data), down)
    return Circuit(
        outputs={output.name: zero},
        registers=(Register("left", following),),
        clock=clock.name,
        rising=clocking.rising is not False,
    )
