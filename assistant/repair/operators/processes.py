"""Slips in the kind of a process: edge, sensitivity, blocking for non-blocking, clocked for combinational."""

from __future__ import annotations

import re

from veriloop.assistant.design.structure import Assignment, Process
from veriloop.assistant.design.syntax import Node, children, find, first
from veriloop.assistant.repair.operators.proposal import Proposal, Proposals, Replacement, Site

_CLOCK = re.compile(r"clk|clock|ck$", re.I)
_RESET = re.compile(r"rst|reset|clear|clr", re.I)

_PER_RANK = 0.3
"""The fullest event control of the module is the likeliest; each further one is a little less so."""


def processes(site: Site) -> Proposals:
    """Processes one by one, and all of one kind at once."""
    controls = _edge_controls(site)
    for node in site.nodes:
        if node.type == "edge_identifier":
            other = "negedge" if site.text(node) == "posedge" else "posedge"
            yield from site.replace("edge", 1.5, node, other)
    for process in site.structure.processes:
        if process.kind == "initial":
            continue
        yield from _process(site, process, controls)
        yield from _value_from_process(site, process)
    for assignment in site.structure.assignments:
        if assignment.process is not None and site.text(assignment.operator) in ("=", "<="):
            other = "<=" if site.text(assignment.operator) == "=" else "="
            yield from site.replace("blocking", 2.5, assignment.operator, other)
            for delay in children(assignment.node, ("delay_or_event_control",)):
                yield from site.replace("delay too many", 3.5, delay, "")
        elif assignment.kind == "continuous":
            yield from _clocked_from_continuous(site, assignment, controls)


def _edge_controls(site: Site) -> list[str]:
    """Event controls with edges that the module has, or those that its clock and reset suggest; the fullest first."""
    written = {
        site.text(process.control)
        for process in site.structure.processes
        if process.control is not None and process.kind == "clocked"
    }
    if written:
        return sorted(written, key=len, reverse=True)
    inputs = [name for name, one in site.structure.signals.items() if one.direction == "input" and not one.range_text]
    clocks = [name for name in inputs if _CLOCK.search(name)]
    resets = [name for name in inputs if _RESET.search(name)]
    found = []
    for clock in clocks:
        for reset in resets:
            edge = "negedge" if re.search(r"n$|_n|^n", reset, re.I) else "posedge"
            found.append(f"@(posedge {clock} or {edge} {reset})")
        found.append(f"@(posedge {clock})")
    return found


def _process(site: Site, process: Process, controls: list[str]) -> Proposals:
    operators = _operators(site, process)
    control = process.control
    if control is None:
        return
    text = site.text(control)
    if process.kind == "clocked":
        yield from _flipped(site, process, operators, "=", "@(*)", "clocked to combinational", 2)
        yield from _flipped(site, process, operators, "<=", None, "all non-blocking", 2)
        yield from _flipped(site, process, operators, "=", None, "all blocking", 3)
        for other in controls:
            yield from site.replace("sensitivity", 2.5, control, other, focus=process.node)
        yield from _edges_dropped(site, process, text)
        yield from _edges_added(site, process, text)
    else:
        for rank, other in enumerate(controls):
            cost = (1.2 if _tests_reset(site, process) else 2) + _PER_RANK * rank
            yield from _flipped(site, process, operators, "<=", other, "combinational to clocked", cost)
        yield from _flipped(site, process, operators, "=", None, "all blocking", 2)
        if "*" not in text:
            yield from site.replace("sensitivity", 1.5, control, "@(*)", focus=process.node)
            for name in sorted(site.structure.names(control)):
                for edge in ("posedge", "negedge"):
                    yield from site.replace("level for edge", 2, control, f"@({edge} {name})", focus=process.node)


def _tests_reset(site: Site, process: Process) -> bool:
    """Whether a process asks for a reset: one without a clock seldom means to."""
    predicates = find(process.node, ("cond_predicate",))
    return any(_RESET.search(name) for predicate in predicates for name in site.structure.names(predicate))


