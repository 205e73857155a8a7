"""Writes SystemVerilog of the canonical form as Verilog-2001, where it says nothing that Verilog cannot."""

from __future__ import annotations

from collections.abc import Sequence

from veriloop.assistant.training.code import Block, Headed, Line, Module, Part, Region, walk
from veriloop.assistant.training.facts import Declared, Facts, declarations, evaluate, is_declaration, split, targets
from veriloop.assistant.training.facts import rewrite as rewrite_words
from veriloop.assistant.training.style import Style

_SYSTEMVERILOG_ONLY = frozenset(
    "struct union '{ '( unique unique0 priority inside return break continue += -= '1 'x foreach byte shortint let .*"
    " interface package import always_latch bit do final :: string real longint".split()
)


def needs_systemverilog(modules: Sequence[Module], known: Sequence[Facts]) -> bool:
    """Whether a text says what Verilog-2001 has no words for."""
    return any(_needs(module, found) for module, found in zip(modules, known, strict=True))


def _needs(module: Module, found: Facts) -> bool:
    seen: set[str] = set()

    def note(line: list[str]) -> list[str]:
        seen.update(line)
        return line

    rewrite_words(module, note)
    if seen & _SYSTEMVERILOG_ONLY or any(not _is_enum(part) for part in walk(module) if _is_typedef(part)):
        return True
    if any(declared.packed.count("[") > 1 or (declared.direction and declared.unpacked) for declared in _all(found)):
        return True
    loops = {part.head[3] for part in walk(module) if isinstance(part, Headed) and part.head[2:3] == ["int"]}
    if loops & {*found.genvars, *found.signals}:
        return True
    for region in walk(module):
        # A declaration in a block without a name, and a function with loops of its own, stay as they are.
        if isinstance(region, Headed) and region.head[0].startswith("always") and _declares(region, found):
            return True
        if isinstance(region, Region) and region.tail == "endtask":
            return True
        if isinstance(region, Line) and "'0" in region.words and not _zero_of(region.words, found):
            return True
    return False


def _declares(part: Part, found: Facts) -> bool:
    return any(isinstance(one, Line) and is_declaration(one.words, found.types) for one in walk(part))


def to_verilog(module: Module, found: Facts, style: Style) -> None:
    """Rewrites a module in place."""
    for entry in module.parameters:
        entry.words = _untyped(entry.words)
    for entry in module.ports:
        entry.words = _port(entry.words, found, style)
    loops: list[str] = []
    body: list[Part] = []
    declared: set[str] = set()
    for part in module.body:
        for one in _part(part, found, style, loops):
            if isinstance(one, Line) and one.words[0] == "genvar":
                if one.words[1] in declared:
                    continue
                declared.update(one.words[1:])
            body.append(one)
    if loops:
        at = next((index for index, part in enumerate(body) if not isinstance(part, Line)), len(body))
        body.insert(at, Line(["integer", *_commas(list(dict.fromkeys(loops))), ";"]))
    module.body = body


def chooses_states(module: Module, found: Facts) -> bool:
    """Whether a state is assigned by a ternary, which Icarus wants a cast for where the states are an enumeration."""
    typed = {one.name for one in found.signals.values() if one.type and one.type[0] in found.types}
    return any(
        isinstance(part, Line) and "?" in part.words and set(targets(part.words)[0]) & typed for part in walk(module)
    )


def to_plain_states(module: Module, found: Facts) -> None:
    """Writes enumerations as local parameters and their signals as vectors, in place."""
    dimensions: dict[str, list[str]] = {}
    body: list[Part] = []
    for part in module.body:
        if isinstance(part, Line) and _is_enum(part):
            base = part.words[3 : part.words.index("{")]
            dimensions[part.words[-2]] = base
            body += _constants_of(part, base)
        elif isinstance(part, Line) and part.words[0] in dimensions:
            part.words = ["logic", *dimensions[part.words[0]], *part.words[1:]]
            body.append(part)
        else:
            body.append(part)
    module.body = body


def _constants_of(part: Line, dimensions: list[str]) -> list[Part]:
    """A local parameter for each state of an enumeration, numbered where it has no number of its own."""
    high = evaluate(dimensions[1 : dimensions.index(":")], {}) if dimensions else 0
    bits = (high if high is not None else 31) + 1
    lines: list[Part] = []
    number = 0
    for member in split(part.words[part.words.index("{") + 1 : part.words.index("}")]):
        value = member[member.index("=") + 1 :] if "=" in member else [f"{bits}'d{number}"]
        known = evaluate(value, {})
        number = (known if known is not None else number) + 1
        lines.append(Line(["localparam", "logic", *dimensions, member[0], "=", *value, ";"]))
    lines[0].lead, lines[-1].note = part.lead, part.note
    return lines


