"""Adders of all kinds."""

from __future__ import annotations

import re

from veriloop.assistant.generate.interface import PortDeclaration
from veriloop.assistant.generate.prose.circuit import Circuit, Expr, arithmetic, bitwise, compared, extended, name
from veriloop.assistant.generate.prose.specification import Prose

_CARRY_OUT = re.compile(r"c(?:arry)?_?o(?:ut)?|cout|carry|c_?out|overflow|ovf", re.I)
_CARRY_IN = re.compile(r"c(?:arry)?_?i(?:n)?|cin", re.I)


def read_half_adder(prose: Prose) -> Circuit | None:
    """Two bits to sum and carry."""
    if prose.take(r"half[- ]adder(?: circuit)?") is None:
        return None
    prose.drop(
        r"half adder adds two bits \(with no carry-in\) and produces a sum and (?:a )?carry(?:-out)?",
        r"(?:it )?adds two bits \(?(?:with no carry-in)?\)? ?and produces a sum and (?:a )?carry(?:-out)?",
    )
    return _bits(prose, carry_in=False)


def read_full_adder(prose: Prose) -> Circuit | None:
    """Three bits to sum and carry."""
    if prose.take(r"full[- ]adder(?: circuit)?") is None:
        return None
    prose.drop(
        r"full adder adds three bits \(including carry-in\) and produces a sum and (?:a )?carry(?:-out)?",
        r"(?:it )?adds three bits \(?(?:including carry-in)?\)? ?and produces a sum and (?:a )?carry(?:-out)?",
    )
    return _bits(prose, carry_in=True)


def _bits(prose: Prose, *, carry_in: bool) -> Circuit | None:
    inputs, outputs = prose.inputs, prose.interface.outputs
    wanted = 3 if carry_in else 2
    if len(inputs) != wanted or len(outputs) != 2 or any(port.width_bits != 1 for port in (*inputs, *outputs)):
        return None
    carry = [port for port in outputs if _CARRY_OUT.fullmatch(port.name)]
    total = [port for port in outputs if port not in carry]
    if len(carry) != 1:
        return None
    bits = [prose.whole(port) for port in inputs]
    pairs = [bitwise("&", [bits[a], bits[b]]) for a in range(wanted) for b in range(a)]
    return Circuit(outputs={total[0].name: bitwise("^", bits), carry[0].name: bitwise("|", pairs)})


def read_adder(prose: Prose) -> Circuit | None:
    """Two numbers and perhaps a carry to their sum, with the carry in the sum or beside it."""
    match = prose.take(
        r"(?:an? )?(\d+)-bit (?:full |binary |unsigned |ripple[- ]carry )*adder(?: with (?:full adders|(?:multiple )?bit-level adders|carry[- ]in(?: and carry[- ]out)?))?(?: in combinational logic)?"
    )
    if match is None:
        return None
    width = int(match[1])
    operands = [port for port in prose.inputs if port.width_bits == width and width > 1]
    carries = [port for port in prose.inputs if port not in operands]
    if (
        len(operands) != 2
        or len(carries) > 1
        or any(not _CARRY_IN.fullmatch(port.name) or port.width_bits > 1 for port in carries)
    ):
        return None
    prose.drop(
        r"(?:the )?output `?\w+`? should include the overflow bit",
        r"(?:the )?(?:output )?sum (?:should )?includes? the (?:overflow|carry)(?: bit)?",
        r"utilizes a series of bit-level adders \(full adders\) to perform the addition operation",
        r"(?:in the \w+ module, )?you need to (?:design )?(?:a )?small bit-width adder ?\(\d+-bit adder\), which will be instantiated multiple times",
        r"in the \w+ module, you need to design a small bit-width adder ?\(\d+-bit adder\), which will be instantiated multiple times",
    )
    total = _total(prose, operands, carries, width + 1)
    return _spread(prose, total, width)


def _total(prose: Prose, operands: list[PortDeclaration], carries: list[PortDeclaration], width: int) -> Expr:
    total = arithmetic("+", *(extended(prose.whole(port), width) for port in operands))
    for port in carries:
        total = arithmetic("+", total, extended(prose.whole(port), width))
    return total


def _spread(prose: Prose, total: Expr, width: int) -> Circuit | None:
    """The sum on one output with the carry in it, or on two."""
    outputs = prose.interface.outputs
    if len(outputs) == 1 and outputs[0].width_bits == width + 1:
        return Circuit(outputs={outputs[0].name: total})
    sums = [port for port in outputs if port.width_bits == width]
    carry = [port for port in outputs if port.width_bits == 1 and _CARRY_OUT.fullmatch(port.name)]
    if len(outputs) != 2 or len(sums) != 1 or len(carry) != 1:
        return None
    wide = PortDeclaration(name="total", direction="output", width_bits=width + 1)
    inner = Expr(width + 1, "total", total.value, atom=True)
    low = Expr(width, f"total[{width - 1}:0]", lambda values: inner.value(values) & ((1 << width) - 1), atom=True)
    high = Expr(1, f"total[{width}]", lambda values: inner.value(values) >> width, atom=True)
    return Circuit(
        outputs={sums[0].name: low, carry[0].name: high},
        raw=f"  logic [{wide.msb}:0] total;\n  assign total = {total.text};",
    )


def read_comparator(prose: Prose) -> Circuit | None:
    """Greater, equal, less of two numbers, each on an output that says so by its name."""
    match = prose.take(r"(\d+)-bit comparator(?: for comparing binary numbers)?")
    if match is None or len(prose.inputs) != 2 or any(port.width_bits != int(match[1]) for port in prose.inputs):
        return None
    prose.drop(
        r"(?:comparison logic: )?(?:the module )?compares the two \d+-bit binary numbers `?\w+`? and `?\w+`? using combinational logic",
        r"comparison logic: the module compares the two \d+-bit binary numbers \w+ and \w+ using combinational logic",
        r"(?:the )?outputs .* are determined based on the comparison of \w+ and \w+",
        r"output encoding: the outputs are mutually exclusive, meaning only one of the three outputs will be high \(1\) at any given time, based on the comparison results",
    )
    return _named_comparisons(prose)


def _named_comparisons(prose: Prose) -> Circuit | None:
    a, b = prose.inputs
    sentence = prose.take(r".*is set to 1 if .*")
    if sentence is None:
        return None
    found: dict[str, Expr] = {}
    for target, left, sign, right in re.findall(
        r"`?(\w+)`? is set to 1 if `?(\w+)`? ?(==|=|>=|<=|>|<) ?`?(\w+)`?", sentence[0]
    ):
        port, one, two = prose.port(target), prose.port(left), prose.port(right)
        if (
            port is None
            or one is None
            or two is None
            or port.width_bits != 1
            or {one.name, two.name} != {a.name, b.name}
        ):
            return None
        sign = "==" if sign == "=" else sign
        found[port.name] = compared(sign, name(one.name, one.width_bits), name(two.name, two.width_bits))
    return Circuit(outputs=found) if set(found) == {port.name for port in prose.interface.outputs} else None