def _operators(site: Site, process: Process) -> list[Node]:
    start = process.node.start_byte
    return [
        one.operator
        for one in site.structure.assignments
        if one.process is not None and one.process.node.start_byte == start and site.text(one.operator) in ("=", "<=")
    ]


def _flipped(
    site: Site, process: Process, operators: list[Node], operator: str, control: str | None, name: str, cost: float
) -> Proposals:
    changes = [(node, operator) for node in operators]
    if control is not None and process.control is not None:
        changes.append((process.control, control))
        keyword = process.node.children[0]
        wanted = "always_ff" if operator == "<=" else "always_comb"
        if site.text(keyword) in ("always_ff", "always_comb") and site.text(keyword) != wanted:
            changes.append((keyword, "always"))
    yield from site.replace_all(name, cost, changes, focus=process.node)


def _edges_dropped(site: Site, process: Process, text: str) -> Proposals:
    parts = [part.strip() for part in re.split(r"\bor\b|,", text.strip("@() \t\n"))]
    if process.control is not None and len(parts) > 1:
        for part in parts:
            yield from site.replace("sensitivity", 3, process.control, f"@({part})", focus=process.node)


def _edges_added(site: Site, process: Process, text: str) -> Proposals:
    """An asynchronous reset that the list lacks."""
    if process.control is None or not text.rstrip().endswith(")"):
        return
    inner = text.strip()[2:-1]
    for name, declared in site.structure.signals.items():
        if declared.direction == "input" and _RESET.search(name) and name not in text:
            for edge in ("negedge", "posedge"):
                yield from site.replace(
                    "sensitivity", 3, process.control, f"@({inner} or {edge} {name})", focus=process.node
                )


def _clocked_from_continuous(site: Site, assignment: Assignment, controls: list[str]) -> Proposals:
    """`assign q = d;` becomes a clocked process, its target a variable."""
    construct = assignment.node.parent
    while construct is not None and construct.type != "continuous_assign":
        construct = construct.parent
    if construct is None or len([*find(construct, ("net_assignment",))]) != 1:
        return
    target, value = site.text(assignment.target), site.text(assignment.value)
    declarations = variable_declarations(site, assignment.targets)
    for control in controls:
        text = f"always {control} {target} <= {value};"
        change: Replacement = (construct.start_byte, construct.end_byte, text)
        focus = (construct.start_byte, construct.end_byte)
        yield Proposal("continuous to clocked", 3.5, (change, *declarations), focus)


def _value_from_process(site: Site, process: Process) -> Proposals:
    """A process of one target becomes one of its values, continuously."""
    start = process.node.start_byte
    own = [one for one in site.structure.assignments if one.process and one.process.node.start_byte == start]
    targets = dict.fromkeys(site.text(one.target) for one in own)
    if len(targets) != 1:
        return
    (target,) = targets
    declared = site.structure.signals.get(target)
    head = "always @(*) " if declared is None or declared.is_variable else "assign "
    for value in dict.fromkeys(site.text(one.value) for one in own):
        yield from site.replace("process to continuous", 3, process.node, f"{head}{target} = {value};")


def variable_declarations(site: Site, names: tuple[str, ...]) -> tuple[Replacement, ...]:
    """What makes nets variables: `reg` in their declarations."""
    found: list[Replacement] = []
    for name in dict.fromkeys(names):
        declared = site.structure.signals.get(name)
        if declared is None or declared.is_variable:
            continue
        node = declared.node
        net = first(node, ("net_type",))
        if net is not None:
            found.append((net.start_byte, net.end_byte, "reg"))
            continue
        direction = first(node, ("port_direction",))
        at = direction.end_byte if direction is not None else node.children[0].end_byte
        found.append((at, at, " reg"))
    return tuple(dict.fromkeys(found))
