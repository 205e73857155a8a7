"""Slips with lines: left out, copied, mixed up, or of the wrong kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from veriloop.assistant.training.slips.source import Edit, Edits, Source


def swapped_lines(source: Source, random: Random) -> Iterator[Edits]:
    """The right sides of two lines of the same form changed over: two arms of a case, two branches."""
    body = list(source.body())
    for first, second in ((a, b) for a in body for b in body if 0 < b - a <= 3):
        one, two = (re.match(r"(.*?<?=\s*)([^=].*;)\s*$", source.code[line]) for line in (first, second))
        if one and two and one[1].split()[-2:] == two[1].split()[-2:] and one[2] != two[2]:
            yield (
                Edit(first + 1, (source.lines[first],), (one[1] + two[2],)),
                Edit(second + 1, (source.lines[second],), (two[1] + one[2],)),
            )


def copied(source: Source, random: Random) -> Iterator[Edits]:
    """A line copied from the one above, where one name was not changed."""
    body = list(source.body())
    for line in body:
        if line - 1 not in body:
            continue
        above, here = source.words[line - 1], source.words[line]
        if len(above) != len(here):
            continue
        differing = [(one, two) for one, two in zip(above, here, strict=True) if one.text != two.text]
        if 2 <= len(differing) <= 4 and all(re.match(r"[\w']", one.text + two.text) for one, two in differing):
            old, new = random.choice(differing[1:])
            yield source.replaced(line, new, old.text)


def no_reset(source: Source, random: Random) -> Iterator[Edits]:
    """A register that the reset forgets."""
    for line in sorted(source.reset_lines):
        if source.statement(line):
            yield source.removed(line)


def reset_value(source: Source, random: Random) -> Iterator[Edits]:
    """A register that starts with another value."""
    for line in sorted(source.reset_lines):
        match = re.search(r"<=\s*(.+?)\s*;", source.code[line])
        if match is None:
            continue
        value = match[1]
        if value in ("'0", "0"):
            by = "1"
        elif value in ("1'b0", "1'b1"):
            by = "1'b1" if value == "1'b0" else "1'b0"
        elif others := source.alike(value):
            by = random.choice(others)
        else:
            by = "0"
        yield source.rewritten(line, source.lines[line][: match.start(1)] + by + source.lines[line][match.end(1) :])


def left_out(source: Source, random: Random) -> Iterator[Edits]:
    """An assignment that is not there."""
    for line in source.body():
        if line not in source.reset_lines and source.statement(line):
            yield source.removed(line)


def no_default(source: Source, random: Random) -> Iterator[Edits]:
    """A default arm, another arm of one line, or the default values above a case."""
    for line in source.body():
        code = source.code[line]
        arm = re.match(r"\s*(default|[\w', ]+)\s*:\s*[^:]*;\s*$", code)
        value = re.match(r"\s*\w+\s*=[^=].*;", code) and source.statement(line)
        if arm or (value and re.match(r"\s*(case|if)\b", source.code[line + 1])):
            yield source.removed(line)


def edge(source: Source, random: Random) -> Iterator[Edits]:
    """The other edge of a clock or a reset."""
    for line, code in enumerate(source.code):
        text = source.lines[line]
        for match in re.finditer(r"\b(posedge|negedge)\b", code):
            by = "negedge" if match[1] == "posedge" else "posedge"
            yield source.rewritten(line, text[: match.start()] + by + text[match.end() :])


def blocking(source: Source, random: Random) -> Iterator[Edits]:
    """A blocking assignment to a register, or one that is not to anything else."""
    clocked = False
    for line in source.body():
        code = source.code[line]
        if re.search(r"\balways", code):
            clocked = bool(re.search(r"\b(posedge|negedge)\b", code))
        match = re.match(r"(.*[\w\]}]\s*)(<=|(?<![<>=!])=(?!=))(\s.*;)\s*$", code)
        if match is None or re.match(r"\s*(assign|wire)\b", code) or re.search(r"\bfor\b", code):
            continue
        if (match[2] == "<=") == clocked:
            text = source.lines[line]
            by = "=" if match[2] == "<=" else "<="
            yield source.rewritten(line, text[: match.start(2)] + by + text[match.end(2) :])
