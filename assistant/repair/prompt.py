"""The words in which a small model is asked for a repair: what the simulator saw, the module line by line, the fix.

Pure functions from data to text. The same functions make the training texts (`assistant/training/lm/`), so what the
model sees at work is what it has learnt from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

END = "<|end|>"
FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE = "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"
REPAIR, MODULE, FIX, BEFORE, SPEC = "<|repair|>", "<|module|>", "<|fix|>", "<|before|>", "<|spec|>"
LINES = 256
"""How many lines can be told apart; a longer module is shown in part."""

_MOST_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a simulator saw of a broken design; values as it printed them, empty where it said nothing."""

    signal: str = ""
    cycle: str = ""
    expected: str = ""
    got: str = ""
    failing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()


def special_tokens() -> list[str]:
    """Every special token, in the order of their numbers."""
    names = [END, FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE, REPAIR, MODULE, FIX, BEFORE, SPEC]
    return [*names, *map(line_token, range(LINES))]


def line_token(number: int) -> str:
    """The token that stands before a line, from 0, and names it in an answer."""
    return f"<|{number}|>"


def neutral(text: str) -> str:
    """A text in which nothing looks like a special token; a repository's files are not ours."""
    return re.sub(r"<\|(?=\w+\|>)", "< |", text)


def repair_prompt(lines: Sequence[str], seen: Seen) -> str:
    """The question: what is wrong with these lines?

    Args:
        lines: the module, or a part of it, at most `LINES` lines.
        seen: what the simulator saw.
    """
    said = [
        *(["signal", seen.signal] if seen.signal else []),
        *(["cycle", seen.cycle] if seen.cycle else []),
        *(["expected", seen.expected] if seen.expected else []),
        *(["seen", seen.got] if seen.got else []),
        *(["failing", *seen.failing[:_MOST_NAMES]] if seen.failing else []),
        *(["passing", *seen.passing[:_MOST_NAMES]] if seen.passing else []),
    ]
    shown = "".join(f"{line_token(number)}{neutral(line)}\n" for number, line in enumerate(lines))
    return f"{REPAIR}{neutral(' '.join(said))}\n{MODULE}\n{shown}{FIX}"


def line_answer(number: int, text: str) -> str:
    """The answer that a line has to read otherwise; an empty text takes it away, several lines replace it."""
    return f"{line_token(number)}{neutral(text)}{END}"


def insertion_answer(number: int, text: str) -> str:
    """The answer that something is missing before a line."""
    return f"{line_token(number)}{BEFORE}{neutral(text)}{END}"


def fim_prompt(prefix: str, suffix: str) -> str:
    """The question what stands between, as our own model is asked it; for any model `Model.infill` is there.

    What comes after stands first, so that the answer goes on where the prefix ends, as in any text.
    """
    return f"{FIM_SUFFIX}{neutral(suffix)}{FIM_MIDDLE}{neutral(prefix)}"


def spec_prompt(specification: str) -> str:
    """The question for a module that a specification describes."""
    return f"{SPEC}{neutral(specification)}\n{MODULE}\n"
