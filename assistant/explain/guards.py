"""Under which conditions a statement runs, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veriloop.assistant.design.syntax import Node, SyntaxTree, children

_NEGATED = re.compile(r"[!~]\s*([A-Za-z_]\w*)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_SPACE = re.compile(r"\s+")
_RESET = re.compile(r"a?n?_?(?:rst|reset|clr|clear)(?:_?n\w*|_\w+)?|\w+_(?:rst|reset)(?:_?ni?)?", re.I)
_LONGEST = 120


def is_reset_name(name: str) -> bool:
    """Whether a signal is named as resets are."""
    return bool(_RESET.fullmatch(name))


def one_line(text: str) -> str:
    """A text on one line, cut where it is long."""
    text = _SPACE.sub(" ", text).strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def holds(condition: str, *, true: bool = True, single_bit: bool = True) -> str:
    """`en is 1`, `full is 0`, ``` `a > b` holds```: a condition as a clause.

    Args:
        condition: as it is written.
        true: whether it holds.
        single_bit: whether a plain name has one bit; a wider one is not 0.
    """
    text = one_line(condition)
    negated = _NEGATED.fullmatch(text)
    if negated is not None:
        return holds(negated[1], true=not true, single_bit=single_bit)
    if _NAME.fullmatch(text):
        return f"{text} is {'1' if true else '0'}" if single_bit else f"{text} is {'not 0' if true else '0'}"
    return f"`{text}` {'holds' if true else 'does not hold'}"


def guards(tree: SyntaxTree, node: Node, widths: dict[str, int | None]) -> tuple[str, ...]:
    """The conditions, case items and loops that a statement stands in, the outermost first.

    Args:
        tree: the file.
        node: the statement.
        widths: the widths of signals in bits, where they are known.
    """
    found: list[str] = []
    below, current = node, node.parent
    while current is not None and current.type not in ("always_construct", "initial_construct", "module_declaration"):
        if current.type == "conditional_statement":
            found += reversed(list(_branch(tree, current, below, widths)))
        elif current.type == "case_item":
            found.append(_item(tree, current))
        elif current.type == "loop_statement":
            found.append(f"in each turn of `{one_line(tree.text(current).split(')')[0])})`")
        elif current.type == "if_generate_construct":
            found.append(f"generated where `{_generate_condition(tree, current)}`")
        elif current.type == "loop_generate_construct":
            found.append("in each copy of the generate loop")
        below, current = current, current.parent
    return tuple(reversed(found))


def _branch(tree: SyntaxTree, conditional: Node, below: Node, widths: dict[str, int | None]) -> Iterator[str]:
    """What holds in one branch of an if: the conditions before it do not, its own does."""
    for predicate in children(conditional, ("cond_predicate",)):
        if predicate.start_byte > below.start_byte:
            return
        text = tree.text(predicate)
        last = _is_own(conditional, predicate, below)
        yield holds(text, true=last, single_bit=widths.get(text.strip("!~ ")) == 1)
        if last:
            return


def _is_own(conditional: Node, predicate: Node, below: Node) -> bool:
    """Whether the branch is the one right behind the condition."""
    between = [
        child
        for child in conditional.children
        if predicate.end_byte <= child.start_byte < below.start_byte and child.type not in (")", "comment")
    ]
    return not between


def _item(tree: SyntaxTree, item: Node) -> str:
    case = item.parent
    selector = next(iter(children(case, ("case_expression",))), None) if case is not None else None
    name = one_line(tree.text(selector)) if selector is not None else "the selector"
    labels = [one_line(tree.text(label)) for label in children(item, ("case_item_expression",))]
    if not labels:
        return f"{name} is none of the values listed"
    if name == "1'b1":
        return " or ".join(holds(label) for label in labels)
    return f"{name} is {' or '.join(labels)}"


def _generate_condition(tree: SyntaxTree, construct: Node) -> str:
    condition = next(iter(children(construct, ("constant_expression",))), None)
    return one_line(tree.text(condition)) if condition is not None else "its condition holds"
