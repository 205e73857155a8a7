"""What a macro becomes (IEEE 1800-2017, 22.5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.words import word_at

_MAX_DEPTH = 20
_MAX_BYTES = 100_000
_USE = re.compile(r"`([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A use of a macro and the text that it stands for."""

    name: str
    at: Place
    text: str


def expand(analysis: Analysis, source: Source, at: int) -> Expansion | None:
    """The use of a macro at a byte with all macros in it replaced; none where no known macro is used."""
    word = word_at(source.content, at + (source.content[at : at + 1] == b"`"))
    if word is None or source.content[word[1] - 1 : word[1]] != b"`":
        return None
    symbol = analysis.lookup.at(source, word[1])
    if symbol is None or not symbol.is_macro:
        return None
    content = source.text(word[1] - 1, len(source.content))
    text, length = _replaced(analysis, symbol, content[1 + len(word[0]) :], 0)
    end = word[1] + len(word[0].encode()) + length
    return Expansion(word[0], Place(source.path, word[1] - 1, end), text.strip())


def _replaced(analysis: Analysis, symbol: Symbol, after: str, depth: int) -> tuple[str, int]:
    """The text of a use, and how much of what follows the name belongs to it, in bytes."""
    body, formals = _definition(symbol)
    length = 0
    if formals:
        arguments, consumed = _arguments(after)
        length = len(after[:consumed].encode())
        values = {name: (arguments[index] if index < len(arguments) and arguments[index] else default)
                  for index, (name, default) in enumerate(formals)}  # fmt: skip
        pattern = re.compile(r"\b(" + "|".join(re.escape(name) for name in values) + r")\b")
        body = pattern.sub(lambda match: values[match[1]], body)
    body = body.replace("``", "").replace('`"', '"').replace('`\\`"', '\\"')
    return _inner(analysis, symbol, body, depth), length


def _inner(analysis: Analysis, symbol: Symbol, body: str, depth: int) -> str:
    if depth >= _MAX_DEPTH or len(body) > _MAX_BYTES:
        return body
    done, at = "", 0
    while match := _USE.search(body, at):
        done += body[at : match.start()]
        inner = analysis.lookup.macro(symbol.source, match[1])
        if inner is None:
            done += match[0]
            at = match.end()
            continue
        rest = body[match.end() :]
        text, length = _replaced(analysis, inner, rest, depth + 1)
        done += text
        at = match.end() + len(rest.encode()[:length].decode("utf-8", errors="ignore"))
    return done + body[at:]


def _definition(symbol: Symbol) -> tuple[str, list[tuple[str, str]]]:
    """The body of a macro, and its formal arguments with their defaults."""
    one = symbol.declaration
    source = symbol.source
    end = one.at
    while True:
        end = source.content.find(b"\n", end)
        if end < 0:
            end = len(source.content)
            break
        if not source.content[:end].rstrip(b"\r").endswith(b"\\"):
            break
        end += 1
    text = source.text(one.at + len(one.name.encode()), end)
    formals: list[tuple[str, str]] = []
    if text.startswith("("):
        arguments, consumed = _arguments(text)
        for argument in arguments:
            name, _, default = argument.partition("=")
            formals.append((name.strip(), default.strip()))
        text = text[consumed:]
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"\\\r?\n", "\n", text).strip(), formals


def _arguments(text: str) -> tuple[list[str], int]:
    """What stands between the parentheses that a text begins with, and where they end."""
    opening = len(text) - len(text.lstrip())
    if text[opening : opening + 1] != "(":
        return [], 0
    found, depth, start = [], 0, opening + 1
    in_string = False
    for position in range(opening, len(text)):
        letter = text[position]
        if letter == '"' and text[position - 1] != "\\":
            in_string = not in_string
        elif in_string:
            continue
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth == 0:
                found.append(text[start:position].strip())
                return found, position + 1
        elif letter == "," and depth == 1:
            found.append(text[start:position].strip())
            start = position + 1
    return found, len(text)
