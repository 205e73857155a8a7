"""Shift registers, and those that feed back: Galois registers with stated taps, Johnson counters."""

from __future__ import annotations

import re

from veriloop.assistant.generate.interface import PortDeclaration
from veriloop.assistant.generate.prose.circuit import (
    Circuit,
    Expr,
    Register,
    bitwise,
    chosen,
    const,
    inverse,
    joined,
    picked,
)
from veriloop.assistant.generate.prose.clocking import Clocking, reset_of, reset_port
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number


def _bits(name: str, high: int, low: int, width: int) -> Expr:
    """Some bits of a register of our own."""
    if high == width - 1 and low == 0:
        return Expr(width, name, lambda values: values[name], atom=True)
    count = high - low + 1
    text = f"{name}[{high}]" if count == 1 else f"{name}[{high}:{low}]"
    return Expr(count, text, lambda values: values[name] >> low & ((1 << count) - 1), atom=True)


def read_serial_shifter(prose: Prose, clocking: Clocking) -> Circuit | None:
    """One bit through some flip-flops, out at the last."""
    match = prose.take(r"(?:(\w+)-bit )?shift register with (\w+) (?:d |d-type )?(?:flip-?\s?)?flops?") or prose.take(
        r"(\w+)-(?:bit|stage) (shift register)"
    )
    output, clock = prose.output, prose.interface.clock
    reset = reset_port(prose)
    data = [port for port in prose.inputs if port.name != reset]
    if (
        match is None
        or output is None
        or clock is None
        or output.width_bits != 1
        or len(data) != 1
        or data[0].width_bits != 1
    ):
        return None
    count = number(match[2]) if match[2] != "shift register" else number(match[1])
    made = reset_of(prose, clocking)
    if count is None or count < 2 or (reset is not None and made is None) or (clocking.value or 0) != 0:
        return None
    following = joined([_bits("stages", count - 2, 0, count), prose.whole(data[0])])
    return Circuit(
        outputs={output.name: _bits("stages", count - 1, count - 1, count)},
        registers=(Register("stages", following),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )


def read_galois(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A Galois register that shifts right, with taps at stated positions, counted from 1."""
    match = prose.take(
        r"(\d+)-bit (?:maximal-length |maximum-length )?galois (?:lfsr|linear feedback shift register) with taps at (?:bit )?positions ([\d, and]+)"
    )
    output, clock = prose.output, prose.interface.clock
    if match is None or output is None or clock is None or int(match[1]) != output.width_bits or prose.inputs:
        return None
    taps = {int(one) for one in re.findall(r"\d+", match[2])}
    width = output.width_bits
    if not taps or min(taps) < 1 or max(taps) != width:
        return None
    made = reset_of(prose, clocking)
    if made is None or clocking.value is None:
        return None
    prose.drop(
        r"linear feedback shift register is a shift register usually with a few xor gates to produce the next state of the shift register",
        r"galois lfsr is one particular arrangement (?:that shifts right, )?where (?:a )?bit positions? with a \"tap\" (?:is|are) xored with the (?:lsb )?output bit(?: \(\w+\[0\]\))? to produce (?:its|each bit's) next value, while bit positions without a tap shift(?: right)?(?: unchanged)?",
        r"if the taps positions are carefully chosen, the lfsr can be made to be \"maximum-length\"",
        r"maximum-length lfsr of n bits cycles through 2\*\*n-1 states before repeating \(the all-zero state is never reached\)",
    )
    name = output.name
    low = _bits(name, 0, 0, width)
    bits: list[Expr] = []
    for place in range(width, 0, -1):
        above = _bits(name, place, place, width) if place < width else None
        if above is None:
            bits.append(low)
        else:
            bits.append(bitwise("^", [above, low]) if place in taps else above)
    return Circuit(
        registers=(Register(name, joined(bits), clocking.value),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )


def read_johnson(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A ring whose last bit comes back turned round, to the right from the top."""
    match = prose.take(
        r"(\d+)-bit johnson counter \(torsional ring counter\), and the state of the similar 4-bit johnson counter example is as follows: 0000, 1000, 1100, 1110, 1111, 0111, 0011, 0001, 0000"
    )
    output, clock = prose.output, prose.interface.clock
    if match is None or output is None or clock is None or int(match[1]) != output.width_bits or prose.inputs:
        return None
    name, width = output.name, output.width_bits
    own = re.escape(name.lower())
    prose.drop(
        rf"otherwise, if the least significant bit \(`?{own}`?\[0\]\) is 0, the counter increments by shifting the current value \(`?{own}`?\[{width - 1}:1\]\) to the right and appending a 1 at the most significant bit position",
        rf"if the least significant bit \(`?{own}`?\[0\]\) is 1, the counter decrements by shifting the current value \(`?{own}`?\[{width - 1}:1\]\) to the right and appending a 0 at the most significant bit position",
    )
    made = reset_of(prose, clocking)
    if made is None:
        return None
    following = joined([inverse(_bits(name, 0, 0, width)), _bits(name, width - 1, 1, width)])
    return Circuit(
        registers=(Register(name, following, clocking.value or 0),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )


def read_addressed_shifter(prose: Prose, clocking: Clocking) -> Circuit | None:
    """A shift register that is written bit by bit and read at an address: a look-up table."""
    first = prose.take(r"(?:first, )?(?:create )?(?:an? )?(\d+)-bit shift register with (\d+) d-type flip-?\s?flops")
    output, clock = prose.output, prose.interface.clock
    if first is None or output is None or clock is None or first[1] != first[2] or output.width_bits != 1:
        return None
    width = int(first[1])
    source = prose.take(
        r"(?:the )?shift register input should be called `?(\w+)`?, which feeds the input of q\[0\] \(msb is shifted in first\)"
    )
    enable = prose.take(r"(?:the )?`?(\w+)`? input is synchronous active high and controls whether to shift")
    read = prose.take(
        rf"(?:the )?circuit's behaviour should be as follows: when (\w+) is (0+), {re.escape(output.name.lower())}=q\[0\], when \w+ is (0+1), {re.escape(output.name.lower())}=q\[1\], and so on"
    )
    if source is None or enable is None or read is None:
        return None
    data, gate = prose.port(source[1]), prose.port(enable[1])
    address = [port for port in prose.inputs if port not in (data, gate)]
    if data is None or gate is None or 1 << len(address) != width or any(port.width_bits != 1 for port in address):
        return None
    if "".join(port.name.lower() for port in address) != read[1] or prose.interface.reset is not None:
        return None
    prose.drop(
        r"(?:circuit )?(?:for )?(?:an? )?\dx1 memory, where writing to the memory is accomplished by shifting-in bits, and reading is \"random access\", as in a typical ram",
        r"you will then use the circuit to realize a \d-input logic function",
        r"then use the circuit to realize a \d-input logic function",
        r"label the flip-?flop outputs from q\[0\]\.+q\[\d\]",
        r"extend the circuit to have \d additional inputs \S+ and an output \w",
        r"(?:your circuit should )?contain only the \d-bit shift register, and multiplexers",
    )
    held = _bits("held", width - 1, 0, width)
    following = chosen(prose.whole(gate), joined([_bits("held", width - 2, 0, width), prose.whole(data)]), held)
    index = joined([prose.whole(port) for port in address])
    return Circuit(
        outputs={output.name: picked("held", index)},
        registers=(Register("held", following),),
        clock=clock.name,
        rising=clocking.rising is not False,
    )


def read_loadable_shifter(prose: Prose, clocking: Clocking) -> Circuit | None:
    """Loaded, or shifted right by one with a zero, or kept; what comes first is said."""
    output, clock = prose.output, prose.interface.clock
    if output is None or clock is None or output.width_bits < 2:
        return None
    match = prose.take(
        rf"{output.width_bits}-bit shift register \(right shift\),? with (?:asynchronous reset, )?synchronous load,? and enable"
    )
    load, enable = prose.port("load"), prose.port("ena") or prose.port("enable")
    data = [port for port in prose.inputs if port.width_bits == output.width_bits]
    if match is None or load is None or enable is None or len(data) != 1:
        return None
    return _loadable(prose, clocking, output, load, enable, data[0])


def _loadable(
    prose: Prose,
    clocking: Clocking,
    output: PortDeclaration,
    load: PortDeclaration,
    enable: PortDeclaration,
    data: PortDeclaration,
) -> Circuit | None:
    names = {
        "load": re.escape(load.name.lower()),
        "enable": re.escape(enable.name.lower()),
        "data": re.escape(data.name.lower()),
    }
    loads = prose.take(
        rf"`?{names['load']}`?: loads? shift register with `?{names['data']}`?(?:\[\d+:\d+\])? instead of shifting(?:, active high)?"
    )
    shifts = prose.take(
        rf"`?{names['enable']}`?: shift right \(`?\w+`?\[{output.msb}\] becomes zero, \w+\[0\] is shifted out and disappears\)(?:, active high)?"
    )
    first = prose.take(
        rf"if both (?:the )?`?{names['load']}`? and `?{names['enable']}`? inputs? are asserted \(1\), (?:the )?`?{names['load']}`? input has higher priority"
    )
    made, clock = reset_of(prose, clocking), prose.interface.clock
    if loads is None or shifts is None or first is None or clock is None or made is None:
        return None
    now = prose.whole(output)
    shifted = joined([const(0, 1), _bits(output.name, output.msb, 1, output.width_bits)])
    following = chosen(prose.whole(load), prose.whole(data), chosen(prose.whole(enable), shifted, now))
    return Circuit(
        registers=(Register(output.name, following, clocking.value or 0),),
        clock=clock.name,
        rising=clocking.rising is not False,
        reset=made,
    )
