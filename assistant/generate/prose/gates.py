"""Constants, wires, inverters, gates by their names, Boolean functions as they are written."""

from __future__ import annotations

import re

from veriloop.assistant.generate.interface import PortDeclaration
from veriloop.assistant.generate.prose.circuit import Circuit, Expr, Register, const, inverse, reduce
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import boolean, gate, number

_COUNT = r"(?:(?:\d+|two|three|four)[- ]input )?"
_KIND = r"(and|or|xor|nand|nor|xnor|exclusive[- ]or|exclusive[- ]nor)"
_STYLES = r"(?:,? using (?:only )?(?:an? |one )?(?:both )?(?:an? )?(?:assign statement|always block|combinational always block|always_comb(?: block)?|continuous assignment|,| and |an? )+)?"
_SAME = r"(?:the )?(?:output(?: port| signal)?|`?(\w+)`?)"


def read_constant(prose: Prose) -> Circuit | None:
    """An output that is always 0 or 1."""
    match = prose.take(
        r"(?:that output should )?(?:always |constantly )?(?:drives?|outputs?|sets?|ties?|assigns?|holds?)(?: the)?(?: output)?(?: `?\w+`?)?(?: to| at)? ?(?:a )?(?:constant )?"
        r"(?:logic[- ])?(0|1|zero|one|low|high)(?: \(or logic (?:low|high)\))?(?: (?:always|at all times|constantly|combinationally))?"
    )
    output = prose.output
    prose.drop(r"(?:circuit )?with no inputs? and one output(?: that outputs a constant (?:0|1|zero|one))?")
    if match is None or output is None or prose.inputs:
        return None
    value = number(match[1])
    if value is None or (value and output.width_bits > 1):
        return None
    return Circuit(outputs={output.name: const(value, output.width_bits)})


def read_wire(prose: Prose) -> Circuit | None:
    """One input that goes to one output."""
    output, source = prose.output, prose.inputs[0] if len(prose.inputs) == 1 else None
    if output is None or source is None or output.width_bits != source.width_bits:
        return None
    said = (
        prose.take(r"(?:behaves? |acts? |works? )?(?:(?:exactly |just )?like |as )?(?:an? )?(?:simple |plain )?wire")
        or prose.take(
            r"(?:connect|wire|route|pass|copy|forward)(?:s|es)? (?:the )?(?:input )?(?:port |signal )?`?\w+`?(?: directly| straight| unchanged)? (?:to|through to|onto) (?:the )?(?:output )?(?:port |signal )?`?\w+`?"
        )
        or prose.take(
            rf"(?:assign|connect|drive|pass|copy|route|set)s? {_SAME} (?:to|with|from|equal to) (?:be )?(?:the )?(?:same (?:value )?(?:as )?)?"
            r"(?:the )?(?:value of )?(?:the )?(?:input(?: port| signal)?|output(?: port| signal)?|`?\w+`?)(?: `?\w+`?)?(?: combinationally| directly| through)?"
        )
    )
    if said is None:
        said = prose.take(
            rf"{_SAME}(?: `?\w+`?)? (?:is|equals|should be|follows|should equal|must equal|takes) (?:always )?(?:the same (?:value )?as |equal to |the value of )?"
            r"(?:the )?(?:input|`?\w+`?)(?: port| signal)?(?: `?\w+`?)?(?: combinationally)?"
        )
        if said is not None and re.search(r"\b(?:not|inverse|complement)\b", said[0]):
            return None
    if said is None or not _names_both(said[0], source, output, prose):
        return None
    return Circuit(outputs={output.name: prose.whole(source)})


def _names_both(text: str, source: PortDeclaration, output: PortDeclaration, prose: Prose) -> bool:
    """Whether every word that could be a port is one of these two."""
    names = {port.name.lower() for port in prose.interface.ports}
    mentioned = {word for word in re.findall(r"\w+", text) if word in names}
    return mentioned <= {source.name.lower(), output.name.lower()}


def read_inverter(prose: Prose) -> Circuit | None:
    """One input, turned round."""
    output, source = prose.output, prose.inputs[0] if len(prose.inputs) == 1 else None
    if output is None or source is None or output.width_bits != source.width_bits:
        return None
    said = (
        prose.take(r"(?:not gate|inverter)")
        or prose.take(
            r"(?:inverts?|complements?|negates?) (?:every bit of |each bit of )?(?:its |the )?(?:input|`?\w+`?)(?: signal| vector)?"
        )
        or prose.take(
            r"(?:the )?(?:output|`?\w+`?)(?: `?\w+`?)? (?:is|should be|equals|must be) (?:the )?(?:bitwise )?(?:inverse|complement|inverted(?: value)?|negation|not) (?:of )?(?:the )?(?:input|`?\w+`?)(?: `?\w+`?)?"
        )
    )
    if said is None or not _names_both(said[0], source, output, prose):
        return None
    return Circuit(outputs={output.name: inverse(prose.whole(source))})


