"""From prose to a circuit, where all of it is understood."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from veriloop.assistant.generate.bench_text import steps
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.prose import (
    arithmetic,
    counting,
    decimal,
    detection,
    gates,
    selection,
    shifting,
    storage,
    vectors,
)
from veriloop.assistant.generate.prose.circuit import Circuit, CircuitReference, played
from veriloop.assistant.generate.prose.clocking import Clocking, read_clocking
from veriloop.assistant.generate.prose.sentences import sentences
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.reference import Reference, Row

_DATA = re.compile(
    r"^\s*(?://)?\s*(?:\|.*\||[01x-]+\s*\|)|-->|^\s*(?:module\s+\w+\s*[#(;]|endmodule\b)|^\s*time\b", re.M | re.I
)
_EMPTY = (
    r"(?:i would like you to )?(?:implement )?(?:a )?(?:module )?named `?\w+`? with the following interface",
    r"named `?\w+`? with the following interface",
    r"all (?:input and output )?(?:ports|inputs and outputs) are (?:one|1|a single) bit(?: wide)? unless otherwise specified",
    r"(?:module )?(?:named|called) `?\w+`?",
    r"act as a professional verilog designer",
    r"give me the complete code",
    r"module name:? *\w*",
    r"implementation",
    r"function",
)
Reader = Callable[[Prose], Circuit | None]
ClockedReader = Callable[[Prose, Clocking], Circuit | None]

_PLAIN: dict[str, Reader] = {
    "constant": gates.read_constant,
    "wire": gates.read_wire,
    "inverter": gates.read_inverter,
    "gate": gates.read_gate,
    "reduction": gates.read_reductions,
    "Boolean function": gates.read_function,
    "reversal": vectors.read_reversal,
    "extension": vectors.read_extension,
    "population count": vectors.read_population,
    "parts of a vector": vectors.read_parts,
    "concatenation": vectors.read_joined,
    "bitwise operations": vectors.read_bitwise_pair,
    "neighbours": vectors.read_neighbours,
    "replication": vectors.read_repetition,
    "half adder": arithmetic.read_half_adder,
    "full adder": arithmetic.read_full_adder,
    "adder": arithmetic.read_adder,
    "comparator": arithmetic.read_comparator,
    "packed multiplexer": selection.read_packed_mux,
    "sliced multiplexer": selection.read_sliced_mux,
    "multiplexer": selection.read_numbered_mux,
    "priority encoder": selection.read_priority_encoder,
    "condition": selection.read_equality,
    "choice": selection.read_choice,
    "codes": selection.read_codes,
}
_CLOCKED: dict[str, ClockedReader] = {
    "flip-flop": storage.read_flops,
    "gated flip-flop": storage.read_gated_flop,
    "latch": storage.read_latch,
    "dual-edge flip-flop": storage.read_dual_edge,
    "enabled flip-flop": storage.read_enabled,
    "counter": counting.read_counter,
    "decimal counter": decimal.read_decimal_counter,
    "up-down counter": counting.read_up_down,
    "timer": counting.read_timer,
    "shift register": shifting.read_serial_shifter,
    "Galois register": shifting.read_galois,
    "Johnson counter": shifting.read_johnson,
    "addressed shift register": shifting.read_addressed_shifter,
    "loadable shift register": shifting.read_loadable_shifter,
    "edge detector": detection.read_edges,
    "edge capture": detection.read_capture,
    "sequence detector": detection.read_sequence_latch,
    "cellular automaton": detection.read_conway,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A block that the prose states.

    Attributes:
        block: its name.
        lines: the body of the module.
        rows: what it has to answer; none where it is not played.
        reference: the block as a model that has not run yet; none where it is not played, or acts at falling edges.
        assumed: what convention settled.
    """

    block: str
    lines: str
    rows: tuple[Row, ...] = ()
    reference: Reference | None = None
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The first sentence that nobody understands."""

    sentence: str


def read_prose(text: str, interface: Interface) -> Read | NotUnderstood | None:
    """The block that a text states wholly; a sentence that keeps it from being read; none where it is no prose."""
    if _DATA.search(text):
        return None
    prose = Prose(interface, sentences(text))
    prose.drop(*_EMPTY, re.escape(interface.toplevel.lower()))
    clocking = read_clocking(prose)
    if clocking is None or not prose.left:
        return None
    found: dict[str, tuple[str, Circuit]] = {}
    fewest = prose.left
    for name, reader in _PLAIN.items():
        own = prose.copy()
        circuit = reader(own)
        if circuit is not None:
            fewest = min(fewest, own.left, key=len)
            if not own.left:
                found.setdefault(circuit.lines(interface), (name, circuit))
    for name, clocked in _CLOCKED.items():
        own = prose.copy()
        circuit = clocked(own, clocking)
        if circuit is not None:
            fewest = min(fewest, own.left, key=len)
            if not own.left:
                found.setdefault(circuit.lines(interface), (name, circuit))
    if len(found) != 1:
        return NotUnderstood(fewest[0]) if fewest else None
    ((lines, (name, circuit)),) = found.items()
    if not _covers(circuit, lines, interface):
        return None
    rows: tuple[Row, ...] = ()
    if not circuit.raw:
        low = circuit.reset is not None and circuit.reset.active_low
        rows = tuple(played(circuit, interface, steps(interface, (), active_low=low)))
    plain = not circuit.raw and (circuit.rising or not circuit.clock)
    return Read(
        block=name,
        lines=lines,
        rows=rows,
        reference=CircuitReference(circuit, interface) if plain else None,
        assumed=_assumed(circuit, clocking, interface),
    )


def _covers(circuit: Circuit, lines: str, interface: Interface) -> bool:
    """Whether every output is driven and every input is used: what is left over was not understood."""
    driven = {*circuit.outputs, *(one.name for one in circuit.registers)}
    for port in interface.outputs:
        if port.name not in driven and not re.search(rf"\b{re.escape(port.name)}\b", circuit.raw):
            return False
    return all(re.search(rf"\b{re.escape(port.name)}\b", lines) for port in interface.inputs)


def _assumed(circuit: Circuit, clocking: Clocking, interface: Interface) -> tuple[str, ...]:
    found = []
    clocked = circuit.registers or "posedge" in circuit.raw
    if clocked and clocking.rising is None and interface.clock is not None:
        found.append(f"{interface.clock.name} is used at its rising edge")
    if circuit.registers and circuit.reset is not None and clocking.value is None:
        found.append(f"{circuit.reset.port} leads to {circuit.registers[-1].reset}")
    if circuit.registers and circuit.reset is None:
        names = ", ".join(one.name for one in circuit.registers)
        found.append(f"no reset: {names} start at 0")
    return tuple(found)
