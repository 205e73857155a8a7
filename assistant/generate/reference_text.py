"""A specification's data as a reference model in Python, to be given away with the module: `eval(inputs)` a cycle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.reference import MachineReference, Reference, TableReference
from veriloop.assistant.generate.register_map import MapReference, RegisterMap

_MOST_ROWS = 1 << 12


def reference_text(reference: Reference | None, interface: Interface, kind: str) -> str:
    """The model as text; empty where the data is of another kind, or too large to be written out.

    Args:
        reference: what the data says.
        interface: the ports.
        kind: what it was made from.
    """
    if isinstance(reference, TableReference):
        body = list(_table(reference, interface))
    elif isinstance(reference, MachineReference):
        body = list(_machine(reference, interface))
    elif isinstance(reference, MapReference):
        body = list(_map(reference.found))
    else:
        return ""
    if not body:
        return ""
    name = "".join(part.capitalize() for part in interface.toplevel.split("_")) or "Model"
    head = [f'"""What the specification\'s {kind} says of `{interface.toplevel}`."""', "", "", f"class {name}:"]
    return "\n".join([*head, *(f"    {line}".rstrip() for line in body)]) + "\n"


def _bit(bit: Bit, interface: Interface) -> str:
    port = interface.port(bit.port)
    place = 0 if bit.index is None or port is None else bit.index - port.lsb
    shifted = f'inputs["{bit.port}"] >> {place}' if place else f'inputs["{bit.port}"]'
    return f"({shifted} & 1)"


def _word(bits: Sequence[Bit], interface: Interface) -> str:
    """An expression for the word of some bits, the first highest."""
    terms = [
        f"{_bit(bit, interface)} << {place}" if place else _bit(bit, interface)
        for place, bit in zip(range(len(bits) - 1, -1, -1), bits, strict=True)
    ]
    return " | ".join(terms) or "0"


def _packed(interface: Interface, values: dict[Bit, str]) -> dict[str, int]:
    """The outputs whose every bit is known."""
    found = {}
    for port in interface.outputs:
        bits = [values.get(bit, "-") for bit in interface.bits(port)]
        if "-" not in bits:
            found[port.name] = int("".join(bits), 2)
    return found


def _table(reference: TableReference, interface: Interface) -> Iterator[str]:
    table = reference.table
    if 1 << len(table.inputs) > _MOST_ROWS:
        return
    yield "ROWS = {"
    for word in range(1 << len(table.inputs)):
        yield f"    {word}: {_packed(interface, dict(zip(table.outputs, table.row(word), strict=True)))},"
    yield "}"
    yield ""
    yield "def eval(self, inputs):"
    yield f"    return dict(self.ROWS[{_word(table.inputs, interface)}])"


def _machine(reference: MachineReference, interface: Interface) -> Iterator[str]:
    machine, reset = reference.machine, reference.reset
    guards = machine.guard_bits
    if len(machine.states) << len(guards) > _MOST_ROWS:
        return
    bits = [bit for port in interface.outputs for bit in interface.bits(port)]
    yield "# By state and by the word of the inputs that matter: the next state, and the outputs in this one."
    yield "STEPS = {"
    for state in machine.states:
        for word, values in enumerate(machine.inputs()):
            outputs = _packed(interface, {bit: machine.output(bit, state, values) for bit in bits})
            yield f'    ("{state}", {word}): ("{machine.next(state, values).target}", {outputs}),'
    yield "}"
    yield ""
    yield "def __init__(self):"
    yield "    self.state = None"
    yield ""
    yield "def eval(self, inputs):"
    yield f"    word = {_word(guards, interface)}"
    yield f'    if {"not " if reset.active_low else ""}inputs["{reset.port}"]:'
    yield f'        self.state = "{reset.state}"'
    yield "    elif self.state is not None:"
    yield "        self.state = self.STEPS[self.state, word][0]"
    yield "    return {} if self.state is None else dict(self.STEPS[self.state, word][1])"


def _map(found: RegisterMap) -> Iterator[str]:
    roles, reset = found.roles, found.reset
    kept = [one for one in found.registers if one.access != "ro"]
    own = ", ".join(f'"{one.name}": {one.reset}' for one in kept)
    yield "def __init__(self):"
    yield "    self.values = None"
    yield "    self.shown = 0"
    yield ""
    yield "def selected(self, inputs):"
    yield f'    address = inputs["{roles["address"].name}"]'
    for one in found.registers:
        if one.access != "wo":
            value = f'self.values["{one.name}"]' if one.access == "rw" else _read_only(one.port, one.reset)
            yield f"    if address == {one.address}:"
            yield f"        return {value}"
    yield "    return 0"
    yield ""
    yield "def eval(self, inputs):"
    yield f'    if {"not " if reset.active_low else ""}inputs["{reset.port}"]:'
    yield f"        self.values, self.shown = {{{own}}}, 0"
    yield "    elif self.values is not None:"
    yield from _tick(found, roles["write"], roles["data"])
    yield "    if self.values is None:"
    yield "        return {}"
    shown = "self.shown" if found.registered else "self.selected(inputs)"
    outputs = [f'"{roles["shown"].name}": {shown}']
    outputs += [f'"{one.port}": self.values["{one.name}"]' for one in kept if one.port]
    yield f"    return {{{', '.join(outputs)}}}"


def _tick(found: RegisterMap, write: PortDeclaration, data: PortDeclaration) -> Iterator[str]:
    if found.registered:
        read = f'if inputs["{found.roles["read"].name}"]' if "read" in found.roles else ""
        indent = "    " if read else ""
        yield from ([f"        {read}:"] if read else [])
        yield f"        {indent}self.shown = self.selected(inputs)"
    for one in found.registers:
        if one.access != "ro":
            address = found.roles["address"].name
            yield f'        if inputs["{write.name}"] and inputs["{address}"] == {one.address}:'
            yield f'            self.values["{one.name}"] = inputs["{data.name}"]'
    if not found.registered and all(one.access == "ro" for one in found.registers):
        yield "        pass"


def _read_only(port: str, value: int) -> str:
    return f'inputs["{port}"]' if port else str(value)
