"""What the assignments of a module read and write, from its elaborated statements.

A port connection is an assignment (IEEE 1800-2017 23.3.3), and so are a declaration's initial value, a gate's output
and what a subroutine copies in and out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from pyslang import ast

from veriloop.assistant.design.elaborate import Elaboration, child_instances, members
from veriloop.assistant.design.model import Span

Names: TypeAlias = frozenset[str]

_NONE: Names = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A port of an instance and what the parent connects to it; names are relative to the child and the parent."""

    port: str
    drives: Names
    """The parent's signals that the child writes."""
    reads: Names
    """The parent's signals that the child reads."""


@dataclass(slots=True)
class Body:
    """What the assignments of a module read and write; names are relative to the module."""

    module: str
    reads: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    drivers: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    children: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    """Relative instance path to its connections."""
    driven_by: dict[str, list[tuple[str, Link]]] = field(default_factory=lambda: defaultdict(list))
    """A signal to the instances that write it."""


def read_body(elaboration: Elaboration, instance: ast.InstanceSymbol) -> Body:
    """The assignments of an instance's own module; those of the instances in it are not followed."""
    return _Reader(elaboration, instance).read()


class _Reader:
    """Reads the assignments of one instance's body."""

    def __init__(self, elaboration: Elaboration, instance: ast.InstanceSymbol) -> None:
        self._elaboration = elaboration
        self._instance = instance
        self._prefix = f"{instance.body.hierarchicalPath}."
        self._body = Body(module=instance.definition.name)
        self._result = _NONE
        """What `return` writes."""

    def read(self) -> Body:
        for _, symbol in members(self._instance.body):
            self._symbol(symbol)
        for child in child_instances(self._instance.body):
            self._child(child)
        return self._body

    def _symbol(self, symbol: ast.Symbol) -> None:
        if isinstance(symbol, ast.ContinuousAssignSymbol):
            self._expression(symbol.assignment, _NONE)
        elif isinstance(symbol, ast.ProceduralBlockSymbol):
            self._statement(symbol.body, _NONE)
        elif isinstance(symbol, ast.SubroutineSymbol):
            self._subroutine(symbol)
        elif isinstance(symbol, ast.PrimitiveInstanceSymbol):
            self._primitive(symbol)
        elif isinstance(symbol, ast.UninstantiatedDefSymbol):
            self._unknown(symbol)
        elif isinstance(symbol, ast.NetAliasSymbol):
            self._tie(self._names_of_all(symbol.netReferences), None)
        elif isinstance(symbol, ast.ValueSymbol):
            self._initializer(symbol)

    def _subroutine(self, symbol: ast.SubroutineSymbol) -> None:
        self._result = self._value_of(symbol)
        self._statement(symbol.body, _NONE)
        self._result = _NONE

    def _initializer(self, symbol: ast.ValueSymbol) -> None:
        value = symbol.initializer
        name = self._name(symbol)
        if value is not None and name is not None:
            self._assign({name}, self._names(value), self._elaboration.span(value.sourceRange))

    def _primitive(self, symbol: ast.PrimitiveInstanceSymbol) -> None:
        """A gate writes its first terminals, which slang binds as assignments, and reads the others."""
        targets: set[str] = set()
        reads: set[str] = set()
        span = None
        for connection in symbol.portConnections:
            if isinstance(connection, ast.AssignmentExpression):
                written, selectors = self._target(connection.left)
                targets |= written
                reads |= selectors
                span = self._elaboration.span(connection.left.sourceRange)
            else:
                reads |= self._names(connection)
        self._assign(targets, reads, span)

    def _unknown(self, symbol: ast.UninstantiatedDefSymbol) -> None:
        """An instance of a module that is not there: each connection may decide each other one."""
        tied: set[str] = set()
        for connection in symbol.portConnections:
            if isinstance(connection, ast.SimpleAssertionExpr):
                tied |= self._names(connection.expr)
        self._tie(tied, None)

    def _child(self, child: ast.InstanceSymbol) -> None:
        path = child.hierarchicalPath
        if not path.startswith(self._prefix):
            return
        relative = path[len(self._prefix) :]
        links = tuple(self._links(child))
        self._body.children[relative] = links
        for link in links:
            for name in link.drives:
                self._body.driven_by[name].append((relative, link))

    def _links(self, child: ast.InstanceSymbol) -> Iterator[Link]:
        for connection in child.portConnections:
            port, value = connection.port, connection.expression
            if isinstance(port, ast.InterfacePortSymbol):
                name = self._interface(connection)
                yield Link(port=port.name, drives=name, reads=name)
            elif isinstance(value, ast.AssignmentExpression):
                targets, selectors = self._target(value.left)
                span = self._elaboration.span(value.left.sourceRange)
                for target in targets:
                    self._driven(target, span)
                    self._body.reads[target] |= selectors
                both = isinstance(port, ast.PortSymbol) and port.direction != ast.ArgumentDirection.Out
                yield Link(port=port.name, drives=frozenset(targets), reads=frozenset(targets) if both else _NONE)
            elif value is not None:
                names = frozenset(self._names(value))
                both = isinstance(port, ast.PortSymbol) and port.direction != ast.ArgumentDirection.In
                yield Link(port=port.name, drives=names if both else _NONE, reads=names)

    def _interface(self, connection: ast.PortConnection) -> Names:
        """An interface is one signal to us, read and written by everybody who is connected."""
        connected = connection.ifaceConn[0] if connection.ifaceConn is not None else None
        return frozenset({connected.name}) if connected is not None else _NONE

    def _statement(self, statement: ast.Statement | None, conditions: Names) -> None:
        """Notes the assignments in a statement that runs under these conditions."""
        # A list instead of recursion: a chain of a thousand `else if` is legal.
        waiting = [(statement, conditions)]
        while waiting:
            current, under = waiting.pop()
            if isinstance(current, ast.ExpressionStatement):
                self._expression(current.expr, under)
            elif isinstance(current, ast.ProceduralAssignStatement):
                self._expression(current.assignment, under)
            elif isinstance(current, ast.VariableDeclStatement):
                self._initializer(current.symbol)
            elif isinstance(current, ast.ReturnStatement):
                self._return(current, under)
            elif current is not None:
                waiting.extend(self._inner(current, under))

    def _inner(self, statement: ast.Statement, conditions: Names) -> Iterator[tuple[ast.Statement | None, Names]]:
        """The statements directly in a statement, each with what it depends on."""
        if isinstance(statement, ast.StatementList):
            yield from ((inner, conditions) for inner in statement.list)
        elif isinstance(statement, ast.BlockStatement):
            yield statement.body, conditions
        elif isinstance(statement, ast.ConditionalStatement):
            under = conditions | self._names_of_all(condition.expr for condition in statement.conditions)
            yield from ((statement.ifTrue, under), (statement.ifFalse, under))
        elif isinstance(statement, ast.CaseStatement):
            under = conditions | self._names(statement.expr)
            yield from ((group.stmt, under | self._names_of_all(group.expressions)) for group in statement.items)
            yield statement.defaultCase, under
        elif isinstance(statement, ast.TimedStatement):
            yield statement.stmt, conditions | self._sensitivity(statement.timing)
        elif isinstance(statement, ast.ImmediateAssertionStatement):
            under = conditions | self._names(statement.cond)
            yield from ((statement.ifTrue, under), (statement.ifFalse, under))
        elif isinstance(statement, ast.WaitStatement):
            yield statement.stmt, conditions | self._names(statement.cond)
        else:
            yield from self._loop(statement, conditions)

    def _loop(self, statement: ast.Statement, conditions: Names) -> Iterator[tuple[ast.Statement | None, Names]]:
        if isinstance(statement, ast.ForLoopStatement):
            for variable in statement.loopVars:
                self._initializer(variable)
            for expression in (*statement.initializers, *statement.steps):
                self._expression(expression, conditions)
            yield statement.body, conditions | self._names(statement.stopExpr)
        elif isinstance(statement, ast.WhileLoopStatement | ast.DoWhileLoopStatement):
            yield statement.body, conditions | self._names(statement.cond)
        elif isinstance(statement, ast.RepeatLoopStatement):
            yield statement.body, conditions | self._names(statement.count)
        elif isinstance(statement, ast.ForeachLoopStatement | ast.ForeverLoopStatement):
            yield statement.body, conditions

    def _return(self, statement: ast.ReturnStatement, conditions: Names) -> None:
        """`return x` in a function writes the variable of the function's name."""
        if statement.expr is not None:
            reads = self._names(statement.expr) | conditions
            self._assign(self._result, reads, self._elaboration.span(statement.sourceRange))

    def _sensitivity(self, timing: ast.TimingControl | None) -> Names:
        if isinstance(timing, ast.SignalEventControl):
            condition = timing.iffCondition
            return self._names(timing.expr) | (self._names(condition) if condition is not None else _NONE)
        if isinstance(timing, ast.EventListControl):
            return frozenset(name for event in timing.events for name in self._sensitivity(event))
        return _NONE

    def _expression(self, expression: ast.Expression | None, conditions: Names) -> None:
        """Notes the assignments, increments and subroutine calls in an expression."""
        if expression is None:
            return
        writes: list[tuple[ast.Expression, ast.Expression | None, ast.Expression]] = []
        calls: list[ast.CallExpression] = []

        def note(node: object) -> None:
            if isinstance(node, ast.AssignmentExpression):
                writes.append((node.left, node.right, node))
            elif isinstance(node, ast.UnaryExpression) and node.op in _STEPS:
                writes.append((node.operand, node.operand, node))
            elif isinstance(node, ast.CallExpression):
                calls.append(node)

        expression.visit(note)
        for left, right, whole in writes:
            targets, selectors = self._target(left)
            compound = isinstance(whole, ast.AssignmentExpression) and whole.isCompound
            reads = self._names(right) | selectors | conditions | (targets if compound else _NONE)
            self._assign(targets, reads, self._elaboration.span(whole.sourceRange))
        for call in calls:
            self._call(call, conditions)

    def _call(self, call: ast.CallExpression, conditions: Names) -> None:
        """A call copies its inputs into the formals and the formals of outputs back."""
        subroutine = call.subroutine
        if not isinstance(subroutine, ast.SubroutineSymbol):
            return
        span = self._elaboration.span(call.sourceRange)
        for formal, actual in zip(subroutine.arguments, call.arguments, strict=False):
            name = self._name(formal)
            if name is None:
                continue
            if isinstance(actual, ast.AssignmentExpression):
                targets, selectors = self._target(actual.left)
                self._assign(targets, {name} | selectors | conditions, span)
                if formal.direction != ast.ArgumentDirection.Out:
                    self._assign({name}, targets, None)
            else:
                self._assign({name}, self._names(actual) | conditions, None)

    def _target(self, expression: ast.Expression | None) -> tuple[set[str], set[str]]:
        """The signals that an lvalue writes, and those that select which bits of them."""
        targets: set[str] = set()
        selectors: set[str] = set()
        waiting = [expression]
        while waiting:
            current = waiting.pop()
            if isinstance(current, ast.ConcatenationExpression):
                waiting.extend(current.operands)
            elif isinstance(current, ast.StreamingConcatenationExpression):
                waiting.extend(stream.operand for stream in current.streams)
            elif isinstance(current, ast.AssignmentPatternExpressionBase):
                waiting.extend(current.elements)
            elif isinstance(current, ast.ElementSelectExpression):
                waiting.append(current.value)
                selectors |= self._names(current.selector)
            elif isinstance(current, ast.RangeSelectExpression):
                waiting.append(current.value)
                selectors |= self._names(current.left) | self._names(current.right)
            elif isinstance(current, ast.MemberAccessExpression):
                waiting.append(current.value)
            elif isinstance(current, ast.ConversionExpression):
                waiting.append(current.operand)
            else:
                targets |= self._names(current)
        return targets, selectors

    def _names_of_all(self, expressions: Iterable[ast.Expression | None]) -> Names:
        return frozenset(name for expression in expressions for name in self._names(expression))

    def _names(self, expression: ast.Expression | None) -> Names:
        """The signals of this module that an expression mentions; a called function counts as a signal."""
        if expression is None:
            return _NONE
        found: set[str] = set()

        def note(node: object) -> None:
            if isinstance(node, ast.NamedValueExpression | ast.HierarchicalValueExpression):
                name = self._name(node.symbol)
                if name is None and isinstance(node, ast.HierarchicalValueExpression):
                    name = _outermost(node)
                if name:
                    found.add(name)
            elif isinstance(node, ast.CallExpression) and isinstance(node.subroutine, ast.SubroutineSymbol):
                found.update(self._value_of(node.subroutine))

        expression.visit(note)
        return frozenset(found)

    def _value_of(self, subroutine: ast.SubroutineSymbol) -> Names:
        """The variable that holds what a function returns; a task has none."""
        value = subroutine.returnValVar
        name = self._name(value) if value is not None else None
        return frozenset({name}) if name else _NONE

    def _name(self, symbol: ast.Symbol) -> str | None:
        """The symbol's name relative to the module; none for what stands elsewhere."""
        path = symbol.hierarchicalPath
        if not path.startswith(self._prefix):
            return None
        return path[len(self._prefix) :]

    def _assign(self, targets: Iterable[str], reads: Iterable[str], span: Span | None) -> None:
        known = frozenset(reads)
        for target in targets:
            self._body.reads[target] |= known
            self._driven(target, span)

    def _driven(self, target: str, span: Span | None) -> None:
        if span is not None:
            self._body.drivers[target].append(span)

    def _tie(self, names: Iterable[str], span: Span | None) -> None:
        tied = frozenset(names)
        for name in tied:
            self._assign({name}, tied - {name}, span)


_STEPS = frozenset(
    {
        ast.UnaryOperator.Preincrement,
        ast.UnaryOperator.Predecrement,
        ast.UnaryOperator.Postincrement,
        ast.UnaryOperator.Postdecrement,
    }
)


def _outermost(expression: ast.HierarchicalValueExpression) -> str:
    """The first name of `bus.data` or `dut.state`: what stands for a signal of somebody else's in this module."""
    text = str(expression.syntax).strip() if expression.syntax is not None else ""
    return text.partition(".")[0].partition("[")[0].strip()
