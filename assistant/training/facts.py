"""What is declared in a module and how it is driven."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from veriloop.assistant.training.code import Block, Case, Headed, If, Instance, Item, Line, Module, Part, Region, walk

_NAME = re.compile(r"[A-Za-z_]\w*$")
_ARITHMETIC = re.compile(r"[\d\s()+\-*/%<>=!&|^~?:,]*$")
_LITERAL = re.compile(r"(\d*)\s*'[sS]?([bodhBODH])\s*([\da-fA-F_]+)$")
_RADIX = {"b": 2, "o": 8, "d": 10, "h": 16}


@dataclass(frozen=True, slots=True)
class Declared:
    """One signal or port: its type's words without dimensions, its packed dimensions, its unpacked ones."""

    name: str
    type: tuple[str, ...]
    packed: tuple[str, ...] = ()
    unpacked: tuple[str, ...] = ()
    direction: str = ""


@dataclass(slots=True)
class Facts:
    """What the rewriting of a module has to know."""

    signals: dict[str, Declared] = field(default_factory=dict)
    """Ports too."""
    constants: dict[str, list[str]] = field(default_factory=dict)
    """Parameters and local parameters, with the words of their values, in order."""
    parameters: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    procedural: set[str] = field(default_factory=set)
    registers: set[str] = field(default_factory=set)
    continuous: set[str] = field(default_factory=set)
    """Driven by `assign`."""
    instances: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    genvars: list[str] = field(default_factory=list)

    def values(self, overrides: Mapping[str, int] | None = None) -> dict[str, int]:
        """The constants that are plain numbers."""
        found: dict[str, int] = {}
        for name, value in self.constants.items():
            number = overrides[name] if overrides and name in overrides else evaluate(value, found)
            if number is not None:
                found[name] = number
        return found


def facts(module: Module) -> Facts:
    """Reads a module."""
    found = Facts()
    for entry in module.parameters:
        found.parameters.append(entry.name)
        found.constants[entry.name] = entry.words[entry.words.index("=") + 1 :]
    for port in module.ports:
        declared = declarations([*port.words, ";"])[0]
        found.signals[declared.name] = declared
    for part in walk(module):
        _read(part, found)
    for part in module.body:
        if isinstance(part, Headed) and part.head[0].startswith(("always", "initial")):
            _drives(part.body, found)
        elif isinstance(part, Region | Headed | If):
            _generated(part, found)
    return found


def declarations(words: Sequence[str]) -> list[Declared]:
    """The signals that a declaration declares; its last word is the semicolon."""
    names = split(list(words[:-1]))
    first = names[0]
    end = next((index for index, word in enumerate(first) if word in ("=",)), len(first))
    position = max(
        index
        for index, word in enumerate(first[:end])
        if _NAME.match(word) and (index + 1 == end or first[index + 1] == "[") and _depth(first, index) == 0
    )
    head = first[:position]
    bracket = head.index("[") if "[" in head else len(head)
    type_words, packed = tuple(head[:bracket]), tuple(head[bracket:])
    direction = type_words[0] if type_words and type_words[0] in ("input", "output", "inout") else ""
    found = []
    for index, one in enumerate(names):
        name_words = one[position:] if index == 0 else one
        stop = name_words.index("=") if "=" in name_words else len(name_words)
        found.append(Declared(name_words[0], type_words, packed, tuple(name_words[1:stop]), direction))
    return found


