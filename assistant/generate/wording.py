"""What a specification says in words about reset, edges and state codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.questions import Question
from veriloop.assistant.generate.state_machine import Reset
from veriloop.assistant.generate.text import bare_lines, sentences

_STATE_AFTER = re.compile(
    r"(?:reset|start|begin)s?\b[^.]{0,60}?\b(?:to|into|in|at|from)\s+(?:the\s+)?state\s+[\"'`]?(\w+)", re.I
)
_LITERAL = r"(?:\d+'b)?([01]{2,})(?:\s*\(\s*\w+\s*\))?"
_LIST = re.compile(rf"{_LITERAL}\s*(?:,\s*(?:{_LITERAL}|\.\.\.|\u2026|and)\s*)+(?:{_LITERAL})?")


def read_reset(text: str, interface: Interface, states: Sequence[str]) -> tuple[Reset | None, tuple[str, ...]]:
    """How a machine is reset, and what of that had to be assumed.

    Args:
        text: the specification.
        interface: its ports; without one that is named as a reset there is none.
        states: the states, the first of which is assumed to be the reset state where none is named.
    """
    port = interface.reset
    if port is None:
        return None, ()
    said = sentences(text)
    assumed: list[str] = []
    asynchronous, synchronous = _kinds(text, port.name)
    if asynchronous == synchronous:
        asynchronous = port.name.lower().startswith(("areset", "arst", "aclr"))
        assumed.append(f"{port.name} is {'asynchronous' if asynchronous else 'synchronous'}")
    low = bool(re.search(r"\bactive[- ]low\b", said, re.I))
    high = bool(re.search(r"\bactive[- ]high\b", said, re.I))
    if low == high:
        low = bool(re.search(r"(?:_?n|_b|_l)$", port.name, re.I)) and not re.search(r"(?:in|on)$", port.name, re.I)
        assumed.append(f"{port.name} is active {'low' if low else 'high'}")
    state = initial_state(text, states)
    if state is None:
        state = states[0]
        assumed.append(f"reset leads to state {state}, the first")
    return Reset(port=port.name, state=state, asynchronous=asynchronous, active_low=low), tuple(assumed)


_STATEMENT = re.compile(r"(?<=[.;:])\s+|\n\s*\n|\n\s*(?:[-*\u2022]|\(?\d+[.)])\s+")
_ALL_CLOCKED = re.compile(
    r"\b(?:all|every|any)\b[^.]{0,40}\b(?:sequential logic|flip-?flops?|registers?|state changes?|updates?)\b[^.]{0,40}"
    r"\b(?:edge|clock)",
    re.I,
)


def _kinds(text: str, reset: str) -> tuple[bool, bool]:
    """Whether a reset is called asynchronous, and whether synchronous, in statements that are about it."""
    statements = [one for one in _STATEMENT.split("\n".join(bare_lines(text))) if one]
    own: list[str] = []
    for before, one in zip(["", *statements], statements, strict=False):
        goes_on = own and own[-1] is before and (re.match(r"(?:it|this|which)\b", one, re.I) or len(one.split()) <= 4)
        goes_on = goes_on and not re.search(r"cl(?:oc)?k", one, re.I)
        if goes_on or re.search(rf"reset|clear|\brst|\b{re.escape(reset)}\b", one, re.I):
            own.append(one)
    asynchronous = any(re.search(r"\basynchronous(?:ly)?\b", one, re.I) for one in own)
    return asynchronous, any(re.search(r"\bsynchronous(?:ly)?\b", one, re.I) for one in own)


def open_reset(text: str, interface: Interface) -> Question | None:
    """Which kind of reset it is, where neither the text nor the port's name tells; none where one does.

    Where all that is clocked moves at edges of the clock, a reset does, too.
    """
    port = interface.reset
    if port is None or port.name.lower().startswith(("areset", "arst", "aclr")):
        return None
    if any(_kinds(text, port.name)) or _ALL_CLOCKED.search(sentences(text)):
        return None
    kinds = ("synchronous", "asynchronous")
    return Question(f"is {port.name} {kinds[0]} or {kinds[1]}?", kinds)


def initial_state(text: str, states: Sequence[str]) -> str | None:
    """The state that the machine starts from, where the text names one."""
    said = sentences(text)
    for match in _STATE_AFTER.finditer(said):
        if match[1] in states:
            return match[1]
    return None


def is_one_hot(text: str) -> bool:
    """Whether the states are to be coded one-hot."""
    return bool(re.search(r"\bone[- ]hot\b", sentences(text), re.I))


def read_codes(text: str, states: Sequence[str], width: int) -> Mapping[str, int] | None:
    """The code of each state, where the text gives them; none where it does not.

    Understood are `A=2'b00, B=2'b01`, a list of codes in the order of the states, with `...` where the rest is plain
    from its first two, states that are named by their codes, and one-hot codes by the states' numbers.
    """
    said = sentences(text)
    if all(re.fullmatch(r"[01]+", state) and len(state) == width for state in states):
        return {state: int(state, 2) for state in states}
    pairs = {
        match[1]: int(match[2], 2)
        for match in re.finditer(r"\b(\w+)\s*=\s*(?:\d+'b)?([01]{2,})\b", said)
        if match[1] in states and len(match[2]) == width
    }
    if len(pairs) == len(states) and len(set(pairs.values())) == len(states):
        return pairs
    for match in _LIST.finditer(said):
        codes = _expanded(match[0], len(states), width)
        if codes is not None:
            return dict(zip(_named_order(said, states), codes, strict=True))
    if is_one_hot(text) and width == len(states):
        return {state: 1 << number for number, state in enumerate(_by_number(states))}
    return None


def _expanded(text: str, count: int, width: int) -> list[int] | None:
    """A list of codes with its `...` filled in; none if it cannot be one code a state."""
    parts = re.split(r"\s*,\s*", re.sub(r"\(\s*\w+\s*\)|\band\b", "", text))
    codes: list[int | None] = []
    for part in parts:
        literal = re.fullmatch(r"\s*(?:\d+'b)?([01]+)\s*", part)
        if literal is not None and len(literal[1]) == width:
            codes.append(int(literal[1], 2))
        elif part.strip() in {"...", "\u2026"}:
            codes.append(None)
        elif part.strip():
            return None
    if None not in codes:
        return [code for code in codes if code is not None] if len(codes) == count else None
    gap = codes.index(None)
    first = [code for code in codes[:gap] if code is not None]
    if len(first) < 2:
        return None
    if first[1] == 2 * first[0] and all(code.bit_count() == 1 for code in first):
        filled = [first[0] << number for number in range(count)]
    else:
        step = first[1] - first[0]
        filled = [first[0] + step * number for number in range(count)]
    last = [code for code in codes[gap + 1 :] if code is not None]
    fits = filled[: len(first)] == first and (not last or filled[-len(last) :] == last)
    return filled if fits and max(filled) < 1 << width else None


def _named_order(said: str, states: Sequence[str]) -> list[str]:
    """The states in the order in which a list in brackets names them, else as they come."""
    for match in re.finditer(r"\(([^()]*)\)", said):
        names = [name.strip() for name in match[1].split(",")]
        if len(names) == len(states) and set(names) == set(states):
            return names
    return list(states) if sorted(states) != list(states) and not _plain(states) else sorted(states)


def _plain(states: Sequence[str]) -> bool:
    """Whether the states are single letters, or one word with numbers: their order is their names'."""
    return all(len(state) == 1 for state in states) or len({state.rstrip("0123456789") for state in states}) == 1


