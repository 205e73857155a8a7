"""Waveforms in text: what they show, and the simplest circuit that shows the same.

A row is the signals at a time. A combinational circuit has one output word for each input word; a register takes, at an
edge, what its inputs were before the edge. What a waveform leaves open is settled by the simplest rule that fits all
of it, and the rule is named; where two rules fit that are as simple, there is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.text import bare_lines
from veriloop.assistant.generate.truth_table import TruthTable, expression
from veriloop.assistant.generate.wavedrom import read_wavedrom

_TIME = re.compile(r"\d+\s*(?:[munpf]?s)?|\d+", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waveform:
    """Values of signals over time; none where the text has an x."""

    names: tuple[str, ...]
    rows: tuple[Mapping[str, int | None], ...]


def read_waveform(text: str, interface: Interface) -> Waveform | None:
    """The waveform in a specification, as a table or in WaveDrom's notation; none if there is none, or it shows other
    signals than the ports.
    """
    drawn = read_wavedrom(text)
    if drawn is not None:
        same = set(drawn[0]) == {port.name for port in interface.ports}
        return Waveform(names=drawn[0], rows=drawn[1]) if same and _fits(drawn[1], interface) else None
    return _tabulated(text, interface)


def _fits(rows: Sequence[Mapping[str, int | None]], interface: Interface) -> bool:
    """Whether every value has room in its port."""
    return all((row[port.name] or 0) < 1 << port.width_bits for row in rows for port in interface.ports)


def _tabulated(text: str, interface: Interface) -> Waveform | None:
    names: tuple[str, ...] = ()
    rows: list[Mapping[str, int | None]] = []
    for line in bare_lines(text):
        cells = re.sub(r"\|", " ", line).split()
        if not names:
            if cells and cells[0].lower().startswith("time") and len(cells) > 2:
                names = tuple(re.sub(r"\[\d+:\d+\]", "", cell) for cell in cells[1:])
            continue
        if len(cells) != len(names) + 1 or not _TIME.fullmatch(cells[0]):
            if cells:
                break
            continue
        values = [_value(cell) for cell in cells[1:]]
        rows.append(dict(zip(names, (value for value, _ in values), strict=True)))
        if not all(fine for _, fine in values):
            return None
    known = {port.name for port in interface.ports}
    return Waveform(names=names, rows=tuple(rows)) if rows and set(names) == known else None


def _value(cell: str) -> tuple[int | None, bool]:
    if re.fullmatch(r"[xXzZ-]+", cell):
        return None, True
    return (int(cell, 16), True) if re.fullmatch(r"[0-9a-fA-F]+", cell) else (None, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """RTL that shows the waveform, and the rules by which it goes on where the waveform does not."""

    lines: str
    rules: tuple[str, ...] = ()


def explain(waveform: Waveform, interface: Interface) -> Explained | None:
    """The simplest circuit that shows a waveform; none if no simple one does."""
    parts: list[str] = []
    rules: list[str] = []
    clock = interface.clock
    for output in interface.outputs:
        found = _combinational(waveform, output, interface)
        if found is None and clock is not None:
            found = _clocked(waveform, output, clock, interface)
        if found is None:
            return None
        parts.append(found[0])
        rules += found[1]
    return Explained(lines="\n".join(parts), rules=tuple(rules))


Found = tuple[str, tuple[str, ...]]


def _sources(output: PortDeclaration, interface: Interface) -> tuple[PortDeclaration, ...]:
    """What an output may depend on beside the clock: the inputs, and the other outputs."""
    others = tuple(port for port in interface.outputs if port is not output)
    return tuple(port for port in interface.inputs if port is not interface.clock) + others


def _combinational(waveform: Waveform, output: PortDeclaration, interface: Interface) -> Found | None:
    inputs = tuple(port for port in interface.inputs if port is not interface.clock)
    for sources in (inputs, _sources(output, interface)):
        pairs = _pairs(([row[port.name] for port in sources], row[output.name]) for row in waveform.rows)
        if pairs is None or not pairs or any(None in words for words in pairs):
            continue
        function = _function(pairs, sources, output, interface)
        if function is not None:
            return function
    return None


def _pairs(rows: Iterator[tuple[list[int | None], int | None]]) -> dict[tuple[int | None, ...], int] | None:
    """Output by inputs; none if an input word has two outputs."""
    found: dict[tuple[int | None, ...], int] = {}
    for given, seen in rows:
        if seen is None or None in given:
            continue
        if found.setdefault(tuple(given), seen) != seen:
            return None
    return found


def _function(
    pairs: Mapping[tuple[int | None, ...], int],
    sources: Sequence[PortDeclaration],
    output: PortDeclaration,
    interface: Interface,
) -> Found | None:
    width = sum(port.width_bits for port in sources)
    if width <= 8 and len(pairs) == 1 << width:
        bits = tuple(bit for port in sources for bit in interface.bits(port))
        table = TruthTable(
            inputs=bits,
            outputs=interface.bits(output),
            rows={_word(key, sources): f"{value:0{output.width_bits}b}" for key, value in pairs.items()},
        )
        return "\n".join(f"  {line}" for line in table.statements(interface)), ()
    return _selection(pairs, sources, output)


def _word(key: tuple[int | None, ...], sources: Sequence[PortDeclaration]) -> int:
    word = 0
    for value, port in zip(key, sources, strict=True):
        word = word << port.width_bits | (value or 0)
    return word


def _selection(
    pairs: Mapping[tuple[int | None, ...], int], sources: Sequence[PortDeclaration], output: PortDeclaration
) -> Found | None:
    """One input selects: the output is the held value of another input, or else a constant."""
    moving = [number for number in range(len(sources)) if len({key[number] for key in pairs}) > 1]
    held = [number for number in range(len(sources)) if number not in moving]
    if len(moving) != 1 or not held:
        return None
    selector = sources[moving[0]]
    example = next(iter(pairs))
    by_value = {example[number]: sources[number] for number in held if sources[number].width_bits == output.width_bits}
    if len(by_value) != len(held) or len(pairs) != 1 << selector.width_bits:
        return None
    taken = {key[moving[0]]: by_value.get(value) for key, value in pairs.items()}
    constants = {value for value in pairs.values() if value not in by_value}
    if len(constants) > 1 or {port for port in taken.values() if port} != set(by_value.values()):
        return None
    lines = ["  always_comb begin", f"    case ({selector.name})"]
    for value, port in sorted(taken.items(), key=lambda one: one[0] or 0):
        if port is not None:
            lines.append(f"      {selector.width_bits}'d{value}: {output.name} = {port.name};")
    rest = f"{output.width_bits}'h{constants.pop():x}" if constants else f"{output.width_bits}'d0"
    lines += [f"      default: {output.name} = {rest};", "    endcase", "  end"]
    rule = f"{output.name} follows the input whose value it shows, selected by {selector.name}"
    return "\n".join(lines), (rule,)


def _clocked(waveform: Waveform, output: PortDeclaration, clock: PortDeclaration, interface: Interface) -> Found | None:
    steps = list(zip(waveform.rows, waveform.rows[1:], strict=False))
    for edge, fell in (("posedge", (0, 1)), ("negedge", (1, 0))):
        at = [(a, b) for a, b in steps if (a[clock.name], b[clock.name]) == fell]
        others = [(a, b) for a, b in steps if (a[clock.name], b[clock.name]) != fell]
        changed = [1 for a, b in others if a[output.name] is not None and a[output.name] != b[output.name]]
        if not at or changed:
            continue
        found = _register(at, output, f"always_ff @({edge} {clock.name})", interface)
        if found is not None:
            return found
    return _latch(waveform, output, clock, interface)


def _latch(waveform: Waveform, output: PortDeclaration, clock: PortDeclaration, interface: Interface) -> Found | None:
    """A latch that lets one input through at a level of the clock."""
    for level in (1, 0):
        for source in interface.data:
            if source.width_bits != output.width_bits:
                continue
            open_ = [row for row in waveform.rows if row[clock.name] == level and row[output.name] is not None]
            through = all(row[output.name] == row[source.name] for row in open_)
            steps = zip(waveform.rows, waveform.rows[1:], strict=False)
            shut = [(a, b) for a, b in steps if b[clock.name] == 1 - level and a[output.name] is not None]
            # A row shows values after the change; at the closing edge the latch keeps what it had before.
            holds = all(a[output.name] == b[output.name] for a, b in shut)
            moved = any(row[source.name] != row[output.name] for row in waveform.rows if row[output.name] is not None)
            if open_ and shut and through and holds and moved:
                condition = clock.name if level else f"!{clock.name}"
                line = f"  always_latch if ({condition}) {output.name} = {source.name};"
                return line, (f"{output.name} is a latch of {source.name}, open while {clock.name} is {level}",)
    return None


Step = tuple[Mapping[str, int | None], Mapping[str, int | None]]


def _register(at: Sequence[Step], output: PortDeclaration, process: str, interface: Interface) -> Found | None:
    """A register: for each word of the inputs, the simplest rule from its old value to its new one."""
    for sources in (interface.data, _sources(output, interface)):
        width = sum(port.width_bits for port in sources)
        if width > 4:
            continue
        groups: dict[tuple[int, ...], list[tuple[int | None, int]]] = {}
        for before, after in at:
            given = [before[port.name] for port in sources]
            new = after[output.name]
            if new is None or None in given:
                continue
            groups.setdefault(tuple(value for value in given if value is not None), []).append(
                (before[output.name], new)
            )
        found = _rules(groups, sources, output, process)
        if found is not None:
            return found
    return None


def _rules(
    groups: Mapping[tuple[int, ...], list[tuple[int | None, int]]],
    sources: Sequence[PortDeclaration],
    output: PortDeclaration,
    process: str,
) -> Found | None:
    chosen: dict[tuple[int, ...], tuple[str, bool]] = {}
    for key, pairs in groups.items():
        rule = _simplest(pairs, output)
        if rule is None:
            return None
        chosen[key] = rule
    width = sum(port.width_bits for port in sources)
    if len(chosen) != 1 << width or not chosen:
        return None
    texts = {key: rule for key, (rule, _) in chosen.items()}
    rules = tuple(
        f"{output.name} goes on as {rule} where the waveform does not show it"
        for rule, extended in dict.fromkeys(chosen.values())
        if extended
    )
    if len(set(texts.values())) == 1:
        return f"  {process} {output.name} <= {next(iter(texts.values()))};", rules
    if output.width_bits == 1 and (plain := _by_table(texts, sources, output)) is not None:
        return f"  {process} {output.name} <= {plain};", rules
    selector = "{" + ", ".join(port.name for port in sources) + "}" if len(sources) > 1 else sources[0].name
    if len(texts) == 2 and width == 1:
        return f"  {process} {output.name} <= {selector} ? {texts[(1,)]} : {texts[(0,)]};", rules
    lines = [f"  {process}", f"    case ({selector})"]
    lines += [f"      {width}'d{_word(key, sources)}: {output.name} <= {rule};" for key, rule in sorted(texts.items())]
    return "\n".join([*lines, "    endcase"]), rules


def _by_table(
    texts: Mapping[tuple[int, ...], str], sources: Sequence[PortDeclaration], output: PortDeclaration
) -> str | None:
    """A minimised expression where every rule is a constant, the old value, or its complement."""
    if any(port.width_bits > 1 for port in sources):
        return None
    meaning: Mapping[str, Callable[[int], int]] = {
        "1'd0": lambda old: 0,
        "1'd1": lambda old: 1,
        output.name: lambda old: old,
        f"~{output.name}": lambda old: 1 - old,
    }
    if set(texts.values()) - set(meaning):
        return None
    values = {_word(key, sources) << 1 | old: str(meaning[rule](old)) for key, rule in texts.items() for old in (0, 1)}
    return expression([*(Bit(port.name) for port in sources), Bit(output.name)], values)


def _simplest(pairs: Sequence[tuple[int | None, int]], output: PortDeclaration) -> tuple[str, bool] | None:
    """The simplest rule from old to new value, and whether it says more than was seen; none if none fits."""
    width, name = output.width_bits, output.name
    mask = (1 << width) - 1
    known = {(old, new) for old, new in pairs if old is not None}
    olds = {old for old, _ in known}
    news = {new for _, new in pairs}
    if len(news) == 1:
        constant = next(iter(news))
        # Whatever the old value was, x included: seen for all of them, or for one that could be any.
        certain = any(old is None for old, _ in pairs) or len(olds) == mask + 1
        if certain or len(olds) > 1 or all(old != new for old, new in known):
            return f"{width}'d{constant}", not certain
    everywhere = len(olds) == mask + 1
    if all(new == old for old, new in known) and known:
        return name, not everywhere
    if all(new == old ^ mask for old, new in known) and known and width == 1:
        return f"~{name}", not everywhere
    for text, step in ((f"{name} + {width}'d1", 1), (f"{name} - {width}'d1", -1)):
        wrong = {(old, new) for old, new in known if new != (old + step) & mask}
        if not wrong and known:
            return text, not everywhere
        if len(wrong) == 1 and len(known) >= 3:
            old, new = next(iter(wrong))
            return f"({name} == {width}'d{old}) ? {width}'d{new} : {text}", not everywhere
    return None
