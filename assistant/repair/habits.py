"""How a design usually writes things, so that an edit which makes a line more like the rest is tried sooner.

Slips read less naturally than what they replaced: their tokens follow each other in ways that the same files have
nowhere else, their line has a shape of its own among lines of one shape, their numbers leave a sequence. All of it is
counted over the files that are searched; no model is trained beforehand. After "On the naturalness of buggy code" (Ray
et al., 2016).
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from veriloop.assistant.repair.operators import Replacement

WEIGHTS = (1.8, 3.0, 2.0)
"""What a bit of surprise less a token, a usual shape and a kept sequence are worth, in the search's priorities."""
MOST_GAIN = 3.0
"""What an edit can gain at most."""
_MOST_LOSS = 1.5
_ORDER = 4
_BACK_OFF = 0.4
_WINDOW = 2 * _ORDER
_MOST_LINES = 4
_CLIP = 2.0
_BITS = 6.0
_TOKEN = re.compile(rb"[A-Za-z_$][\w$]*|\d*'[sS]?[bodhBODH][\w?]+|\d[\w.]*|[<>=!&|^~+*/-]{1,3}|\S")
_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)
_DIGITS = re.compile(rb"\d+")
_NAME = re.compile(rb"[A-Za-z_$]")
_WORDS = frozenset(
    b"""begin end if else case casez casex endcase default for always always_ff always_comb assign posedge negedge or
    and not module endmodule function endfunction input output inout wire reg logic parameter localparam integer
    return""".split()
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it is compared with others."""

    tokens: tuple[bytes, ...]
    exact: tuple[bytes, ...]
    """Its tokens with names numbered in the order in which they come: what is the same for any names."""
    loose: tuple[bytes, ...]
    """The same without the numbers."""
    numbers: tuple[int, ...]


class Habits:
    """What is usual in one file, of all files that are searched.

    Args:
        content: the file.
        contents: all of them.
    """

    def __init__(self, content: bytes, contents: Iterable[bytes]) -> None:
        self._content = content
        self._counts: Counter[tuple[bytes, ...]] = Counter()
        self._total = 1
        self._shapes: Counter[tuple[bytes, ...]] = Counter()
        for one in contents:
            self._learn(one)
        self._starts = [0]
        for match in re.finditer(rb"\n", content):
            self._starts.append(match.end())
        self._code = [index for index in range(len(self._starts)) if len(self._line(index).tokens) > 1]

    def _learn(self, content: bytes) -> None:
        bare = _COMMENT.sub(b" ", content)
        tokens = [_alike(token) for token in _TOKEN.findall(bare)]
        self._total += len(tokens)
        for size in range(1, _ORDER + 1):
            self._counts.update(zip(*(tokens[at:] for at in range(size)), strict=False))
        for line in bare.split(b"\n"):
            read = _read(line.strip())
            if len(read.tokens) > 3:
                self._shapes.update({read.exact, (b"#", *read.loose)})

    def gain(self, replacements: Sequence[Replacement]) -> float:
        """How much sooner an edit is worth trying because of what is usual; below 0: how much later."""
        start, end = replacements[0][0], max(one[1] for one in replacements)
        first, last = self._index(start), self._index(max(start, end - 1))
        if last - first >= _MOST_LINES:
            return 0.0
        low, high = self._starts[first], self._end(last)
        new = bytearray(self._content[low:high])
        for begin, stop, text in sorted(replacements, reverse=True):
            new[begin - low : stop - low] = text.encode()
        old_line, new_line = _read(self._content[low:high].strip()), _read(bytes(new).strip())
        surprise = self._surprise(old_line.tokens, new_line.tokens)
        bits, shape, sequence = WEIGHTS
        gain = bits * max(-_CLIP, min(_CLIP, surprise / _BITS))
        if first == last:
            gain += shape * self._shape(old_line, new_line) + sequence * self._sequence(first, old_line, new_line)
        return max(-_MOST_LOSS, min(MOST_GAIN, gain))

    # --- tokens ---

    def _surprise(self, old: Sequence[bytes], new: Sequence[bytes]) -> float:
        """By how many bits the new tokens are less of a surprise, where the old ones do not count for themselves."""
        before = [_alike(token) for token in old]
        after = [_alike(token) for token in new]
        head = 0
        while head < min(len(before), len(after)) and before[head] == after[head]:
            head += 1
        tail = 0
        while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
            tail += 1
        low = max(0, head - _ORDER + 1)
        mine = before[low : len(before) - tail + _ORDER - 1]
        theirs = after[low : len(after) - tail + _ORDER - 1]
        if max(len(mine), len(theirs)) > 4 * _WINDOW:
            return 0.0
        own: Counter[tuple[bytes, ...]] = Counter()
        for size in range(1, _ORDER + 1):
            own.update(zip(*(mine[at:] for at in range(size)), strict=False))
        skip = head - low
        return self._bits(mine, own, skip) / max(1, len(mine) - skip) - self._bits(theirs, own, skip) / max(
            1, len(theirs) - skip
        )

    def _bits(self, tokens: Sequence[bytes], own: Counter[tuple[bytes, ...]], skip: int) -> float:
        bits = 0.0
        counts = self._counts
        for at in range(skip, len(tokens)):
            factor = 1.0
            for size in range(min(_ORDER, at + 1), 0, -1):
                gram = tuple(tokens[at - size + 1 : at + 1])
                seen = counts[gram] - own[gram]
                if seen > 0:
                    context = gram[:-1]
                    among = counts[context] - own[context] if context else self._total
                    bits -= math.log2(factor * min(1.0, seen / max(among, seen)))
                    break
                factor *= _BACK_OFF
            else:
                bits -= math.log2(factor * 0.5 / self._total)
        return bits

    # --- lines ---

    def _shape(self, old: _Line, new: _Line) -> float:
        if len(new.tokens) <= 3 or len(old.tokens) <= 3:
            return 0.0
        return 0.6 * self._known(old.exact, new.exact) + 0.4 * self._known((b"#", *old.loose), (b"#", *new.loose))

    def _known(self, old: tuple[bytes, ...], new: tuple[bytes, ...]) -> float:
        if old == new:
            return 0.0
        return float(self._shapes[new] > 0) - float(self._shapes[old] > 1)

    def _sequence(self, index: int, old: _Line, new: _Line) -> float:
        """1 where the numbers of neighbours of one shape lead to the new line and not to the old one."""
        if not new.numbers or old.numbers == new.numbers:
            return 0.0
        at = bisect_right(self._code, index) - 1
        around = {step: self._near(at + step) for step in (-2, -1, 1, 2)}
        kept = lost = 0
        for one, two, ahead in ((-2, -1, 1.0), (2, 1, 1.0), (-1, 1, 0.0)):
            first, second = around[one], around[two]
            if first is None or second is None or first.loose != second.loose or first.numbers == second.numbers:
                continue
            if len(first.numbers) != len(second.numbers):
                continue
            pairs = zip(first.numbers, second.numbers, strict=True)
            led = tuple(2 * b - a if ahead else (a + b) / 2 for a, b in pairs)
            kept += first.loose == new.loose and led == new.numbers
            lost += first.loose == old.loose and led == old.numbers
        return float(kept > 0) - float(lost > 0)

    def _near(self, at: int) -> _Line | None:
        return self._line(self._code[at]) if 0 <= at < len(self._code) else None

    def _line(self, index: int) -> _Line:
        return _read(self._content[self._starts[index] : self._end(index)].strip())

    def _index(self, byte: int) -> int:
        return bisect_right(self._starts, byte) - 1

    def _end(self, index: int) -> int:
        return self._starts[index + 1] - 1 if index + 1 < len(self._starts) else len(self._content)


@lru_cache(maxsize=65536)
def _alike(token: bytes) -> bytes:
    """A name without its digits: what is written for lane 0 is usual for lane 1."""
    return _DIGITS.sub(b"#", token) if _NAME.match(token) else token


@lru_cache(maxsize=65536)
def _read(text: bytes) -> _Line:
    tokens = tuple(_TOKEN.findall(_COMMENT.sub(b" ", text)))
    known: dict[bytes, bytes] = {}
    exact: list[bytes] = []
    for token in tokens:
        if _NAME.match(token) and token not in _WORDS:
            exact.append(known.setdefault(token, b"%d" % len(known)))
        else:
            exact.append(token)
    loose = tuple(b"#" if b"0" <= token[:1] <= b"9" and token not in known.values() else token for token in exact)
    numbers = tuple(int(digits) for token in tokens for digits in _DIGITS.findall(token)[:3] if len(digits) < 9)
    return _Line(tokens, tuple(exact), loose, numbers)
