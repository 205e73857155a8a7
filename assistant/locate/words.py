"""The words of a report and of RTL, so that they can meet: `rdPtr_next` is rd, ptr and next."""

from __future__ import annotations

import re
from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_STOP_WORDS = """a an and are as at be been but by can do does for from has have how i if in into is it its me my no not
    of on or our so than that the their then there these this to too was we were what when which while who will with you
    your should would could instead expected actual got bug issue fix wrong value values always test tests fails failed
    module endmodule input output inout wire reg logic begin end assign else posedge negedge case endcase parameter
    localparam initial integer"""
_STOP = frozenset(_STOP_WORDS.split())
_SHORTER = {
    "address": "addr",
    "acknowledge": "ack",
    "register": "reg",
    "counter": "cnt",
    "count": "cnt",
    "pointer": "ptr",
    "enable": "en",
    "reset": "rst",
    "clock": "clk",
    "request": "req",
    "response": "resp",
    "configuration": "cfg",
    "control": "ctrl",
    "interrupt": "irq",
    "write": "wr",
    "read": "rd",
    "transmit": "tx",
    "receive": "rx",
    "data": "dat",
    "valid": "vld",
    "ready": "rdy",
    "select": "sel",
    "instruction": "instr",
    "length": "len",
    "previous": "prev",
    "current": "cur",
    "error": "err",
    "packet": "pkt",
    "buffer": "buf",
    "command": "cmd",
    "multiply": "mul",
    "divide": "div",
    "state": "st",
    "initial": "init",
    "maximum": "max",
    "minimum": "min",
}
"""What designers write for it; either stands for both."""
_LONGER = {short: long for long, short in _SHORTER.items()}


def identifiers(text: str) -> list[str]:
    """The names in a text, as they are written."""
    return _IDENTIFIER.findall(text)


def parts(names: Iterable[str]) -> list[str]:
    """The words that names are made of, in lower case, without little words."""
    split = (part.lower() for name in names for piece in name.split("_") for part in _CAMEL.split(piece))
    return [stem(part) for part in split if len(part) > 1 and part not in _STOP]


def widened(words: Iterable[str]) -> list[str]:
    """Words with what designers shorten them to, and the other way round."""
    found: dict[str, None] = {}
    for word in words:
        found[word] = None
        for table in (_SHORTER, _LONGER):
            if word in table:
                found[stem(table[word])] = None
    return list(found)


def stem(word: str) -> str:
    """Without a plural or a participle's ending."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
