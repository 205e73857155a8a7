"""Changes of form that keep the language: resets, constants, literals, blocks, the order of declarations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from veriloop.assistant.training.code import Block, Case, Headed, If, Instance, Item, Line, Module, Part, Region, walk
from veriloop.assistant.training.facts import Facts, declarations, evaluate, is_declaration, rewrite
from veriloop.assistant.training.names import is_clock, is_reset
from veriloop.assistant.training.style import Style

_LITERAL = re.compile(r"(\d+)'([dhb])([\da-fA-F_]+)$")
_RADIX = {"b": 2, "d": 10, "h": 16}
_BITS_IN_BINARY = 8
_OPENERS = frozenset(("(", "[", ":", ",", "==", "!=", "<", "<=", ">", ">=", "{", "=", "?", "#"))
_CLOSERS = frozenset((")", "]", ":", ",", ";", "+", "-", "{", "&&", "||", "?", "}"))


def only_synchronous(module: Module) -> bool:
    """Whether a reset is used otherwise than as the first condition of clocked processes."""
    uses = 0

    def count(words: list[str]) -> list[str]:
        nonlocal uses
        uses += sum(is_reset(word) for word in words)
        return words

    for part in module.body:
        if isinstance(part, Instance):
            continue
        rewrite(part, count)
    return uses != sum(_reset_condition(part) is not None for part in module.body)


def _reset_condition(part: Part) -> If | None:
    """The condition on the reset that a clocked process starts with."""
    if not isinstance(part, Headed) or part.head[0] != "always_ff":
        return None
    body = part.body
    if isinstance(body, Block) and len(body.body) == 1:
        body = body.body[0]
    if isinstance(body, If) and len(body.test) == 1 and is_reset(body.test[0]):
        return body
    return None


def set_reset(module: Module, style: Style) -> None:
    """Makes resets asynchronous or active low; canonical ones are synchronous and active high."""
    for part in module.body:
        condition = _reset_condition(part)
        if condition is not None and isinstance(part, Headed) and style.reset_async:
            edge = "negedge" if style.reset_low else "posedge"
            part.head = [*part.head[:-1], "or", edge, condition.test[0], ")"]
    if not style.reset_low:
        return

    def invert(words: list[str]) -> list[str]:
        out: list[str] = []
        for index, word in enumerate(words):
            if not is_reset(word) or (index and words[index - 1] == "negedge"):
                out.append(word)
            elif words == [word] and style.not_reset.startswith("=="):
                out += [word, "==", "1'b0"]
            elif out[-1:] in (["!"], ["~"]):
                out[-1:] = [word]
            else:
                out += [style.not_reset if style.not_reset in "!~" else "!", word]
        return out

    for part in module.body:
        if not isinstance(part, Instance):
            rewrite(part, invert)


def place_constants(module: Module, found: Facts, style: Style, fixed: bool) -> list[str]:
    """Writes parameters as the style has them; returns the lines of macros that go before the module.

    Args:
        module: rewritten in place.
        found: its facts.
        style: parameter, localparam, define or magic.
        fixed: an instance sets the parameters, so they have to stay.
    """
    if fixed or style.constants == "parameter" or not found.parameters:
        return []
    values = found.values()
    if style.constants == "localparam":
        lines: list[Part] = [
            Line(["localparam", *entry.words[1:], ";"], note=entry.note) for entry in module.parameters
        ]
        used_in_ports = {word for port in module.ports for word in port.words} & set(found.parameters)
        if used_in_ports:
            _substitute(module, {name: str(values[name]) for name in used_in_ports if name in values}, ports_only=True)
            _fold(module)
        module.body[:0] = lines
        module.parameters = []
        return []
    names = [name for name in found.parameters if name in values]
    if len(names) < len(found.parameters):
        return []
    if style.constants == "define":
        macros = [f"`define {entry.name} {_text(entry.words)}" for entry in module.parameters]
        _substitute(module, {name: f"`{name}" for name in names})
        module.parameters = []
        return macros
    texts = {entry.name: _text(entry.words) for entry in module.parameters}
    numbers = {name: texts[name] if "'" in texts[name] else str(values[name]) for name in names}
    module.parameters = []
    _substitute(module, numbers)
    _fold(module)
    return []


def _text(words: list[str]) -> str:
    value = words[words.index("=") + 1 :]
    return value[0] if len(value) == 1 else f"({' '.join(value)})"


def _substitute(module: Module, names: Mapping[str, str], *, ports_only: bool = False) -> None:
    def change(words: list[str]) -> list[str]:
        return [names.get(word, word) for word in words]

    if ports_only:
        for port in module.ports:
            port.words = change(port.words)
    else:
        rewrite(module, change)


def _fold(module: Module) -> None:
    """Works out what is left of sums of numbers: `8-1` is 7."""
    rewrite(module, _folded)


def _folded(words: list[str]) -> list[str]:
    changed = True
    while changed:
        changed = False
        for index, word in enumerate(words):
            before = words[index - 1] if index else ""
            if word == "$clog2" and words[index + 1 : index + 4 : 2] == ["(", ")"]:
                size = 4
            elif before in _OPENERS and (
                (word == "(" and words[index + 2 : index + 3] == [")"])
                or (index + 3 <= len(words) and _CLOSERS.issuperset(words[index + 3 : index + 4]))
            ):
                size = 3
            else:
                continue
            piece = words[index : index + size]
            if word != "$clog2" and not all(one.isdigit() or one in "+-*/()" for one in piece):
                continue
            if word not in ("$clog2", "(") and not (piece[0].isdigit() and piece[2].isdigit()):
                continue
            value = evaluate(piece, {})
            if value is not None and value >= 0:
                words = [*words[:index], str(value), *words[index + size :]]
                changed = True
                break
    return words


def set_radix(module: Module, style: Style) -> None:
    """Writes sized literals to the style's base."""
    if style.radix == "keep":
        return

    def literal(word: str) -> str:
        match = _LITERAL.match(word)
        if match is None or int(match[1]) < 2:
            return word
        bits, value = int(match[1]), int(match[3].replace("_", ""), _RADIX[match[2].lower()])
        if style.radix == "b":
            return f"{bits}'b{value:0{bits}b}" if bits <= _BITS_IN_BINARY else word
        if style.radix == "h":
            digits = f"{value:0{(bits + 3) // 4}x}"
            return f"{bits}'h{digits.upper() if style.names % 2 else digits}"
        return f"{bits}'d{value}"

    rewrite(module, lambda words: [literal(word) for word in words])


