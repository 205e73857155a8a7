"""A block in sentences: a process, a continuous assignment, an instance."""

from __future__ import annotations

from collections.abc import Iterator

from veriloop.assistant.design.structure import Process
from veriloop.assistant.design.syntax import Node, children, find
from veriloop.assistant.explain.facts import ModuleFacts, Write
from veriloop.assistant.explain.guards import one_line
from veriloop.assistant.explain.sentences import assignment_sentence, instance_sentences

BLOCKS = ("always_construct", "initial_construct", "continuous_assign", "module_instantiation")
_MOST_NAMES = 8
_MOST_WAYS = 6


def blocks(facts: ModuleFacts) -> tuple[Node, ...]:
    """The blocks of a module, in the order of the text."""
    return tuple(node for node in facts.structure.nodes if node.type in BLOCKS)


def block_sentences(facts: ModuleFacts, node: Node) -> Iterator[str]:
    """What a block does."""
    if node.type == "module_instantiation":
        yield from instance_sentences(facts, node)
        return
    inside = [write for write in facts.writes if node.start_byte <= write.assignment.node.start_byte < node.end_byte]
    if node.type == "continuous_assign":
        yield from (assignment_sentence(facts, write) for write in inside)
        return
    process = next(process for process in facts.structure.processes if process.node.start_byte == node.start_byte)
    yield _kind(facts, process, inside)
    for name in dict.fromkeys(name for write in inside for name in write.assignment.targets):
        yield from _target(facts, process, name, [write for write in inside if name in write.assignment.targets])


def listed(names: list[str]) -> str:
    """Names in one clause; of many only the first."""
    if not names:
        return "nothing"
    shown = names[:_MOST_NAMES]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _kind(facts: ModuleFacts, process: Process, inside: list[Write]) -> str:
    targets = dict.fromkeys(name for write in inside for name in write.assignment.targets)
    reads = dict.fromkeys(name for write in inside for name in sorted(write.assignment.reads))
    when = facts.timing_of(process)
    said = f"writes {listed(list(targets))} and reads {listed([name for name in reads if name not in targets])}"
    if process.kind == "initial":
        return f"runs once, before anything else; {said}"
    if process.kind == "latch":
        return f"a latch: follows its inputs while its condition holds, else keeps; {said}"
    if when.clock is None:
        return f"combinational: runs whenever an input changes; {said}"
    resets = "".join(f", and at once at the {edge}" for edge in when.resets)
    return f"clocked: runs at each {when.clock}{resets}; {said}"


def _target(facts: ModuleFacts, process: Process, name: str, writes: list[Write]) -> Iterator[str]:
    """How one signal fares in a process."""
    if process.kind == "initial":
        return
    for write in writes[:_MOST_WAYS]:
        yield assignment_sentence(facts, write)
    if len(writes) > _MOST_WAYS:
        yield f"{len(writes) - _MOST_WAYS} further assignments to {name} are left out here; ask for their lines"
    whole = name in surely_written(facts, process.node)
    if process.kind == "clocked" and not whole:
        yield f"in all other cases {name} keeps its value"
    elif process.kind == "combinational" and not whole and facts.timing_of(process).clock is None:
        yield f"where none of these applies {name} keeps its value: that is a latch"


def surely_written(facts: ModuleFacts, node: Node) -> frozenset[str]:
    """The signals that every path through a statement writes."""
    if node.type in ("blocking_assignment", "nonblocking_assignment"):
        return frozenset(facts.targets.get(node.start_byte, ()))
    if node.type == "conditional_statement":
        branches = children(node, ("statement_or_null",))
        if len(branches) <= len(children(node, ("cond_predicate",))):
            return frozenset()
        return frozenset.intersection(*(surely_written(facts, branch) for branch in branches))
    if node.type == "case_statement":
        items = children(node, ("case_item",))
        if not items or not _covered(facts, node, items):
            return frozenset()
        return frozenset.intersection(*(surely_written(facts, item) for item in items))
    if node.type == "loop_statement":
        # A loop with constant bounds runs; which bits it writes is another question.
        return _union(facts, children(node, ("statement_or_null",)))
    return _union(facts, list(node.children))


def _union(facts: ModuleFacts, nodes: list[Node]) -> frozenset[str]:
    return frozenset[str]().union(*(surely_written(facts, node) for node in nodes))


def _covered(facts: ModuleFacts, case: Node, items: list[Node]) -> bool:
    """Whether a case has an item for everything."""
    text = facts.structure.tree.text
    if any(not children(item, ("case_item_expression",)) for item in items):
        return True
    selector = next(iter(children(case, ("case_expression",))), None)
    width = facts.widths.get(one_line(text(selector))) if selector is not None else None
    labels = {text(label) for item in items for label in find(item, ("case_item_expression",))}
    return width is not None and width < 16 and len(labels) == 1 << width
