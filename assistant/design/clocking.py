"""Which inputs of a module are clocks and which are resets, by how its processes use them.

A process wakes by the edges that its event control names. The signal among them that the process also asks about is an
asynchronous reset, the other one a clock (IEEE 1800-2017, 9.2.2.4; IEEE 1364.1, 5.2). Both are followed through
instances and assignments up to the inputs of the module that is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyslang import ast

from veriloop.assistant.design.assignments import Body, read_body
from veriloop.assistant.design.elaborate import Elaboration, members

CLOCK_NAME = re.compile(r"clk|clock|(?:^|_)c?ck(?:_|$)", re.I)
RESET_NAME = re.compile(r"rst|reset|(?:^|_)(?:a?clr(?:_?n|b)?|a?clear|por|res_n)(?:_|$)", re.I)
_LOW_NAME = re.compile(r"_?n$|_n_|^n_?r|_b$|_ni$|_l$", re.I)
_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockInput:
    """An input by whose edges processes wake."""

    name: str
    rising: bool = True
    falling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetInput:
    """An input that brings registers to a known value."""

    name: str
    active_low: bool
    asynchronous: bool = False
    by_name: bool = False
    """Only its name says so, and which way it is active."""

    @property
    def active(self) -> int:
        """The value that resets."""
        return 0 if self.active_low else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocking:
    """The clocks and resets of a module, in the order of its ports."""

    clocks: tuple[ClockInput, ...] = ()
    resets: tuple[ResetInput, ...] = ()
    registers: bool = False
    """Whether some process wakes by an edge at all."""
    quiet: frozenset[str] = frozenset()
    """Ports of both directions that nothing in the design drives: they are inputs."""
    resets_all: bool = False
    """Whether a reset certainly brings everything that is kept to one state, and does nothing else: every process is
    clocked, and in its reset branch assigns unconditionally all that it assigns elsewhere; nothing else reads it."""


@dataclass(slots=True)
class _Edges:
    """What was seen of the signals of one instance."""

    clocks: dict[str, set[str]] = field(default_factory=dict)
    """Signal to the edges that clock something, `rising` or `falling`."""
    resets: dict[str, bool] = field(default_factory=dict)
    """Asynchronous resets; true where they are active low."""
    asked: dict[str, bool] = field(default_factory=dict)
    """What the outermost condition of a clocked process asks about; true where it holds at 0."""
    registers: set[str] = field(default_factory=set)
    resets_all: bool = True


def read_clocking(elaboration: Elaboration, module: str) -> Clocking:
    """The clocks and resets of a module of an elaborated design."""
    top = elaboration.bodies.get(module)
    if top is None:
        return Clocking()
    start = top.hierarchicalPath
    inside = {
        path: instance
        for path, instance in elaboration.instances.items()
        if path == start or path.startswith(f"{start}.")
    }
    bodies = {path: read_body(elaboration, instance) for path, instance in inside.items()}
    edges = {path: _edges(instance) for path, instance in inside.items()}
    found = elaboration.modules[module]
    inputs = {port.name: port for port in found.ports if port.direction == "input" and port.width_bits == 1}
    clocks: dict[str, set[str]] = {}
    resets: dict[str, tuple[bool, bool]] = {}
    for path, seen in edges.items():
        for name, kinds in seen.clocks.items():
            for origin in _origins(path, name, start, bodies, edges) & inputs.keys():
                clocks.setdefault(origin, set()).update(kinds)
        for name, low in seen.resets.items():
            for origin in _origins(path, name, start, bodies, edges) & inputs.keys():
                resets.setdefault(origin, (low, True))
        for name, low in seen.asked.items():
            for origin in _origins(path, name, start, bodies, edges) & inputs.keys():
                if RESET_NAME.search(origin):
                    resets.setdefault(origin, (low, False))
    clocks = _without_enables(clocks)
    return Clocking(
        clocks=tuple(
            ClockInput(name=name, rising="rising" in clocks[name], falling="falling" in clocks[name])
            for name in inputs
            if name in clocks
        ),
        resets=tuple(_resets(inputs, clocks, resets)),
        quiet=frozenset(
            port.name
            for port in found.ports
            if port.direction == "inout"
            and not bodies[start].drivers.get(port.name)
            and not bodies[start].driven_by.get(port.name)
        ),
        registers=any(seen.registers for seen in edges.values()),
        resets_all=len(resets) == 1 and all(seen.resets_all for seen in edges.values()),
    )


def _resets(
    inputs: Iterable[str], clocks: dict[str, set[str]], resets: dict[str, tuple[bool, bool]]
) -> Iterator[ResetInput]:
    for name in inputs:
        if name in clocks:
            continue
        if name in resets:
            low, asynchronous = resets[name]
            yield ResetInput(name=name, active_low=low, asynchronous=asynchronous)
        elif RESET_NAME.search(name) and clocks:
            yield ResetInput(name=name, active_low=bool(_LOW_NAME.search(name)), by_name=True)


def _without_enables(clocks: dict[str, set[str]]) -> dict[str, set[str]]:
    """Of the inputs that a gated clock comes from, those that are named as clocks; all where none is."""
    named = {name: edges for name, edges in clocks.items() if CLOCK_NAME.search(name)}
    return named or clocks


def _edges(instance: ast.InstanceSymbol) -> _Edges:
    found = _Edges()
    read: set[str] = set()
    for _, symbol in members(instance.body):
        if isinstance(symbol, ast.ProceduralBlockSymbol):
            if isinstance(symbol.body, ast.TimedStatement):
                _process(symbol.body, found)
            else:
                # An initial value does not matter once everything is reset; what is not clocked may be a latch.
                found.resets_all &= symbol.procedureKind == ast.ProceduralBlockKind.Initial
        elif isinstance(symbol, ast.ContinuousAssignSymbol):
            read |= _names(symbol.assignment)
    found.resets_all &= not read & (found.resets.keys() | found.asked.keys())
    return found


def _process(statement: ast.TimedStatement, found: _Edges) -> None:
    events = [(name, kind) for name, kind in _events(statement.timing)]
    if not events:
        found.resets_all = False
        return
    body = statement.stmt
    condition = _outermost(body)
    asked = dict(_polarities(condition)) if condition is not None else {}
    mentioned = _mentioned(body)
    resets = {name for name, _ in events if len(events) > 1 and name in mentioned}
    if resets == {name for name, _ in events}:
        resets = {name for name in resets if not CLOCK_NAME.search(name)}
    for name, kind in events:
        if name in resets:
            found.resets.setdefault(name, asked.get(name, kind == "falling"))
        else:
            found.clocks.setdefault(name, set()).update(("rising", "falling") if kind == "both" else (kind,))
    for name, low in asked.items():
        if name not in resets:
            found.asked.setdefault(name, low)
    found.registers |= _written(body)
    synchronous = {name for name in asked if RESET_NAME.search(name)}
    found.resets_all &= _resets_everything(body, resets or synchronous)


def _resets_everything(body: ast.Statement, resets: set[str]) -> bool:
    """Whether a process asks about its one reset first and only then, and assigns as a whole all that it assigns."""
    statement: ast.Statement | None = body
    while isinstance(statement, ast.BlockStatement):
        statement = statement.body
    if not isinstance(statement, ast.ConditionalStatement) or len(statement.conditions) != 1 or len(resets) != 1:
        return False
    asked = list(_polarities(statement.conditions[0].expr))
    whole: set[str] = set()

    def note(inner: object) -> None:
        if isinstance(inner, ast.AssignmentExpression) and isinstance(inner.left, ast.NamedValueExpression):
            whole.add(inner.left.symbol.name)

    statement.ifTrue.visit(note)
    after = statement.ifFalse
    return (
        len(asked) == 1
        and asked[0][0] in resets
        and _written(body) <= whole
        and not _branches(statement.ifTrue)
        and (after is None or not resets & _names(after))
    )


def _branches(statement: ast.Statement) -> bool:
    found = False

    def note(inner: object) -> None:
        nonlocal found
        found |= isinstance(inner, ast.ConditionalStatement | ast.CaseStatement | ast.ConditionalExpression)

    statement.visit(note)
    return found


_EDGES = {ast.EdgeKind.PosEdge: "rising", ast.EdgeKind.NegEdge: "falling", ast.EdgeKind.BothEdges: "both"}


def _events(timing: ast.TimingControl | None) -> Iterator[tuple[str, str]]:
    if isinstance(timing, ast.EventListControl):
        for event in timing.events:
            yield from _events(event)
    elif isinstance(timing, ast.SignalEventControl) and timing.edge in _EDGES:
        kind = _EDGES[timing.edge]
        for name in _names(timing.expr):
            yield name, kind


def _outermost(statement: ast.Statement | None) -> ast.Expression | None:
    """The condition of the `if` that a process consists of, or that comes first in it."""
    while statement is not None:
        if isinstance(statement, ast.BlockStatement):
            statement = statement.body
        elif isinstance(statement, ast.StatementList):
            statement = next(
                (inner for inner in statement.list if isinstance(inner, ast.ConditionalStatement | ast.BlockStatement)),
                None,
            )
        elif isinstance(statement, ast.ConditionalStatement):
            return statement.conditions[0].expr if len(statement.conditions) == 1 else None
        else:
            return None
    return None


def _polarities(condition: ast.Expression, low: bool = False) -> Iterator[tuple[str, bool]]:
    """The signals that a condition asks about, each with whether it holds at 0."""
    if isinstance(condition, ast.ConversionExpression):
        yield from _polarities(condition.operand, low)
    elif isinstance(condition, ast.NamedValueExpression):
        yield condition.symbol.name, low
    elif isinstance(condition, ast.UnaryExpression):
        if condition.op in (ast.UnaryOperator.LogicalNot, ast.UnaryOperator.BitwiseNot):
            yield from _polarities(condition.operand, not low)
    elif isinstance(condition, ast.BinaryExpression):
        if condition.op in _EQUALITIES:
            for side, other in ((condition.left, condition.right), (condition.right, condition.left)):
                value = _constant(other)
                if value is not None:
                    yield from _polarities(side, low ^ (value == 0) ^ (condition.op in _INEQUALITIES))
        elif condition.op in _JOINED:
            yield from _polarities(condition.left, low)
            yield from _polarities(condition.right, low)


_INEQUALITIES = (ast.BinaryOperator.Inequality, ast.BinaryOperator.CaseInequality)
_EQUALITIES = (ast.BinaryOperator.Equality, ast.BinaryOperator.CaseEquality, *_INEQUALITIES)
_JOINED = (
    ast.BinaryOperator.LogicalAnd,
    ast.BinaryOperator.LogicalOr,
    ast.BinaryOperator.BinaryAnd,
    ast.BinaryOperator.BinaryOr,
)


def _constant(expression: ast.Expression) -> int | None:
    while isinstance(expression, ast.ConversionExpression):
        expression = expression.operand
    if isinstance(expression, ast.IntegerLiteral | ast.UnbasedUnsizedIntegerLiteral):
        text = str(expression.value)
        digits = text.rsplit("'", 1)[-1].lstrip("bhdosBHDOS")
        return 0 if digits.strip("0_") == "" else 1
    return None


def _mentioned(statement: ast.Statement | None) -> set[str]:
    return _names(statement) if statement is not None else set()


def _names(node: ast.Statement | ast.Expression) -> set[str]:
    found: set[str] = set()

    def note(inner: object) -> None:
        if isinstance(inner, ast.NamedValueExpression):
            found.add(inner.symbol.name)

    node.visit(note)
    return found


def _written(statement: ast.Statement | None) -> set[str]:
    found: set[str] = set()

    def note(inner: object) -> None:
        if isinstance(inner, ast.AssignmentExpression):
            found.update(_names(inner.left))

    if statement is not None:
        statement.visit(note)
    return found


def _origins(path: str, name: str, start: str, bodies: dict[str, Body], edges: dict[str, _Edges]) -> set[str]:
    """The names in the module at the top that a signal comes from without a register in between."""
    known = {(path, name)}
    waiting = [(path, name)]
    found: set[str] = set()
    for _ in range(_MOST_STEPS):
        if not waiting:
            break
        at, signal = waiting.pop()
        if at == start:
            found.add(signal)
        if signal in edges[at].registers:
            continue
        for before in _before(at, signal, start, bodies):
            if before not in known:
                known.add(before)
                waiting.append(before)
    return found


def _before(path: str, name: str, start: str, bodies: dict[str, Body]) -> Iterator[tuple[str, str]]:
    body = bodies[path]
    for read in body.reads.get(name, ()):
        yield path, read
    for relative, link in body.driven_by.get(name, ()):
        if f"{path}.{relative}" in bodies:
            yield f"{path}.{relative}", link.port
    if path == start:
        return
    parent = path.rpartition(".")[0]
    while parent not in bodies:
        parent = parent.rpartition(".")[0]
    for link in bodies[parent].children.get(path[len(parent) + 1 :], ()):
        if link.port == name:
            yield from ((parent, read) for read in link.reads)
