"""Slips in slices and concatenations: off by one, the wrong order, the wrong end of a shift register."""

from __future__ import annotations

import itertools
import re

from veriloop.assistant.design.syntax import Node
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_BIT = re.compile(r"(~?)\s*(\w+)\s*\[\s*(\d+)\s*\]")
_SLICE = re.compile(r"(~?)\s*(\w+)\s*\[\s*(\d+)\s*:\s*(\d+)\s*\]")
_NUMBERS = re.compile(r"\s*(\d+)\s*:\s*(\d+)\s*")
_SHIFTS = ((1, 1), (-1, -1), (1, 0), (0, 1), (-1, 0), (0, -1))
_PERMUTED = 4


def selects(site: Site) -> Proposals:
    """Part selects, bit selects and concatenations."""
    for node in site.nodes:
        parent = node.parent
        if node.type == "constant_range" and parent is not None and parent.type == "select":
            yield from _slice(site, node)
        elif node.type == "concatenation":
            yield from _concatenation(site, node)
        elif node.type == "select" and node.children:
            yield from site.replace("select too many", 4.5, node, "")


def _slice(site: Site, node: Node) -> Proposals:
    match = _NUMBERS.fullmatch(site.text(node))
    if match is None:
        return
    high, low = int(match[1]), int(match[2])
    for up, down in _SHIFTS:
        if low + down >= 0 and high + up >= 0:
            yield from site.replace("slice", 2, node, f"{high + up}:{low + down}")


def _concatenation(site: Site, node: Node) -> Proposals:
    parts = [child for child in node.children if child.is_named]
    texts = [site.text(part) for part in parts]
    if len(parts) > 1:
        for order in _orders(len(parts)):
            text = "{" + ", ".join(texts[index] for index in order) + "}"
            yield from site.replace("concatenation order", 2.5, node, text)
    for part, text in zip(parts, texts, strict=True):
        yield from site.replace("negated part", 2.5, part, text[1:] if text.startswith("~") else f"~{text}")
        if len(parts) > 2:
            rest = ", ".join(other for other in texts if other is not text)
            yield from site.replace("part too many", 4, node, "{" + rest + "}")
    if len(parts) == 2:
        yield from _shift_register(site, node, texts)


def _orders(count: int) -> list[tuple[int, ...]]:
    indices = tuple(range(count))
    if count <= _PERMUTED:
        return [order for order in itertools.permutations(indices) if order != indices]
    return [indices[1:] + indices[:1], indices[-1:] + indices[:-1], indices[::-1]]


def _shift_register(site: Site, node: Node, texts: list[str]) -> Proposals:
    """`{a[0], b[3:1]}` and its kin: another bit and another slice, either way round."""
    for one, two in ((0, 1), (1, 0)):
        slice_ = _SLICE.fullmatch(texts[two])
        if slice_ is None:
            continue
        sign, name, high, low = slice_[1], slice_[2], int(slice_[3]), int(slice_[4])
        width = high - low + 1
        heads = [texts[one]]
        bit = _BIT.fullmatch(texts[one])
        if bit is not None:
            heads += [f"{negated}{bit[2]}[{index}]" for negated in ("", "~") for index in (0, width)]
        bodies = [f"{sign}{name}[{top}:{bottom}]" for top, bottom in ((high, low), (width, 1), (width - 1, 0))]
        for head, body in itertools.product(dict.fromkeys(heads), dict.fromkeys(bodies)):
            for pair in ((head, body), (body, head)):
                yield from site.replace("shift direction", 3, node, "{" + ", ".join(pair) + "}")
