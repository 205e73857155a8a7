"""What an instance or a call takes, and which of it is being written."""

from __future__ import annotations

from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.completion import connectable, owner_at
from veriloop.assistant.design.editing.hover import comment, declaration_text
from veriloop.assistant.design.symbols.lookup import opening_before
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source


@dataclass(frozen=True, slots=True)
class Signature:
    """The ports, parameters or arguments of what is being written."""

    label: str
    parameters: tuple[tuple[int, int], ...]
    """Where each stands in the label, in characters."""
    active: int
    """The index of the one under the cursor; -1 if none is."""
    comment: str


def signature(analysis: Analysis, source: Source, at: int) -> Signature | None:
    """What the parenthesis takes in which a byte stands; none outside of instances and calls."""
    owner = owner_at(analysis, source, at)
    if owner is None:
        return None
    unit, wants_parameters = owner
    wanted = [one for one in connectable(unit) if (one.kind == "parameter") == wants_parameters]
    texts = [" ".join(declaration_text(unit.source, one).split()) for one in wanted]
    texts = [
        text if text.count(one.name) else f"{one.direction} {one.name}".strip()
        for text, one in zip(texts, wanted, strict=True)
    ]
    hash_sign = " #" if wants_parameters and unit.declaration.kind in DESIGN_UNITS else ""
    label, places = f"{unit.name}{hash_sign}(", []
    for index, text in enumerate(texts):
        label += ", " if index else ""
        places.append((len(label), len(label) + len(text)))
        label += text
    names = [one.name for one in wanted]
    return Signature(label + ")", tuple(places), _active(source, at, names), comment(unit.source, unit.declaration))


def _active(source: Source, at: int, names: list[str]) -> int:
    """By name after a dot, else by counting commas."""
    content = source.content
    opening = opening_before(content, at)
    inner = opening
    while inner > 0:
        before = content[:inner].rstrip()
        name = before[before.rfind(b".") + 1 :].decode("utf-8", errors="replace") if b"." in before[-80:] else ""
        if name in names:
            # `.port( | )`
            return names.index(name)
        break
    depth, commas, last = 0, 0, opening + 1
    for position in range(opening + 1, at):
        byte = content[position]
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            depth -= 1
        elif byte == 0x2C and depth == 0:
            commas += 1
            last = position + 1
    written = content[last:at].strip()
    if written.startswith(b"."):
        name = written[1:].split(b"(")[0].strip().decode("utf-8", errors="replace")
        return names.index(name) if name in names else -1
    return commas if commas < len(names) else -1