def _by_number(states: Sequence[str]) -> list[str]:
    numbers = {state: int(match[1]) for state in states if (match := re.search(r"(\d+)$", state))}
    return sorted(states, key=lambda state: numbers[state]) if len(numbers) == len(states) else list(states)


def read_state_outputs(text: str, states: Sequence[str], interface: Interface) -> Mapping[str, Mapping[Bit, str]]:
    """The outputs of states as sentences give them: `busy is 1 in RUN and WAIT`, `in state RUN, busy = 1`.

    An output of which no sentence speaks is not named, so that nobody takes it for 0.
    """
    said = sentences(text)
    names = "|".join(re.escape(state) for state in sorted(states, key=len, reverse=True))
    several = rf"((?:(?:the )?(?:state )?(?:{names})\b(?:\s*(?:,|and|or)\s*)*)+)"
    found: dict[str, dict[Bit, str]] = {}
    for port in interface.outputs:
        if port.width_bits != 1:
            continue
        value = rf"\b{re.escape(port.name)}\s*(?:=|is|should be|must be)\s*([01])"
        spoken = [
            (match[1], match[2])
            for match in re.finditer(
                rf"{value}\s*(?:only )?(?:in|while in|for)\s+(?:the )?(?:states? )?{several}", said
            )
        ]
        spoken += [
            (match[2], match[1])
            for match in re.finditer(rf"\b[Ii]n (?:the )?(?:states? )?{several},?\s*(?:the )?(?:output )?{value}", said)
        ]
        when = r"[Ww]hen (?:the )?(?:current |present )?(?:state|machine|fsm) is (?:in )?(?:the )?(?:state )?"
        spoken += [
            (match[2], match[1]) for match in re.finditer(rf"\b{when}{several},?\s*(?:the )?(?:output )?{value}", said)
        ]
        others = re.search(rf"\ball other states(?: \([^()]*\))?,?\s*(?:the )?(?:output )?{value}", said)
        if not spoken or (others is not None and others[1] in {bit for bit, _ in spoken}):
            continue
        given = {state: bit for bit, listed in spoken for state in re.findall(rf"\b(?:{names})\b", listed)}
        if len(set(given.values())) == 1:
            rest = "0" if next(iter(given.values())) == "1" else "1"
            given = {state: given.get(state, rest) for state in states}
        for state, bit in given.items():
            found.setdefault(state, {})[Bit(port.name)] = bit
    return found