def set_blocks(module: Module, style: Style) -> None:
    """Adds `begin` and `end` around every statement of processes, or leaves them only where they are needed."""
    if style.begin == "keep":
        return
    change = _wrapped if style.begin == "all" else _unwrapped
    for part in module.body:
        for inner in walk(part):
            if isinstance(inner, Headed) and inner.head[0].startswith(("always", "initial")):
                inner.body = change(inner.body)
                for statement in list(walk(inner.body)):
                    _change_inside(statement, change)


def _change_inside(part: Part, change: Callable[[Part], Part]) -> None:
    match part:
        case If():
            part.then = change(part.then)
            if part.other is not None and not isinstance(part.other, If):
                part.other = change(part.other)
        case Headed() | Item() if not (isinstance(part.body, Line) and isinstance(part, Item)):
            part.body = change(part.body)


def _wrapped(part: Part) -> Part:
    return part if isinstance(part, Block) else Block([part])


def _unwrapped(part: Part) -> Part:
    if not isinstance(part, Block) or part.label or len(part.body) != 1 or part.lead:
        return part
    (only,) = part.body
    # A condition under a condition would take the other's `else`.
    return only if isinstance(only, Line) or (isinstance(only, Case) and not only.lead) else part


def merge_wires(module: Module, found: Facts) -> None:
    """Puts a wire's declaration and its assignment on one line where nothing stands between that needs it earlier."""
    assigned: dict[str, tuple[int, Line]] = {}
    for index, part in enumerate(module.body):
        if isinstance(part, Line) and part.words[0] == "assign" and part.words[2:3] == ["="]:
            assigned[part.words[1]] = (index, part)
    body: list[Part] = []
    for index, part in enumerate(module.body):
        if isinstance(part, Line) and part.words[0] == "wire" and not ("," in part.words or "=" in part.words):
            declared = declarations(part.words)[0]
            at, assignment = assigned.get(declared.name, (0, part))
            between = module.body[index + 1 : at]
            if at and not any(_mentions(one, declared.name) for one in between):
                line = Line([*part.words[:-1], *assignment.words[2:]], lead=[*part.lead, *assignment.lead])
                line.note = assignment.note or part.note
                module.body[at] = line
                continue
        body.append(module.body[index])
    module.body = body


def _mentions(part: Part, name: str) -> bool:
    seen = False

    def look(words: list[str]) -> list[str]:
        nonlocal seen
        seen = seen or name in words
        return words

    rewrite(part, look)
    return seen


def shuffle_declarations(module: Module, found: Facts, random: Random) -> None:
    """Gathers the plain declarations at the top, in another order."""
    plain = [
        part
        for part in module.body
        if isinstance(part, Line) and part.words[0] in ("logic", "reg", "wire") and "=" not in part.words
    ]
    local = {
        word
        for part in module.body
        if isinstance(part, Line) and part.words[0] in ("localparam", "typedef")
        for word in part.words
    }
    if any(word in local and word in found.constants for part in plain for word in part.words):
        return
    order = list(plain)
    random.shuffle(order)
    rest = [part for part in module.body if not any(part is one for one in plain)]
    at = next((index for index, part in enumerate(rest) if not _early(part, found)), len(rest))
    module.body = [*rest[:at], *order, *rest[at:]]


def _early(part: Part, found: Facts) -> bool:
    return isinstance(part, Line) and (
        part.words[0] in ("localparam", "typedef", "genvar") or is_declaration(part.words, found.types)
    )


def compare_bits(module: Module, found: Facts) -> None:
    """Writes a condition on one bit as a comparison with 1."""
    for part in walk(module):
        if isinstance(part, If) and len(part.test) == 1 and not is_reset(part.test[0]):
            declared = found.signals.get(part.test[0])
            if declared is not None and not declared.packed:
                part.test = [part.test[0], "==", "1'b1"]


def add_generate(module: Module) -> None:
    """Puts each generate loop or condition between `generate` and `endgenerate`."""
    for index, part in enumerate(module.body):
        loop = isinstance(part, Headed) and part.head[0] == "for"
        if loop or isinstance(part, If):
            lead, part.lead = part.lead, []
            module.body[index] = Region(["generate"], [part], "endgenerate", lead=lead)


def clock_last(module: Module) -> None:
    """Puts clocks and resets behind the other ports."""
    module.ports.sort(key=lambda port: is_clock(port.name) or is_reset(port.name))
