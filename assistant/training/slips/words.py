"""Slips in a word: a wrong name, number, operator, width, sign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from veriloop.assistant.training.slips.source import ASSIGNS, KEYWORDS, LITERAL, NAME, Edits, Source, Word, read_words

_OPERATORS = {
    "+": "-",
    "-": "+",
    "&&": "||",
    "||": "&&",
    "&": "|",
    "|": "&",
    "^": "|",
    "==": "!=",
    "!=": "==",
    "<<": ">>",
    ">>": "<<",
    ">>>": ">>",
    "<": ">",
    ">": "<",
    ">=": ">",
}


def wrong_name(source: Source, random: Random) -> Iterator[Edits]:
    """A name that is read in place of another one of its kind."""
    for line, index, word in read_words(source):
        before = source.words[line][index - 1].text if index else ""
        if before != "." and (others := source.alike(word.text)):
            yield source.replaced(line, word, random.choice(others))


def wrong_target(source: Source, random: Random) -> Iterator[Edits]:
    """An assignment to another signal of the same width."""
    for line in source.body():
        match = re.match(r"\s*(?:assign\s+)?(\w+)\s*<?=(?!=)", source.code[line])
        if match and (others := source.alike(match[1])):
            word = Word(match[1], match.start(1), match.end(1))
            yield source.replaced(line, word, random.choice(others))


def negation(source: Source, random: Random) -> Iterator[Edits]:
    """A negation too many or too few."""
    for line, index, word in read_words(source):
        words = source.words[line]
        before = words[index - 1].text if index else ""
        after = words[index + 1].text if index + 1 < len(words) else ""
        if word.text in ("!", "~") and after not in ("^", "&", "|", "="):
            yield source.replaced(line, word, "")
        elif (
            NAME.match(word.text)
            and word.text in source.dimensions
            and not source.dimensions[word.text]
            and before in ("(", "&&", "||", "&", "|", "=")
            and after in (")", "&&", "||", "&", "|", ";", "?")
        ):
            yield source.replaced(line, word, f"!{word.text}" if random.random() < 0.6 else f"~{word.text}")


def off_by_one(source: Source, random: Random) -> Iterator[Edits]:
    """A comparison or a number that is one off."""
    compare = {"<": "<=", ">": ">=", ">=": ">"}
    for line, index, word in read_words(source):
        words = source.words[line]
        text = source.lines[line]
        before = words[index - 1].text if index else ""
        if word.text in compare:
            yield source.replaced(line, word, compare[word.text])
        elif word.text == "<=" and re.search(r"\b(if|for|while)\b|=.*<=|\?", source.code[line][: word.start]):
            yield source.replaced(line, word, "<")
        elif word.text == "1" and before in ("-", "+") and random.random() < 0.5:
            start = words[index - 1].start
            yield source.rewritten(line, f"{text[:start].rstrip()}{text[word.end :]}")
        elif NAME.match(word.text) and word.text in source.constants and before in ("==", "<", "-", "!="):
            yield source.replaced(line, word, f"{word.text} {random.choice('+-')} 1")
        elif (number := _changed(word.text, random.choice((-1, 1)))) and (before not in ("'", "{")):
            yield source.replaced(line, word, number)


def _changed(text: str, by: int) -> str:
    """A number one higher or lower in its own form; empty where that is none."""
    if re.fullmatch(r"\d+", text):
        return str(int(text) + by) if int(text) + by >= 0 else ""
    match = LITERAL.match(text)
    base = {"b": 2, "d": 10, "h": 16}
    if match is None or not re.fullmatch(r"[0-9a-fA-F_]+", match[3]):
        return ""
    bits, value = int(match[1]), int(match[3].replace("_", ""), base[match[2]]) + by
    if not 0 <= value < 1 << bits:
        return ""
    form = {"b": f"{value:0{len(match[3])}b}", "d": str(value), "h": f"{value:0{len(match[3])}x}"}
    return f"{bits}'{match[2]}{form[match[2]]}"


def wrong_constant(source: Source, random: Random) -> Iterator[Edits]:
    """A literal with a bit or a digit wrong."""
    for line in (*source.body(), *_constant_lines(source)):
        start = ASSIGNS.search(source.code[line])
        for word in source.words[line]:
            match = LITERAL.match(word.text)
            if match is None or (start and word.start < start.start() and ":" not in source.code[line]):
                continue
            bits, base, digits = int(match[1]), match[2], match[3]
            if base == "b" and re.fullmatch(r"[01]+", digits):
                place = random.randrange(len(digits))
                flipped = digits[:place] + ("0" if digits[place] == "1" else "1") + digits[place + 1 :]
                yield source.replaced(line, word, f"{bits}'b{flipped}")
            elif base == "d" and bits > 3 and len(digits) > 1 and digits != digits[::-1]:
                yield source.replaced(line, word, f"{bits}'d{digits[::-1].lstrip('0') or '0'}")
            elif base == "h" and len(digits) > 1:
                place = random.randrange(len(digits) - 1)
                typed = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
                yield source.replaced(line, word, f"{bits}'h{typed}")


def _constant_lines(source: Source) -> Iterator[int]:
    return (line for line, code in enumerate(source.code) if re.match(r"\s*localparam\b", code))


def operator(source: Source, random: Random) -> Iterator[Edits]:
    """Another operator of the same kind."""
    for line, index, word in read_words(source):
        words = source.words[line]
        before = words[index - 1].text if index else ""
        binary = before == ")" or before == "]" or before == "}" or re.match(r"\w", before) is not None
        if word.text in _OPERATORS and binary and before not in KEYWORDS:
            inside = source.code[line][: word.start]
            if inside.count("[") > inside.count("]") and word.text in "+-" and random.random() < 0.7:
                continue
            yield source.replaced(line, word, _OPERATORS[word.text])


def swapped(source: Source, random: Random) -> Iterator[Edits]:
    """Operands, alternatives or parts of a concatenation in the other order."""
    operand = r"[A-Za-z_]\w*(?:\[[^\[\]]*\])?"
    for line in source.body():
        code, text = source.code[line], source.lines[line]
        for match in re.finditer(rf"({operand})(\s*(?:-|<<|>>|<|>|>=)\s*)({operand}|\d+)(?![\w\[])", code):
            if not match[3].isdigit() and match[1] != match[3]:
                swapped = f"{match[3]}{match[2]}{match[1]}"
                yield source.rewritten(line, text[: match.start()] + swapped + text[match.end() :])
        for match in re.finditer(r"\?\s*([^?:;]+?)\s*:\s*([^?:;]+?)(?=\s*;)", code):
            swapped = f"? {match[2]} : {match[1]}"
            yield source.rewritten(line, text[: match.start()] + swapped + text[match.end() :])
        for match in re.finditer(r"\{([^{},]+),\s*([^{},]+)\}", code):
            swapped = f"{{{match[2].strip()}, {match[1].strip()}}}"
            yield source.rewritten(line, text[: match.start()] + swapped + text[match.end() :])


def width(source: Source, random: Random) -> Iterator[Edits]:
    """A signal one bit too wide or too narrow, or without its dimension."""
    for line, declares in enumerate(source.declaration):
        code, text = source.code[line], source.lines[line]
        is_port = re.match(r"\s*(input|output|inout)\b", code) is not None
        if not declares or is_port or not re.match(r"\s*(logic|reg|wire)\b", code):
            continue
        match = re.search(r"\[\s*([^\]:]+?)\s*:\s*0\s*\]", code)
        if match is None:
            continue
        high = match[1]
        if high.isdigit():
            choices = [str(int(high) - 1), str(int(high) + 1)] if int(high) else ["1"]
        else:
            choices = [re.sub(r"\s*-\s*1$", "", high), f"{high}-1"]
        yield source.rewritten(line, text[: match.start(1)] + random.choice(choices) + text[match.end(1) :])
        yield source.rewritten(line, text[: match.start()] + text[match.end() :].lstrip())


def bit_index(source: Source, random: Random) -> Iterator[Edits]:
    """A bit next to the one that is meant."""
    for line in source.body():
        code, text = source.code[line], source.lines[line]
        for match in re.finditer(r"(?<=\w)\[\s*(\w+)(\s*-\s*\d+)?\s*(?::\s*(\w+)\s*)?\]", code):
            if match[1].isdigit() and not match[2]:
                options = [str(max(0, int(match[1]) - 1)), str(int(match[1]) + 1)]
                by = random.choice([one for one in options if one != match[1]])
                yield source.rewritten(line, text[: match.start(1)] + by + text[match.end(1) :])
            elif match[2]:
                by = random.choice(("", f"-{int(match[2].replace('-', '')) + 1}"))
                yield source.rewritten(line, text[: match.start(2)] + by + text[match.end(2) :])


def stale(source: Source, random: Random) -> Iterator[Edits]:
    """The register where its next value is meant, or the other way round."""
    for line, index, word in read_words(source):
        before = source.words[line][index - 1].text if index else ""
        if before == "." or word.text not in source.dimensions:
            continue
        for name in source.dimensions:
            if name != word.text and (name.startswith(word.text) or word.text.startswith(name)):
                yield source.replaced(line, word, name)


def signedness(source: Source, random: Random) -> Iterator[Edits]:
    """A sign that is not kept."""
    for line, code in enumerate(source.code):
        text = source.lines[line]
        for match in re.finditer(r"\bsigned\s+|\$signed(?=\()|>>>", code):
            by = ">>" if match[0] == ">>>" else ""
            yield source.rewritten(line, text[: match.start()] + by + text[match.end() :])
