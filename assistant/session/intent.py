"""What free text asks for, by rules: which kind of work, and how sure that is. No model is involved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    """A kind of work."""

    REPAIR = "repair"
    TEST = "test"
    """Run the tests that there are."""
    CHECK = "check"
    GENERATE = "generate"
    TESTBENCH = "testbench"
    JUDGE = "judge"
    EXPLAIN = "explain"
    UNDO = "undo"
    WHY = "why"
    STATUS = "status"
    MODELS = "models"
    DOCTOR = "doctor"
    WAVES = "waves"
    HELP = "help"


_RULES: tuple[tuple[Intent, float, str], ...] = (
    # What is wrong with a design, in the words in which people report it.
    (Intent.REPAIR, 3, r"\b(?:repair|fix|mend|debug|patch up|correct (?:the|this|it))\b"),
    (Intent.REPAIR, 2, r"\b(?:bugs?|broken|wrong|incorrect|faulty|misbehav\w+|off[- ]by[- ]one|corrupt\w*|garbage)\b"),
    (Intent.REPAIR, 2, r"\b(?:fails?|failing|failed|failure|mismatch\w*|regress(?:ed|ion))\b"),
    (Intent.REPAIR, 2, r"\b(?:drops?|dropped|loses?|lost|lose|duplicates?|skips?|misses|missing|forgets?|ignores?)\b"),
    (
        Intent.REPAIR,
        2,
        r"\b(?:stuck|hangs?|hung|dead ?locks?|never|overflows?|underflows?|glitch\w*|crash\w*|toggles?)\b",
    ),
    (
        Intent.REPAIR,
        2,
        r"\b(?:does ?n[o']?t|do not|is ?n[o']?t|won'?t|cannot|can'?t|no longer|instead of|should(?:n't)?)\b",
    ),
    (Intent.REPAIR, 2, r"\b(?:too (?:early|late|many|few|soon)|(?:one|a) cycle (?:early|late|off))\b"),
    (Intent.REPAIR, 1, r"\b(?:when(?:ever)?|after|although)\b"),
    (Intent.TEST, 3, r"\b(?:run|execute|start) (?:\w+ )?(?:all |the |my |our )*(?:tests?|simulations?|regression)\b"),
    (
        Intent.TEST,
        3,
        r"\b(?:do|does|are|is) (?:all |the |my |our |\w+ )*(?:tests?|simulations?) (?:pass|green|ok|fine)\w*",
    ),
    (Intent.TEST, 3, r"\bwhich (?:tests?|ones?) (?:fail|pass|are)\w*|\bsimulate\b"),
    (
        Intent.CHECK,
        3,
        r"\b(?:check|verify|judge|review|validate) (?:my|the|this|these|what|that|our)?"
        r" ?(?:changes?|diff|patch|edits?|work ?tree|commit|i (?:have )?changed|staged)\b",
    ),
    (Intent.CHECK, 2, r"^\W*(?:check|verify|validate)\b"),
    (Intent.GENERATE, 3, r"\b(?:generate|implement|synthesi[sz]e)\b"),
    (
        Intent.GENERATE,
        3,
        r"\b(?:write|make|create|build|design|give)\b(?: me)?(?: an?| the| some)?(?: new)?(?: \w+){0,4}?"
        r" (?:module|rtl|design|decoder|encoder|counter|fifo|state machine|fsm|mux|alu|register|arbiter|adder)\b",
    ),
    (Intent.GENERATE, 2, r"\bfrom (?:the|this|a|my) (?:spec\w*|table|truth table|karnaugh|diagram|waveform)\b"),
    (
        Intent.TESTBENCH,
        6,
        r"\b(?:write|make|create|generate|give|add|need|want|extend|improve)\b.{0,30}"
        r"\b(?:test ?bench\w*|tests? for|unit tests?|stimul\w+)\b",
    ),
    (Intent.TESTBENCH, 3, r"\b(?:coverage|cover more|test ?bench for|mutants?)\b"),
    (
        Intent.JUDGE,
        5,
        r"\b(?:who|what|which)(?:'s| is| are)? (?:at fault|wrong|to blame|guilty)\b|\bat fault\b|\bblame\b",
    ),
    (Intent.JUDGE, 5, r"\b(?:rtl|design|dut)\b.{0,20}\bor\b.{0,20}\b(?:test ?bench|tests?|spec\w*)\b"),
    (
        Intent.JUDGE,
        5,
        r"\b(?:is|could|may|might) (?:it |the |my |this )*(?:test ?bench|tests?)\b"
        r".{0,20}\b(?:wrong|fault|buggy|broken)\b",
    ),
    (Intent.EXPLAIN, 3, r"\b(?:explain|describe|walk me through|understand|tell me (?:about|what|how))\b"),
    (Intent.EXPLAIN, 3, r"^\W*(?:what|how) (?:does|do|is|are)\b(?!.{0,30}\btests?\b)"),
    (Intent.EXPLAIN, 2, r"\b(?:what drives|driven by|meaning of|purpose of|what for)\b"),
    (Intent.WHY, 8, r"\bwhy (?:did|have|do) (?:you|we|it)\b.{0,40}|\bwhy (?:was|were|is) .{0,40}\bchanged?\b"),
    (Intent.WHY, 8, r"^\W*why\W*$"),
    (Intent.WHY, 8, r"\bwhat (?:did|have) you (?:do|done|chang\w+)\b"),
    (Intent.UNDO, 6, r"\b(?:undo|revert|roll ?back|take (?:it|that|this) back|take back)\b"),
    (
        Intent.STATUS,
        4,
        r"\b(?:status|hierarchy|overview|module tree|what (?:is|do we have) (?:here|in here)|list (?:the )?modules)\b",
    ),
    (Intent.STATUS, 3, r"\b(?:which|what) (?:modules|files|tests) (?:are there|exist|do (?:i|we) have)\b"),
    (
        Intent.MODELS,
        6,
        r"\b(?:language )?models?\b.{0,20}\b(?:install\w*|pull|download|use|choose|bench|there)\b"
        r"|\b(?:pull|install|download)\b.{0,20}\bmodels?\b",
    ),
    (
        Intent.DOCTOR,
        5,
        r"\b(?:doctor|what(?:'s| is) (?:installed|missing)|is verilator|tools? (?:installed|missing))\b",
    ),
    (Intent.WAVES, 5, r"\b(?:wave(?:form|s)?|vcd|fst|gtkwave|surfer|timing diagram)\b"),
    (
        Intent.HELP,
        6,
        r"^\W*(?:help|hello|hi|hey)\b|\bwhat can (?:you|i) (?:do|type|say)\b|\bhow do i (?:start|use|begin)\b",
    ),
)

_COMPILED = tuple((intent, weight, re.compile(pattern, re.IGNORECASE)) for intent, weight, pattern in _RULES)
_LEAST = 2.0
_CLEAR = 1.3
"""How much stronger the first must be than the second to be taken without asking."""
_DOUBLE = 1.5
"""A kind of work of which several rules speak counts up to so many times its strongest."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text asks for; none where nothing speaks for any kind of work."""

    intent: Intent | None
    rivals: tuple[Intent, ...] = ()
    """What it may ask for as well, where that is not clear."""


def guess(text: str) -> Guess:
    """What a text asks for."""
    scores = _scores(text)
    ranked = sorted(scores, key=lambda intent: -scores[intent])
    if not ranked or scores[ranked[0]] < _LEAST:
        return Guess(None)
    first = ranked[0]
    near = tuple(one for one in ranked[1:] if scores[one] * _CLEAR > scores[first] and scores[one] >= _LEAST)
    return Guess(first, near)


def _scores(text: str) -> Mapping[Intent, float]:
    most: dict[Intent, float] = {}
    total: dict[Intent, float] = {}
    for intent, weight, pattern in _COMPILED:
        if pattern.search(text):
            most[intent] = max(most.get(intent, 0.0), weight)
            total[intent] = total.get(intent, 0.0) + weight
    return {intent: min(total[intent], _DOUBLE * most[intent]) for intent in most}
