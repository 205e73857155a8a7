"""A continuous assignment that was lost: what nothing drives is assigned what nothing reads, or what bears its name."""

from __future__ import annotations

from veriloop.assistant.design.structure import Declared
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_MOST = 8
"""A module with more that nothing drives is a stub, or is driven from elsewhere."""
_UNREAD, _NAMESAKE, _OTHER = -1.5, -1.0, 4.0
_ENDINGS = ("_reg", "_r", "_q", "_d", "_next", "_nxt", "_new", "_int", "_i", "_o", "_out", "_s")


def drivers(site: Site) -> Proposals:
    """Every signal that nothing drives is assigned each signal of its width."""
    structure = site.structure
    tied = {name for node in site.nodes if node.type.endswith("_instantiation") for name in structure.names(node)}
    driven = {name for one in structure.assignments for name in one.targets}
    waits = {name for node in site.nodes if node.type == "event_control" for name in structure.names(node)}
    read = {name for one in structure.assignments for name in one.reads} | tied | waits
    bare = [
        one
        for name, one in structure.signals.items()
        if name not in driven | tied
        and not one.is_memory
        and (one.direction == "output" or (not one.direction and name in read))
    ]
    if driven and len(bare) <= _MOST:
        for declared in bare:
            yield from _assigned(site, declared, read)


def _assigned(site: Site, declared: Declared, read: set[str]) -> Proposals:
    node = declared.node
    for name, other in site.structure.signals.items():
        if name == declared.name or other.is_memory or other.range_text != declared.range_text:
            continue
        cost = _OTHER
        cost += _UNREAD if name not in read and other.direction != "output" else 0
        cost += _NAMESAKE if _stem(name) == _stem(declared.name) else 0
        at, text = _place(site, f"assign {declared.name} = {name};")
        yield from site.insert("driver missing", cost, at, text, focus=node)


def _place(site: Site, item: str) -> tuple[int, str]:
    """Behind the last continuous assignment, or else at the module's end."""
    last = next((one for one in reversed(site.nodes) if one.type == "continuous_assign"), None)
    if last is not None:
        return last.end_byte, f"{site.newline}{site.indent(last)}{item}"
    end = site.structure.module.children[-1]
    return end.start_byte, f"{item}{site.newline}"


def _stem(name: str) -> str:
    """A name without the ending that tells its part."""
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), name)
