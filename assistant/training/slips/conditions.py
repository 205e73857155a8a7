"""Slips in conditions and their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from random import Random

from veriloop.assistant.training.slips.source import CONTROL, RESET, Edit, Edits, Source


def condition_part(source: Source, random: Random) -> Iterator[Edits]:
    """A condition that asks for one thing too few."""
    for line in source.body():
        code, text = source.code[line], source.lines[line]
        for match in re.finditer(r"\s*(?:&&|\|\||(?<![&|])[&|](?![&|]))\s*[!~]?\w+(?:\[[^\]]*\])?(?=\s*[);?&|])", code):
            yield source.rewritten(line, text[: match.start()] + text[match.end() :])
        for match in re.finditer(r"(?<=\()[!~]?\w+\s*(?:&&|\|\|)\s*(?=[^()]*\))", code):
            yield source.rewritten(line, text[: match.start()] + text[match.end() :])


def condition_added(source: Source, random: Random) -> Iterator[Edits]:
    """A condition that asks for one thing too many."""
    bits = [name for name, dimensions in source.dimensions.items() if not dimensions]
    bits = [name for name in bits if not CONTROL.search(name)]
    for line in source.body():
        match = re.search(r"\bif\s*\((\w+)\)", source.code[line])
        if match and match[1] in bits and len(bits) > 1:
            other = random.choice([name for name in bits if name != match[1]])
            added = f"{match[1]} && {random.choice(('', '!'))}{other}"
            text = source.lines[line]
            yield source.rewritten(line, text[: match.start(1)] + added + text[match.end(1) :])


def priority(source: Source, random: Random) -> Iterator[Edits]:
    """The conditions of an if and of the else-if after it changed over."""
    conditions = [
        (line, match)
        for line in source.body()
        if (match := re.search(r"\bif\s*\(((?:[^()]|\([^()]*\))*)\)", source.code[line]))
    ]
    for (first, one), (second, two) in pairwise(conditions):
        alternative = re.search(r"\belse\s+if\b", source.code[second])
        if alternative and second - first <= 6 and not RESET.search(source.code[first]) and one[1] != two[1]:
            a, b = source.lines[first], source.lines[second]
            yield (
                Edit(first + 1, (a,), (a[: one.start(1)] + two[1] + a[one.end(1) :],)),
                Edit(second + 1, (b,), (b[: two.start(1)] + one[1] + b[two.end(1) :],)),
            )


def else_lost(source: Source, random: Random) -> Iterator[Edits]:
    """An `else if` that became an `if` of its own."""
    for line in source.body():
        match = re.search(r"\belse\s+(?=if\b)", source.code[line])
        if match and re.match(r"\s*(?:end\s+)?else", source.code[line]):
            text = source.lines[line]
            yield source.rewritten(line, text[: match.start()] + text[match.end() :])
