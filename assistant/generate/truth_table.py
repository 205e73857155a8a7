"""Combinational functions as data, and the RTL that they come to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from veriloop.assistant.generate.interface import Bit, Interface

_MOST_MINIMISED = 8
"""Inputs of the largest function that is minimised; larger ones stay tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthTable:
    """Values of some output bits for values of some input bits.

    A row's key is the word of the inputs, the first of them its highest bit; its value has a character an output:
    `0`, `1`, or `-` where anything will do. A row that is missing is free as well, unless `default` names its outputs.
    """

    inputs: tuple[Bit, ...]
    outputs: tuple[Bit, ...]
    rows: Mapping[int, str]
    default: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every input word has a row."""
        return self.default is not None or len(self.rows) == 1 << len(self.inputs)

    def row(self, word: int) -> str:
        """The outputs at an input word."""
        return self.rows.get(word, self.default or "-" * len(self.outputs))

    def merged(self, other: TruthTable) -> TruthTable:
        """Both tables' outputs; the inputs are the same.

        Raises:
            ValueError: they are not.
        """
        if self.inputs != other.inputs:
            raise ValueError("the tables have different inputs")
        words = {*self.rows, *other.rows}
        return TruthTable(
            inputs=self.inputs,
            outputs=(*self.outputs, *other.outputs),
            rows={word: self.row(word) + other.row(word) for word in sorted(words)},
        )

    def statements(self, interface: Interface | None = None) -> list[str]:
        """The RTL: an assignment an output, minimised, or one case where the table is large."""
        if len(self.inputs) <= _MOST_MINIMISED and len(self.outputs) <= 4:
            return [
                f"assign {output} = {expression(self.inputs, self._column(number))};"
                for number, output in enumerate(self.outputs)
            ]
        return self._case(interface)

    def _column(self, number: int) -> Mapping[int, str]:
        return {word: self.row(word)[number] for word in range(1 << len(self.inputs))}

    def _case(self, interface: Interface | None) -> list[str]:
        width, wide = len(self.inputs), len(self.outputs)
        selector, target = concatenation(self.inputs, interface), concatenation(self.outputs, interface)
        lines = ["always_comb", f"  case ({selector})"]
        for word, values in sorted(self.rows.items()):
            lines.append(f"    {width}'d{word}: {target} = {_literal(values)};")
        lines += [f"    default: {target} = {_literal(self.default or '0' * wide)};", "  endcase"]
        return lines


def _literal(values: str) -> str:
    """A constant; what may be anything is 0."""
    digits = values.replace("-", "0")
    return f"{len(digits)}'b{digits}" if len(digits) < 5 else f"{len(digits)}'h{int(digits, 2):x}"


def concatenation(bits: Sequence[Bit], interface: Interface | None = None) -> str:
    """Bits as one expression; those of a vector that follow one another as a range, or the vector if it is whole."""
    parts: list[str] = []
    for port, group in itertools.groupby(bits, key=lambda bit: bit.port):
        indices = [bit.index for bit in group]
        runs: list[list[int]] = []
        for index in indices:
            if index is None:
                parts.append(port)
            elif runs and runs[-1][-1] == index + 1:
                runs[-1].append(index)
            else:
                runs.append([index])
        declared = interface.port(port) if interface else None
        for run in runs:
            if declared is not None and len(run) == declared.width_bits:
                parts.append(port)
            else:
                parts.append(f"{port}[{run[0]}]" if len(run) == 1 else f"{port}[{run[0]}:{run[-1]}]")
    return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"


def expression(inputs: Sequence[Bit], values: Mapping[int, str]) -> str:
    """A short expression that has these values; `-` lets it choose.

    Sums of products and products of sums by Quine and McCluskey's method (sympy), exclusive or where it fits.
    """
    ones = [word for word, value in values.items() if value == "1"]
    zeros = [word for word, value in values.items() if value == "0"]
    if not ones:
        return "1'b0"
    if not zeros:
        return "1'b1"
    return _parity(inputs, values) or _minimised(inputs, values, ones)


def _parity(inputs: Sequence[Bit], values: Mapping[int, str]) -> str | None:
    """An exclusive or of two inputs or more; none if the function is something else."""
    for size in range(2, len(inputs) + 1):
        for chosen in itertools.combinations(range(len(inputs)), size):
            mask = sum(1 << (len(inputs) - 1 - place) for place in chosen)
            said = {str((word & mask).bit_count() & 1) == value for word, value in values.items() if value != "-"}
            if len(said) == 1:
                text = " ^ ".join(str(inputs[place]) for place in chosen)
                return text if said.pop() else f"~({text})"
    return None


def _minimised(inputs: Sequence[Bit], values: Mapping[int, str], ones: Sequence[int]) -> str:
    # sympy takes half a second to import, and most commands never get here.
    from sympy import Symbol
    from sympy.logic import POSform, SOPform

    symbols = [Symbol(f"v{number}") for number in range(len(inputs))]
    names = {f"v{number}": str(bit) for number, bit in enumerate(inputs)}
    free = [_digits(word, len(inputs)) for word, value in values.items() if value == "-"]
    terms = [_digits(word, len(inputs)) for word in ones]
    sums, products = (form(symbols, terms, free) for form in (SOPform, POSform))
    return min((_text(form, names) for form in (sums, products)), key=len)


def _digits(word: int, width: int) -> list[int]:
    return [word >> place & 1 for place in range(width - 1, -1, -1)]


def _text(formula: object, names: Mapping[str, str], *, inside: bool = False) -> str:
    from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not

    if isinstance(formula, BooleanTrue | BooleanFalse):
        return "1'b1" if formula else "1'b0"
    if isinstance(formula, Not):
        return f"~{_text(formula.args[0], names, inside=True)}"
    parts = getattr(formula, "args", ())
    if not parts:
        return names[str(formula)]
    operator = " & " if isinstance(formula, And) else " | "
    text = operator.join(sorted((_text(part, names, inside=True) for part in parts), key=_order))
    return f"({text})" if inside else text


def _order(text: str) -> tuple[int, str]:
    return (len(text), text.lstrip("~"))


def words(cubes: Iterable[str], width: int) -> list[int]:
    """The words that patterns of `0`, `1` and `-` stand for."""
    found: list[int] = []
    for cube in cubes:
        places = [place for place, character in enumerate(reversed(cube)) if character == "-"]
        base = int(cube.replace("-", "0") or "0", 2)
        for chosen in itertools.product((0, 1), repeat=len(places)):
            found.append(base | sum(bit << place for bit, place in zip(chosen, places, strict=True)))
    return [word for word in found if word < 1 << width]