def _part(part: Part, found: Facts, style: Style, loops: list[str]) -> list[Part]:
    """A part of a module's body in Verilog; a declaration may become several."""
    if isinstance(part, Line):
        return _line(part, found)
    local = loops
    if isinstance(part, Region) and part.tail == "endfunction":
        local = []
        _function(part)
    for inner in walk(part):
        match inner:
            case Headed() if inner.head[0] == "for":
                _loop(inner, found, local)
            case Headed() if inner.head[0].startswith("always"):
                inner.head = _process(inner.head, style)
            case Line() if "'0" in inner.words:
                inner.words = [_zero_of(inner.words, found) if word == "'0" else word for word in inner.words]
            case Line() if inner.words[1:2] == ["++"]:
                inner.words = [inner.words[0], "=", inner.words[0], "+", "1", ";"]
    _declared_inside(part, found)
    if isinstance(part, Region) and local is not loops and local:
        part.body.insert(0, Line(["integer", *_commas(list(dict.fromkeys(local))), ";"]))
    return [*_genvars(part), part]


def _genvars(part: Part) -> list[Part]:
    """Takes the declarations of loop variables out of the heads of generate loops; returns them as lines."""
    names = []
    for inner in walk(part):
        if isinstance(inner, Headed) and inner.head[0] == "for" and inner.head[2] == "genvar":
            names.append(inner.head[3])
            del inner.head[2]
    return [Line(["genvar", *_commas(list(dict.fromkeys(names))), ";"])] if names else []


def _line(part: Line, found: Facts) -> list[Part]:
    if part.words[0] == "localparam":
        part.words = _untyped(part.words)
    elif is_declaration(part.words, found.types):
        return _declaration(part, found)
    elif "'0" in part.words:
        part.words = [_zero_of(part.words, found) if word == "'0" else word for word in part.words]
    return [part]


def _declared_inside(part: Part, found: Facts) -> None:
    """Declarations in generate blocks and functions."""
    for inner in walk(part):
        if isinstance(inner, Block | Region):
            is_function = isinstance(inner, Region) and inner.tail == "endfunction"
            body: list[Part] = []
            for one in inner.body:
                if isinstance(one, Line) and one.words[0] == "logic" and is_function:
                    one.words[0] = "reg"
                    body.append(one)
                elif isinstance(one, Line) and one.words[0] in ("logic", "int", "localparam"):
                    body += _line(one, found)
                else:
                    body.append(one)
            inner.body = body


def _declaration(part: Line, found: Facts) -> list[Part]:
    """A declaration as wires and registers, which Verilog tells apart by how they are driven."""
    declared = declarations(part.words)
    values = split(part.words[:-1])
    kinds: dict[str, list[tuple[Declared, list[str]]]] = {}
    for one, written in zip(declared, values, strict=True):
        stored = one.name in found.procedural or (one.unpacked and one.name not in found.continuous)
        kind = "reg" if stored or "=" in written else "wire"
        kinds.setdefault(kind, []).append((one, written[written.index("=") :] if "=" in written else []))
    lines: list[Part] = []
    for kind, members in kinds.items():
        first = members[0][0]
        whole = first.type[0] in ("int", "integer")
        head = ["integer"] if whole else [kind, *first.type[1:], *first.packed]
        tail = [word for one, value in members for word in (",", one.name, *one.unpacked, *value)][1:]
        lines.append(Line([*head, *tail, ";"]))
    lines[0].lead, lines[0].note = part.lead, part.note
    return lines


def _port(words: list[str], found: Facts, style: Style) -> list[str]:
    declared = declarations([*words, ";"])[0]
    rest = [word for word in declared.type[1:] if word not in ("logic", "reg", "wire", "bit")]
    kind = ["reg"] if declared.name in found.procedural else ["wire"] if style.port_types else []
    return [declared.direction, *kind, *rest, *declared.packed, declared.name]


def _untyped(words: list[str]) -> list[str]:
    return [word for word in words if word not in ("int", "integer", "logic", "bit", "unsigned")]


def _function(part: Region) -> None:
    """Drops the types, and puts several statements into a block."""
    part.head = [word for word in part.head if word != "logic"]
    declared = [one for one in part.body if isinstance(one, Line) and is_declaration(one.words)]
    statements = [one for one in part.body if not any(one is other for other in declared)]
    if len(statements) > 1:
        part.body = [*declared, Block(statements)]


def _loop(part: Headed, found: Facts, loops: list[str]) -> None:
    head = part.head
    if head[2] == "int":
        loops.append(head[3])
        head = [*head[:2], *head[3:]]
    if "++" in head:
        name = head[-3]
        head = [*head[:-3], name, "=", name, "+", "1", ")"]
    part.head = head


def _process(head: list[str], style: Style) -> list[str]:
    if head[0] == "always_ff":
        return ["always", *head[1:]]
    if head[0] == "always_comb":
        return ["always", "@", "*"] if style.star == "@*" else ["always", "@", "(", "*", ")"]
    return head


def _zero_of(words: list[str], found: Facts) -> str:
    """A zero as wide as what is assigned; empty where that is not known."""
    names, _ = targets(words)
    if len(names) != 1 or names[0] not in found.signals:
        return ""
    packed = found.signals[names[0]].packed
    if not packed:
        return "1'b0"
    return "0"


def _is_typedef(part: Part) -> bool:
    return isinstance(part, Line) and part.words[0] == "typedef"


def _is_enum(part: Part) -> bool:
    return isinstance(part, Line) and part.words[:2] == ["typedef", "enum"]


def _all(found: Facts) -> list[Declared]:
    return list(found.signals.values())


def _commas(names: list[str]) -> list[str]:
    return [word for name in names for word in (",", name)][1:]
