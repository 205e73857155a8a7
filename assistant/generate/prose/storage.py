"""Flip-flops and latches."""

from __future__ import annotations

import re

from veriloop.assistant.generate.prose.circuit import Circuit, Register, chosen
from veriloop.assistant.generate.prose.clocking import Clocking, reset_of, reset_port
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import gate, number

_FLOP = r"(?:d[- ]?(?:type )?flip-?\s?flops?|dffs?|d[- ]flops?|flip-?\s?flops?)(?: \(dffs?\))?"


def read_flops(prose: Prose, clocking: Clocking) -> Circuit | None:
    """One or some D flip-flops, with a reset and an enable where they are said."""
    match = prose.take(rf"(?:single )?{_FLOP}()") or prose.take(rf"(\w+) {_FLOP}")
    output, clock = prose.output, prose.interface.clock
    reset = reset_port(prose)
    data = [port for port in prose.inputs if port.name != reset]
    if match is None or output is None or clock is None or len(data) != 1 or data[0].width_bits != output.width_bits:
        return None
    count = number(match[1]) if match[1] else None
    if match[1] and count is None:
        return None
    if count is not None and count != output.width_bits:
        return None
    made = reset_of(prose, clocking)
    if reset is not None and made is None:
        return None
    return Circuit(
        registers=(Register(output.name, prose.whole(data[0]), clocking.value or 0),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )


def read_gated_flop(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A flip-flop whose input is a gate of the input and its own output."""
    match = prose.take(
        rf"{_FLOP} (?:whose|which) (?:d )?input is (?:the )?(?:output of )?(?:an? )?(and|or|xor|nand|nor|xnor) (?:gate )?(?:of|between) (?:the )?(?:input )?`?(\w+)`? and (?:its|the) (?:own )?output"
    )
    output, clock = prose.output, prose.interface.clock
    source = prose.port(match[2]) if match is not None else None
    if match is None or output is None or clock is None or source is None or reset_port(prose) is not None:
        return None
    following = gate(match[1], [prose.whole(source), prose.whole(output)])
    return Circuit(registers=(Register(output.name, following),), clock=clock.name, rising=clocking.rising is not False)


def read_latch(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A D latch, open while its enable is 1."""
    match = prose.take(r"d[- ]latch(?: using an always block)?(?: with (?:an? )?(?:active[- ]high )?enable)?")
    output = prose.output
    if match is None or output is None or len(prose.interface.inputs) != 2:
        return None
    enables = [
        port for port in prose.interface.inputs if re.fullmatch(r"e|en|ena|enable|g|gate|le|clk", port.name, re.I)
    ]
    data = [port for port in prose.interface.inputs if port not in enables]
    if len(enables) != 1 or len(data) != 1 or data[0].width_bits != output.width_bits or enables[0].width_bits != 1:
        return None
    return Circuit(raw=f"  always_latch if ({enables[0].name}) {output.name} = {data[0].name};")


def read_dual_edge(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A flip-flop that takes its input at both edges: two of them, and the clock chooses."""
    match = prose.take(r"(?:functionally )?behaves like a dual-edge triggered flip-?\s?flop") or prose.take(
        r"dual-edge triggered flip-?\s?flop"
    )
    output, clock = prose.output, prose.interface.clock
    if match is None or output is None or clock is None or len(prose.inputs) != 1:
        return None
    source = prose.inputs[0]
    if source.width_bits != output.width_bits or reset_port(prose) is not None:
        return None
    prose.drop(
        r"dual-edge triggered flip-?\s?flop is triggered on both edges of the clock",
        r"however, fpgas don't have dual-edge triggered flip-?\s?flops, and .* is not accepted as a legal sensitivity list",
    )
    span = f"[{source.width_bits - 1}:0] " if source.width_bits > 1 else ""
    lines = (
        f"  logic {span}risen, fallen;\n"
        f"  always_ff @(posedge {clock.name}) risen <= {source.name};\n"
        f"  always_ff @(negedge {clock.name}) fallen <= {source.name};\n"
        f"  assign {output.name} = {clock.name} ? risen : fallen;"
    )
    return Circuit(raw=lines)


def read_enabled(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Flip-flops that take their input while an enable is 1."""
    match = prose.take(
        rf"(?:single |(\w+) )?{_FLOP} with (?:an? )?(?:active[- ]high )?(?:synchronous )?(?:clock )?enable(?: `?(\w+)`?)?"
    )
    output, clock = prose.output, prose.interface.clock
    reset = reset_port(prose)
    data = [port for port in prose.inputs if port.name != reset]
    enables = [port for port in data if re.fullmatch(r"e|en|ena|enable|ce", port.name, re.I) and port.width_bits == 1]
    if match is None or output is None or clock is None or len(enables) != 1 or len(data) != 2:
        return None
    source = next(port for port in data if port is not enables[0])
    made = reset_of(prose, clocking)
    if source.width_bits != output.width_bits or (reset is not None and made is None):
        return None
    following = chosen(prose.whole(enables[0]), prose.whole(source), prose.whole(output))
    return Circuit(
        registers=(Register(output.name, following, clocking.value or 0),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )
