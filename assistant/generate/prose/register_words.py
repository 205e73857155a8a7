"""What is said in words beside a register map: when what is read is there, and what other addresses read as."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.generate.prose.sentences import core, sentences

AT_ONCE, LATER = "combinational", "registered"


@dataclass(slots=True)
class Said:
    """What the sentences beside a map say."""

    timing: str = ""
    unmapped: bool = False


_ALWAYS_TRUE = (
    r".*\bregister (?:map|file|bank|block)\b[^.]*",
    r"(?:`?\w+`? is )?(?:active[- ](?:high|low)|a?synchronous)(?:,? (?:and )?(?:active[- ](?:high|low)|a?synchronous))* reset",
    r"(?:the )?(?:`?\w+`? )?reset (?:signal |input )?(?:`?\w+`? )?is (?:active[- ](?:high|low)|a?synchronous)(?:(?:,| and)+ (?:active[- ](?:high|low)|a?synchronous))*",
    r"(?:in|on|after|upon) (?:a )?reset,? (?:all|every|each) registers? (?:takes?|gets?|has|have|holds?) (?:its|their|the) (?:reset|default) values?(?: in the table| shown)?",
    r"(?:module )?(?:named|called) `?\w+`?(?: with the following (?:interface|ports))?",
    r"(?:all |the )?(?:sequential logic|registers|writes?) (?:is|are|happens?) (?:triggered |clocked |done )?(?:on|at) the (?:positive|rising) edge of (?:the )?(?:clock|`?\w+`?)",
    r"all (?:input and output )?ports are one bit(?: wide)? unless otherwise specified",
)


def read_words(text: str, *, shown: str, write: str) -> Said | None:
    """What is said beside the table; none if a sentence is not understood.

    Args:
        text: the specification.
        shown: the output on which registers are read.
        write: the input that says that one is written.
    """
    found = Said()
    bare = "\n".join(line for line in text.splitlines() if "|" not in line)
    shown, write = (rf"`?{re.escape(port.lower())}`?" for port in (shown, write))
    for sentence in map(core, sentences(bare)):
        if any(re.fullmatch(pattern, sentence) for pattern in _ALWAYS_TRUE):
            continue
        if re.fullmatch(
            rf"(?:a )?(?:register is |registers are )?writ(?:e|ten)s?\b.*\b(?:when|while|if) {write} (?:is|=) ?(?:1|high|asserted)",
            sentence,
        ):
            continue
        if re.fullmatch(rf"(?:reads? (?:is|are)|{shown} is|read data is) (?:combinational|asynchronous)", sentence):
            timing = AT_ONCE
        elif re.fullmatch(
            rf"(?:reads? (?:is|are)|{shown} is|read data is) (?:registered|synchronous|(?:valid |there )?one (?:clock )?cycle (?:later|after\b.*))",
            sentence,
        ):
            timing = LATER
        elif re.fullmatch(
            r"(?:unmapped|undefined|unused|other|all other|unknown|reserved) addresses (?:are )?(?:read|return|give)s?(?: as)? (?:0|zeros?)",
            sentence,
        ):
            found.unmapped = True
            continue
        else:
            return None
        if found.timing not in ("", timing):
            return None
        found.timing = timing
    return found