def split(tokens: Sequence[str], separator: str = ",") -> list[list[str]]:
    """Splits tokens at separators that stand in no brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += token in ("(", "[", "{", "'{", "'(")
        depth -= token in (")", "]", "}")
        if token == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def is_declaration(words: Sequence[str], types: Sequence[str] = ()) -> bool:
    """Whether a line declares signals."""
    return words[0] in ("logic", "reg", "wire", "bit", "integer", "int") or words[0] in types


def width_bits(declared: Declared, values: Mapping[str, int]) -> int:
    """The width of a signal, one element of it where it is an array.

    Raises:
        ValueError: a bound is not a constant.
    """
    bits = 1
    for dimension in _dimensions(declared.packed):
        high, low = (evaluate(side, values) for side in split(dimension, ":"))
        if high is None or low is None:
            raise ValueError(f"the width of {declared.name} is not a number")
        bits *= abs(high - low) + 1
    return bits


def evaluate(words: Sequence[str], values: Mapping[str, int]) -> int | None:
    """The value of a constant expression of numbers, known names and `$clog2`; none where it is anything else."""
    text = []
    for word in words:
        literal = _LITERAL.match(word)
        if literal:
            text.append(str(int(literal[3].replace("_", ""), _RADIX[literal[2].lower()])))
        elif word in values:
            text.append(str(values[word]))
        elif word == "$clog2":
            text.append("CLOG")
        elif word == "/":
            text.append("//")
        else:
            text.append(word.replace("_", "") if word[0].isdigit() else word)
    joined = " ".join(text)
    if not joined or not _ARITHMETIC.match(joined.replace("CLOG", "")) or "?" in joined:
        return None
    try:
        # Nothing but digits, operators and our own function gets here.
        value = eval(joined, {"__builtins__": {}}, {"CLOG": lambda number: max(0, (int(number) - 1).bit_length())})
    except (SyntaxError, ArithmeticError, TypeError):
        return None
    return int(value) if isinstance(value, int) else None


def rewrite(part: Part, change: Callable[[list[str]], list[str]]) -> None:
    """Changes every list of words in a part, in place."""
    for inner in walk(part):
        match inner:
            case Line():
                inner.words = change(inner.words)
            case If():
                inner.test = change(inner.test)
            case Case():
                inner.head = change(inner.head)
            case Item():
                inner.label = change(inner.label)
            case Headed() | Region():
                inner.head = change(inner.head)
            case Instance():
                inner.parameters = [(name, change(value)) for name, value in inner.parameters]
                inner.ports = [(name, change(value)) for name, value in inner.ports]
            case Module():
                for entry in (*inner.parameters, *inner.ports):
                    entry.words = change(entry.words)


def targets(words: Sequence[str]) -> tuple[list[str], str]:
    """The names that an assignment drives, and its operator; nothing where it is no assignment."""
    depth = 0
    start = 1 if words[0] == "assign" else 0
    for index, word in enumerate(words):
        depth += word in ("(", "[", "{")
        depth -= word in (")", "]", "}")
        if depth == 0 and word in ("<=", "=", "+=", "-="):
            left = words[start:index]
            if left and left[0] == "{":
                return [one[0] for one in split(left[1:-1])], word
            return list(left[:1]), word
    return [], ""


def _depth(words: Sequence[str], index: int) -> int:
    return sum((word == "[") - (word == "]") for word in words[:index])


def _dimensions(words: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = []
    depth = 0
    for word in words:
        if word == "[" and depth == 0:
            found.append([])
        elif not (word == "]" and depth == 1):
            found[-1].append(word)
        depth += (word == "[") - (word == "]")
    return found


def _read(part: Part, found: Facts) -> None:
    match part:
        case Line(words=["localparam", *_] as line):
            for one in split(line[1:-1]):
                name = one[one.index("=") - 1]
                found.constants[name] = one[one.index("=") + 1 :]
        case Line(words=["typedef", "enum", *_] as line):
            members = line[line.index("{") + 1 : line.index("}")]
            found.states += [one[0] for one in split(members)]
            found.types.append(line[-2])
        case Line(words=["typedef", *_] as line):
            found.types.append(line[-2])
        case Line(words=["genvar", *rest]):
            found.genvars += [word for word in rest if _NAME.match(word)]
        case Line(words=["assign", *_]):
            found.continuous.update(targets(part.words)[0])
        case Line() if is_declaration(part.words, found.types):
            for declared in declarations(part.words):
                found.signals.setdefault(declared.name, declared)
        case Headed() if part.head[0] == "for" and part.head[2] == "genvar":
            found.genvars.append(part.head[3])
        case Region() if part.tail == "endfunction":
            found.functions.append(part.head[part.head.index("(") - 1])
        case Instance():
            found.instances.append(part.name)
        case Block() if part.label:
            found.labels.append(part.label)


def _drives(part: Part, found: Facts) -> None:
    for inner in walk(part):
        if isinstance(inner, Line):
            names, operator = targets(inner.words)
            found.procedural.update(names)
            if operator == "<=":
                found.registers.update(names)


def _generated(part: Part, found: Facts) -> None:
    """The processes in generate regions."""
    for inner in walk(part):
        if isinstance(inner, Headed) and inner.head[0].startswith(("always", "initial")):
            _drives(inner.body, found)
