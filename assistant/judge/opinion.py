"""A language model's opinion: held by a grammar to sides that there are and to lines that are numbered for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from veriloop.assistant.events import CancelToken
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.reading import Reading
from veriloop.assistant.judge.verdict import Cited, Side
from veriloop.models.errors import ModelError
from veriloop.models.model import Message, Model, Sampling

_VOTES = 5
_TOKENS = 160
_MOST_SPEC, _MOST_CODE = 4000, 4000
_SIDES = (Side.RTL, Side.TESTBENCH, Side.BOTH, Side.SPEC, Side.UNKNOWN)
_ANSWER = re.compile(r"because (.+?) \[(E\d+(?:, E\d+)*)\]: (\w+)", re.S)

_EXAMPLES = """Example 1. Specification: "out is the sum of a and b, modulo 16."
E1 rtl/add.v:4: assign out = a - b; (out is always `a - b`)
E2 tb/add_tb.v:12: if (out !== 4) errors = errors + 1; (here the test compares out)
Seen: with a=3, b=1 out is 2, the test wants 4.
because 3+1 is 4 and the design subtracts [E1]: rtl
Example 2. Specification: "q holds while en is 0."
E1 rtl/reg.v:7: if (en) q <= d; (at each rising edge of clk, while en is 1, q becomes `d`, else it holds)
E2 tb/reg_tb.v:20: if (q !== d) $error; (here the test compares q)
Seen: with en=0 q stays 5, the test wants d.
because the test wants q to change while en is 0 [E1, E2]: testbench
"""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model's answers come to: the side that most of them name, their share, one answer's reason and lines."""

    side: Side
    share: float
    says: str
    cited: tuple[Cited, ...]
    model: str = ""


def grammar(count: int) -> str:
    """GBNF of an answer: a reason, at least one of `count` numbered lines, a side."""
    lines = " | ".join(f'"E{number}"' for number in range(1, count + 1))
    sides = " | ".join(f'"{side.value}"' for side in _SIDES)
    return (
        f'root ::= "because " reason " [" line (", " line)* "]: " side\nreason ::= [^\\[\\]\\n]{{3,240}}\n'
        f"line ::= {lines}\nside ::= {sides}\n"
    )


def messages(
    subject: Subject, reading: Reading, evidence: Sequence[Cited], findings: Sequence[str], window: str
) -> tuple[Message, ...]:
    """The conversation that asks who is wrong."""
    numbered = "\n".join(
        f"E{number} {one.path}:{one.line}: {one.text} ({one.says})" for number, one in enumerate(evidence, 1)
    )
    seen = "\n".join(f"- {line}" for line in findings)
    spec = subject.dispute.specification[:_MOST_SPEC] or "(there is none)"
    code = subject.content.decode("utf-8", errors="replace")[:_MOST_CODE]
    return (
        Message(
            role="system",
            content=(
                "A test of a hardware module fails. Say who is wrong by the specification: rtl, testbench, both, spec "
                "(it leaves the point open) or unknown. Answer in one line, citing evidence lines by their numbers:\n"
                f"because REASON [E1, E2]: SIDE\n\n{_EXAMPLES}"
            ),
        ),
        Message(
            role="user",
            content=(
                f"Specification:\n{spec}\n\nDesign {subject.module}:\n{code}\n\nEvidence:\n{numbered}\n\n"
                f"What was run:\n{seen}\n{window}\n\nWho is wrong?"
            ),
        ),
    )


def ask(
    model: Model,
    subject: Subject,
    reading: Reading,
    evidence: Sequence[Cited],
    findings: Sequence[str],
    window: str,
    cancel: CancelToken,
) -> Opinion:
    """Asks several times and counts; answers that cite no line that there is do not count.

    A model that cannot hold a conversation, or fails, has no opinion.
    """
    none = Opinion(Side.UNKNOWN, 0.0, "", ())
    if not evidence or not model.info.has_chat:
        return none
    asked = messages(subject, reading, evidence, findings, window)
    sampling = Sampling(max_tokens=_TOKENS, temperature=0.7, grammar=grammar(len(evidence)))
    try:
        answers = model.chat(asked, sampling, n=_VOTES, stop=lambda: cancel.cancelled)
    except ModelError:
        return none
    read = [one for answer in answers if (one := _read(answer.text, evidence)) is not None]
    counted = Counter(one.side for one in read)
    if not counted:
        return none
    side, votes = counted.most_common(1)[0]
    chosen = next(one for one in read if one.side is side)
    return Opinion(side, votes / _VOTES, chosen.says, chosen.cited, model.info.name)


def _read(text: str, evidence: Sequence[Cited]) -> Opinion | None:
    match = _ANSWER.search(text)
    if match is None or match[3] not in {side.value for side in _SIDES}:
        return None
    numbers = [int(number) for number in re.findall(r"\d+", match[2])]
    cited = tuple(evidence[number - 1] for number in numbers if 1 <= number <= len(evidence))
    return Opinion(Side(match[3]), 1.0, match[1].strip(), cited) if cited else None
