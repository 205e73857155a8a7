"""Slips in expressions: another operator, an operand lost or swapped, a negation too many or too few."""

from __future__ import annotations

from veriloop.assistant.design.syntax import Node, ancestor
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_NEAR = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+", "/"),
    "/": ("*", "%"),
    "%": ("/",),
    "**": ("*", "<<"),
    "<<": (">>",),
    ">>": ("<<", ">>>"),
    "<<<": (">>>",),
    ">>>": (">>", "<<<"),
    "<": ("<=", ">", ">=", "=="),
    "<=": ("<", ">=", ">", "=="),
    ">": (">=", "<", "<=", "=="),
    ">=": (">", "<=", "<", "=="),
    "==": ("!=", "<", ">", "<=", ">="),
    "!=": ("==", "<", ">"),
    "===": ("!==",),
    "!==": ("===",),
    "&&": ("||",),
    "||": ("&&",),
    "&": ("|", "^"),
    "|": ("&", "^"),
    "^": ("&", "|", "~^"),
    "~^": ("^",),
    "^~": ("^",),
}
_FAR = {
    "&": ("+", "-", "&&"),
    "|": ("+", "||"),
    "^": ("+", "-"),
    "&&": ("&",),
    "||": ("|",),
    "+": ("&", "|", "^", "*"),
    "-": ("&", "^", ">", "<"),
    "*": ("&", "-"),
    "<<": ("+", "*"),
    ">>": ("-", "/"),
}
_NOT_COMMUTATIVE = ("-", "/", "%", "<<", ">>", "<<<", ">>>", "<", ">", "<=", ">=")
_LOGICAL = ("&&", "||", "&", "|", "^")
_OTHER_UNARY = {"&": ("|", "^"), "|": ("&", "^"), "^": ("&", "|"), "-": ("~",), "~&": ("~|",), "~|": ("~&",)}
_EXPRESSIONS = ("expression", "constant_expression")
_DECLARED = ("packed_dimension", "unpacked_dimension", "ansi_port_declaration")


def expressions(site: Site) -> Proposals:
    """Binary operators, unary operators and ternaries."""
    for node in site.nodes:
        if node.type in _EXPRESSIONS and len(node.children) == 3 and not node.children[1].is_named:
            if ancestor(node, _DECLARED) is None:
                yield from _binary(site, node)
        elif node.type == "unary_operator":
            yield from _unary(site, node)
        elif node.type == "conditional_expression":
            yield from _ternary(site, node)


def _binary(site: Site, node: Node) -> Proposals:
    left, middle, right = node.children
    operator, one, two = site.text(middle), site.text(left), site.text(right)
    for index, other in enumerate(_NEAR.get(operator, ())):
        yield from site.replace("operator", 1 if index == 0 else 1.5, middle, other)
    for other in _FAR.get(operator, ()):
        yield from site.replace("operator of another class", 3.5, middle, other)
    for kept in (one, two):
        yield from site.replace("operand too many", 3.5, node, kept)
    if operator in _NOT_COMMUTATIVE:
        yield from site.replace("operands swapped", 3, node, f"{two} {operator} {one}")
    if operator in _LOGICAL:
        sign = "!" if operator in ("&&", "||") else "~"
        for operand in (left, right):
            yield from site.replace("negated operand", 2.5, operand, f"{sign}({site.text(operand)})")
    parent = node.parent
    if parent is not None and parent.type == "primary":
        return
    if operator in ("+", "-"):
        yield from site.replace("off by one", 4, node, f"({site.text(node)}) + 1")
        yield from site.replace("off by one", 4, node, f"({site.text(node)}) - 1")


def _unary(site: Site, node: Node) -> Proposals:
    operator = site.text(node)
    if operator in ("!", "~"):
        yield from site.replace("negation too many", 1.5, node, "")
        yield from site.replace("negation of another kind", 3, node, "~" if operator == "!" else "!")
    for other in _OTHER_UNARY.get(operator, ()):
        yield from site.replace("unary operator", 2, node, other)


def _ternary(site: Site, node: Node) -> Proposals:
    parts = [child for child in node.children if child.type in ("expression", "cond_predicate")]
    if len(parts) != 3:
        return
    condition, one, two = parts
    yield from site.replace("ternary negated", 1.5, condition, f"!({site.text(condition)})")
    for kept in (one, two):
        yield from site.replace("ternary branch", 3.5, node, site.text(kept))