def read_gate(prose: Prose) -> Circuit | None:
    """One gate over all inputs, in as many styles as there are outputs."""
    match = prose.take(rf"{_COUNT}{_KIND} gate(?: (?:two|three|\d) ways)?{_STYLES}")
    if match is None:
        return _several_ways(prose)
    inputs = _gate_inputs(prose)
    if inputs is None or not _is_count(match[0], inputs):
        return None
    value = gate(_kind(match[1]), inputs)
    outputs = prose.interface.outputs
    if len(outputs) > 1 and "using" not in match[0]:
        return None
    return (
        Circuit(outputs={port.name: value for port in outputs}) if all(one.width_bits == 1 for one in outputs) else None
    )


def _several_ways(prose: Prose) -> Circuit | None:
    """`XOR gate three ways, using an assign statement (output x), ..., and a clocked always block (output y)`."""
    match = prose.take(rf"{_COUNT}{_KIND} gate (?:two|three|\d) ways, using (.*)")
    inputs = _gate_inputs(prose)
    clock = prose.interface.clock
    if match is None or inputs is None:
        return None
    value = gate(_kind(match[1]), inputs)
    outputs: dict[str, Expr] = {}
    registers: list[Register] = []
    for style, name in re.findall(r"(?:,|and|^)?\s*(?:an? )?([\w\s-]+?)\s*\(output `?(\w+)`?\)", match[2]):
        port = prose.port(name)
        if port is None or port.width_bits != 1:
            return None
        if re.search(r"clocked|always_ff|flip-?flop|registered", style):
            registers.append(Register(port.name, value))
        elif re.search(r"assign|combinational|always_comb", style):
            outputs[port.name] = value
        else:
            return None
    named = {*outputs, *(one.name for one in registers)}
    if named != {port.name for port in prose.interface.outputs} or (registers and clock is None):
        return None
    prose.drop(r"(?:note )?(?:that )?(?:the )?clocked always block .*flip-?\s?flop so the output is delayed")
    return Circuit(outputs=outputs, registers=tuple(registers), clock=clock.name if clock and registers else "")


def _kind(word: str) -> str:
    return {"exclusive-or": "xor", "exclusive or": "xor", "exclusive-nor": "xnor", "exclusive nor": "xnor"}.get(
        word, word
    )


def _gate_inputs(prose: Prose) -> list[Expr] | None:
    inputs = prose.inputs
    if len(inputs) < 2 or any(port.width_bits != 1 for port in inputs):
        return None
    return [prose.whole(port) for port in inputs]


def _is_count(text: str, inputs: list[Expr]) -> bool:
    match = re.match(r"(\w+)[- ]input", text)
    return match is None or number(match[1]) == len(inputs)


def read_reductions(prose: Prose) -> Circuit | None:
    """Gates over all bits of one vector, an output each: `out_and: output of a 100-input AND gate`."""
    if len(prose.inputs) != 1 or prose.inputs[0].width_bits < 2:
        return None
    vector = prose.inputs[0]
    outputs: dict[str, Expr] = {}
    for port in prose.interface.outputs:
        name = re.escape(port.name.lower())
        match = prose.take(rf"`?{name}`? ?[:=-]+ ?(?:the )?output of (?:an? )?(?:(\d+)-input )?{_KIND} +gate")
        if match is None or (match[1] and int(match[1]) != vector.width_bits) or port.width_bits != 1:
            return None
        kind = _kind(match[2])
        value = reduce(
            {"and": "&", "or": "|", "xor": "^"}[kind.removeprefix("n") if kind != "xnor" else "xor"],
            prose.whole(vector),
        )
        outputs[port.name] = value if kind in ("and", "or", "xor") else inverse(value)
    prose.drop(
        r"(?:combinational circuit |circuit )?with \d+ inputs,? `?\w+`?(?:\[\d+:\d+\])?",
        r"there are (?:\d+|two|three) outputs",
    )
    return Circuit(outputs=outputs) if outputs else None


def read_function(prose: Prose) -> Circuit | None:
    """Boolean functions as they are written, `z = (x ^ y) & x`, one for each output."""
    outputs: dict[str, Expr] = {}
    for port in prose.interface.outputs:
        name = re.escape(port.name.lower())
        match = prose.take(
            rf"(?:(?:the )?(?:boolean|logic(?:al)?) )?(?:function|equation|expression)? ?`?{name}`? ?= ?(.+)"
        )
        value = boolean(match[1], prose.interface) if match is not None else None
        if value is None or value.width != port.width_bits:
            return None
        outputs[port.name] = value
    return Circuit(outputs=outputs)
