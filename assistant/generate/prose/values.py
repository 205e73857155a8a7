"""Numbers, operands and Boolean expressions as prose and Verilog write them."""

from __future__ import annotations

import re
from collections.abc import Callable

from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.prose.circuit import Expr, bitwise, const, inverse, name, part

_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "sixteen": 16, "low": 0, "high": 1, "false": 0, "true": 1, "zeros": 0, "zeroes": 0,
}  # fmt: skip
_LITERAL = re.compile(r"(?:(\d+)?'([bdoh])([0-9a-f_]+))|0x([0-9a-f_]+)|(\d+)", re.I)
_BASES = {"b": 2, "o": 8, "d": 10, "h": 16}


def number(text: str) -> int | None:
    """A number in digits, as a literal or as a word; none if it is none."""
    text = text.strip("`'\"(),. ").lower()
    if text in _WORDS:
        return _WORDS[text]
    match = _LITERAL.fullmatch(text)
    if match is None:
        return None
    _, base, digits, hexadecimal, plain = match.groups()
    try:
        if base:
            return int(digits.replace("_", ""), _BASES[base.lower()])
        return int(hexadecimal.replace("_", ""), 16) if hexadecimal else int(plain)
    except ValueError:
        return None


_TOKEN = re.compile(r"\s*(?:(\d+'[bdoh][0-9a-f_]+|\d+)|([A-Za-z_]\w*(?:\[\d+(?::\d+)?\])?)|(~\^|\^~|[~!&|^()]))", re.I)


def boolean(text: str, interface: Interface) -> Expr | None:
    """An expression of `~ ! & | ^` and `and or not xor nand nor xnor` over inputs of one width; none if it is none."""
    tokens: list[str] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        tokens.append(match[0].strip())
        at = match.end()
    parser = _Boolean(tokens, interface)
    found = parser.level(0)
    return found if found is not None and not parser.tokens else None


_LEVELS = (("|", "or"), ("^", "xor", "~^", "^~", "xnor"), ("&", "and"))


class _Boolean:
    """Recursive descent over the usual precedences: not, and, xor, or."""

    def __init__(self, tokens: list[str], interface: Interface) -> None:
        self.tokens = tokens
        self._interface = interface

    def level(self, depth: int) -> Expr | None:
        if depth == len(_LEVELS):
            return self._unary()
        left = self.level(depth + 1)
        while left is not None and self.tokens and self.tokens[0].lower() in _LEVELS[depth]:
            word = self.tokens.pop(0).lower()
            right = self.level(depth + 1)
            if right is None or right.width != left.width:
                return None
            left = _apply(word, left, right)
        return left

    def _unary(self) -> Expr | None:
        if not self.tokens:
            return None
        word = self.tokens.pop(0)
        if word in ("~", "!") or word.lower() == "not":
            inner = self._unary()
            return inverse(inner) if inner is not None else None
        if word == "(":
            inner = self.level(0)
            return inner if inner is not None and self.tokens and self.tokens.pop(0) == ")" else None
        return operand(word, self._interface)


_GATES: dict[str, Callable[[list[Expr]], Expr]] = {
    "and": lambda inputs: bitwise("&", inputs),
    "or": lambda inputs: bitwise("|", inputs),
    "xor": lambda inputs: bitwise("^", inputs),
    "nand": lambda inputs: inverse(bitwise("&", inputs)),
    "nor": lambda inputs: inverse(bitwise("|", inputs)),
    "xnor": lambda inputs: inverse(bitwise("^", inputs)),
}
_SIGNS = {"&": "and", "|": "or", "^": "xor", "~^": "xnor", "^~": "xnor"}


def _apply(word: str, left: Expr, right: Expr) -> Expr:
    return _GATES[_SIGNS.get(word, word)]([left, right])


def gate(kind: str, inputs: list[Expr]) -> Expr:
    """A gate by its name."""
    return _GATES[kind](inputs)


def operand(text: str, interface: Interface, *, width: int | None = None) -> Expr | None:
    """A port, some of its bits, or a constant; none if it is none."""
    text = text.strip("`'\"_ ")
    literal = re.fullmatch(r"(\d+)'([bdoh])([0-9a-f_]+)", text, re.I)
    if literal is not None:
        value = number(text)
        return const(value, int(literal[1])) if value is not None else None
    match = re.fullmatch(r"([A-Za-z_]\w*)(?:\[(\d+)(?::(\d+))?\])?", text)
    if match is not None and (port := interface.port(match[1])) is not None:
        if match[2] is None:
            return name(port.name, port.width_bits)
        high, low = int(match[2]), int(match[3] or match[2])
        return part(port, high, low) if port.lsb <= low <= high <= port.msb else None
    value = number(text)
    return const(value, width) if value is not None and width is not None and value < 1 << width else None
