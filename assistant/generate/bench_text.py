"""A Verilog testbench that plays rows of inputs and compares the outputs with what a specification's data says."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.reference import Inputs, Row

_EXHAUSTIVE_BITS = 10
_RANDOM_STEPS = 400
_RESET_STEPS = 2
_AGAIN = 97
"""Reset is given again in mid-run, every so many steps."""


def steps(interface: Interface, corners: Sequence[Inputs], *, active_low: bool, seed: int = 1) -> list[Inputs]:
    """Inputs to try: all of them where they are few and nothing is clocked, else random ones with resets between.

    Args:
        interface: the ports.
        corners: inputs that the data names, which come first.
        active_low: the reset's level.
        seed: of the random ones.
    """
    data = [port for port in interface.inputs if port is not interface.clock]
    if interface.clock is None and sum(port.width_bits for port in data) <= _EXHAUSTIVE_BITS:
        values = itertools.product(*(range(1 << port.width_bits) for port in data))
        return [dict(zip((port.name for port in data), word, strict=True)) for word in values]
    source = random.Random(seed)
    return [*corners, *(_step(source, data, interface.reset, number, active_low) for number in range(_RANDOM_STEPS))]


def _step(
    source: random.Random,
    data: Sequence[PortDeclaration],
    reset: PortDeclaration | None,
    number: int,
    active_low: bool,
) -> Inputs:
    word = {port.name: source.getrandbits(port.width_bits) for port in data}
    if reset is not None:
        given = number % _AGAIN < _RESET_STEPS
        word[reset.name] = int(given != active_low)
    return word


def bench_text(interface: Interface, played: Sequence[Row], *, name: str) -> str:
    """A module `name` that instantiates the toplevel, plays the rows and prints `Mismatches: E in N samples`."""
    return "\n".join(_lines(interface, played, name)) + "\n"


def _lines(interface: Interface, played: Sequence[Row], name: str) -> Iterator[str]:
    outputs = [bit for port in interface.outputs for bit in interface.bits(port)]
    width = len(outputs)
    yield "`timescale 1ns/1ps"
    yield f"module {name};"
    reset = interface.reset
    given = next((row.inputs[reset.name] for row in played if reset.name in row.inputs), None) if reset else None
    for port in interface.ports:
        kind = "reg" if port.direction == "input" else "wire"
        span = f" [{port.msb}:{port.lsb}]" if port.width_bits > 1 else ""
        start = f" = {1 - given if port is reset and given is not None else 0}"
        yield f"  {kind}{span} {port.name}{start if kind == 'reg' else ''};"
    connections = ", ".join(f".{port.name}({port.name})" for port in interface.ports)
    yield f"  {interface.toplevel} dut ({connections});"
    yield f"  wire [{width - 1}:0] seen = {{{', '.join(port.name for port in interface.outputs)}}};"
    yield "  integer errors = 0, samples = 0;"
    yield f"  task check(input [{width - 1}:0] expected, input [{width - 1}:0] compared);"
    yield "    begin"
    yield "      samples = samples + 1;"
    yield "      if (((seen ^ expected) & compared) !== 0) begin"
    yield "        errors = errors + 1;"
    yield "        if (errors <= 5)"
    yield '          $display("time %0t: expected %b where %b, seen %b", $time, expected, compared, seen);'
    yield "      end"
    yield "    end"
    yield "  endtask"
    yield "  initial begin"
    if given is not None:
        # An asynchronous reset acts at its edge, so there has to be one.
        yield "    #1;"
    for row in played:
        sets = " ".join(f"{port} = {_constant(port, value, interface)};" for port, value in row.inputs.items())
        expected = "".join(row.expected.get(bit, "0") for bit in outputs)
        compared = "".join("1" if bit in row.expected else "0" for bit in outputs)
        check = f" check({width}'b{expected}, {width}'b{compared});" if "1" in compared else ""
        yield f"    {sets} #5;{check}"
    yield '    $display("Mismatches: %0d in %0d samples", errors, samples);'
    yield "    $finish;"
    yield "  end"
    yield "endmodule"


def _constant(name: str, value: int, interface: Interface) -> str:
    port = interface.port(name)
    return f"{port.width_bits if port else 1}'h{value:x}"


def expected_of(values: Mapping[str, int | None], interface: Interface) -> dict[Bit, str]:
    """The output bits of a row of a waveform; an unknown value is not compared."""
    found: dict[Bit, str] = {}
    for port in interface.outputs:
        value = values.get(port.name)
        if value is not None:
            for bit in interface.bits(port):
                place = 0 if bit.index is None else bit.index - port.lsb
                found[bit] = str(value >> place & 1)
    return found
