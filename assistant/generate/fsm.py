"""From a described state machine and a specification's words to RTL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.reference import MachineReference, Reference, TableReference
from veriloop.assistant.generate.state_machine import (
    StateMachine,
    clocked,
    next_state_table,
    one_hot_equations,
)
from veriloop.assistant.generate.wording import is_one_hot, read_codes, read_reset

_STATE = re.compile(r"(?:present_?|cur(?:rent)?_?)?(?:state|st)(?:_q|_r|_reg)?|y|ps|q", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What stands between a module's header and its end, and what had to be assumed for it."""

    lines: str
    reference: Reference | None = None
    """What the machine says as a model; none where nothing brings it into a known state."""
    assumed: tuple[str, ...] = ()


def machine_body(machine: StateMachine, text: str, interface: Interface) -> Body | None:
    """The RTL of a machine without faults; none if the specification does not say enough of its ports."""
    present = _present(machine, interface)
    if present is not None:
        return _combinational(machine, present, text, interface)
    clock = interface.clock
    named = {bit.port for bit in machine.output_bits}
    unnamed = [port.name for port in interface.outputs if port.name not in named]
    if clock is None or unnamed:
        return None
    reset, assumed = read_reset(text, interface, machine.states)
    if re.search(r"\b(?:negative|falling)[- ]edge\b", text, re.I):
        return None
    lines = clocked(machine, interface, clock.name, reset, one_hot=is_one_hot(text))
    reference = MachineReference(machine, reset, interface) if reset else None
    return Body(lines=lines, reference=reference, assumed=assumed)


def _present(machine: StateMachine, interface: Interface) -> PortDeclaration | None:
    """The input that holds the present state; none if the machine has a register of its own."""
    guards = {bit.port for bit in machine.guard_bits}
    for port in interface.data:
        if port.name in guards or not _STATE.fullmatch(port.name):
            continue
        if 1 << port.width_bits >= len(machine.states) or port.width_bits == len(machine.states):
            return port
    return None


def _combinational(machine: StateMachine, present: PortDeclaration, text: str, interface: Interface) -> Body | None:
    codes = read_codes(text, machine.states, present.width_bits)
    if codes is None:
        return None
    wanted: dict[Bit, object] = {}
    for port in interface.outputs:
        said = _meaning(port, present, machine, codes, interface)
        if said is None:
            return None
        wanted.update(said)
    state = interface.bits(present)
    table = next_state_table(machine, codes, state, wanted)
    if all(code.bit_count() == 1 for code in codes.values()) and len(codes) == present.width_bits:
        lines = one_hot_equations(machine, codes, state, wanted)
    else:
        lines = table.statements(interface)
    return Body(lines="\n".join(f"  {line}" for line in lines), reference=TableReference(table, interface))


def _meaning(
    port: PortDeclaration,
    present: PortDeclaration,
    machine: StateMachine,
    codes: Mapping[str, int],
    interface: Interface,
) -> dict[Bit, object] | None:
    """Each bit of an output: a bit of the next state's code (its place), or an output of the machine."""
    bits = interface.bits(port)
    if all(bit in machine.output_bits for bit in bits):
        return {bit: bit for bit in bits}
    if port.width_bits == present.width_bits > 1 and re.match(r"(?i)next|n_?s|y", port.name):
        return {bit: len(bits) - 1 - number for number, bit in enumerate(bits)}
    if port.width_bits == 1:
        numbered = re.fullmatch(r"([A-Za-z_]+?)_?(\d+)", port.name)
        if numbered and numbered[1].lower() in {present.name.lower(), "y", f"next_{present.name}".lower()}:
            place = int(numbered[2]) - present.lsb
            return {bits[0]: place} if 0 <= place < present.width_bits else None
        for state, code in codes.items():
            if port.name.lower() in {f"{state}_next".lower(), f"next_{state}".lower()} and code.bit_count() == 1:
                return {bits[0]: code.bit_length() - 1}
    return None
