"""What the text of a module leaves open, or what an explanation could get wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veriloop.assistant.explain.blocks import listed, surely_written
from veriloop.assistant.explain.facts import ModuleFacts

_HANDSHAKE = re.compile(r"(\w*?)_?(valid|vld)(_?\w*)", re.I)


def doubts(facts: ModuleFacts) -> Iterator[str]:
    """One line each."""
    yield from _unread(facts)
    yield from _missing(facts)
    yield from _undriven(facts)
    yield from _several(facts)
    yield from _latches(facts)
    yield from _unreset(facts)
    yield from _crossings(facts)
    yield from _names(facts)


def _unread(facts: ModuleFacts) -> Iterator[str]:
    module = facts.structure.module
    tree = facts.structure.tree
    gaps = sorted(
        {tree.line(gap.start_byte) for gap in tree.gaps if module.start_byte <= gap.start_byte < module.end_byte}
    )
    if gaps:
        yield f"the text around line{'s' if len(gaps) > 1 else ''} {listed(list(map(str, gaps)))} could not be parsed"
    if facts.name not in facts.elaboration.modules:
        yield "the module did not elaborate here, so widths and parameters are as written, and cones are left out"
    macros = facts.macros(module)
    if macros:
        yield f"what the macros {listed(list(macros))} stand for is not shown"


def _missing(facts: ModuleFacts) -> Iterator[str]:
    text = facts.structure.tree.text
    used = {text(node.children[0]) for node in facts.instances}
    gone = sorted(used & set(facts.elaboration.missing_modules))
    if gone:
        yield f"{listed(gone)} is in no file that was read: what it does, and which ports are outputs, is unknown"


def _undriven(facts: ModuleFacts) -> Iterator[str]:
    written = {name for write in facts.writes for name in write.assignment.targets}
    connected = {name for node in facts.instances for name in facts.structure.names(node)}
    read = {name for write in facts.writes for name in write.assignment.reads}
    for name, declared in facts.structure.signals.items():
        if declared.direction in ("input", "inout") or name in written or name in connected:
            continue
        if declared.direction == "output":
            yield f"nothing here drives the output {name}"
        elif name in read:
            yield f"{name} is read, and nothing here drives it"


def _several(facts: ModuleFacts) -> Iterator[str]:
    for name in facts.structure.signals:
        homes = {
            write.assignment.process.node.start_byte if write.assignment.process else write.assignment.node.start_byte
            for write in facts.written(name)
            if write.assignment.process is None or write.assignment.process.kind != "initial"
        }
        whole = [write for write in facts.written(name) if facts.structure.tree.text(write.assignment.target) == name]
        if len(homes) > 1 and whole:
            yield f"{name} is driven from {len(homes)} places: which one wins depends on the simulator"


def _latches(facts: ModuleFacts) -> Iterator[str]:
    for process in facts.structure.processes:
        if process.kind != "combinational" or facts.timing_of(process).clock is not None:
            continue
        whole = surely_written(facts, process.node)
        for name in dict.fromkeys(
            name
            for one in facts.structure.assignments
            if one.process is not None and one.process.node.start_byte == process.node.start_byte
            for name in one.targets
        ):
            if name not in whole and name in facts.structure.signals:
                line = facts.line(process.node)
                yield f"{name} is not set on every path of the process at line {line}: a latch, meant or not"


def _unreset(facts: ModuleFacts) -> Iterator[str]:
    started = {
        name
        for write in facts.writes
        if (write.assignment.process and write.assignment.process.kind == "initial")
        or write.assignment.kind == "declaration"
        for name in write.assignment.targets
    }
    bare = [
        name
        for name in facts.registers
        if name not in started and not any(_constant(facts, write.assignment.value) for write in facts.written(name))
    ]
    if bare:
        yield f"no reset and no initial value: {listed(bare)} is unknown until it is first written"


def _constant(facts: ModuleFacts, value: object) -> bool:
    text = facts.structure.tree.text(value).strip()  # type: ignore[arg-type]
    return bool(re.fullmatch(r"(\d*'s?[bodhBODH]?[\w?]+|\d+|\{.*\{?\d*'?[bdh]?[01]\}*\}?)", text)) or (
        text in facts.structure.parameters or (text in facts.signals and facts.signals[text].kind == "enum value")
    )


def _crossings(facts: ModuleFacts) -> Iterator[str]:
    clocks = {name: facts.clocks(name) for name in facts.registers}
    for write in facts.writes:
        here = write.timing.clock if write.timing else None
        if here is None:
            continue
        for name in sorted(write.assignment.reads):
            other = clocks.get(name, ())
            if other and all(edge.signal != here.signal for edge in other):
                target = write.assignment.targets[0]
                yield f"{name} is written at {other[0]} and read at {here} by {target}: a crossing between two clocks"


def _names(facts: ModuleFacts) -> Iterator[str]:
    for name in facts.structure.signals:
        match = _HANDSHAKE.fullmatch(name)
        if match is None:
            continue
        ready = next(
            (one for word in ("ready", "rdy") if (one := name.replace(match[2], word)) in facts.structure.signals), ""
        )
        if ready:
            yield f"{name} and {ready} look like a handshake by their names alone; the other side is not here"
