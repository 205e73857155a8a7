"""What prose says of the clock and of the reset, in sentences of their own or inside others."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.generate.prose.circuit import Reset
from veriloop.assistant.generate.prose.sentences import core
from veriloop.assistant.generate.prose.specification import Prose
from veriloop.assistant.generate.prose.values import number

_EDGE = (
    r"(?:assume |note that )?(?:that )?(?:all |the )?(?:sequential logic|flip-?\s?flops?|dffs?|registers?|state changes?|logic|updates?|d flip-?flops?)?"
    r"(?: in the (?:module|design|circuit))?(?: is| are| be| should be| happens?| occurs?)?\s*(?:triggered|clocked|active|sensitive|sampled|updated)?"
    r" (?:on|by|at|to) (?:the )?(positive|rising|negative|falling)[- ]edges? of (?:the )?(?:clock(?: signal)?|`?\w+`?)(?: \(\w+\))?"
)
_EDGE_WORD = re.compile(r"(?:positive|rising|negative|falling)[- ]edge|posedge|negedge", re.I)
_STYLE = r"(?:active[- ](high|low)|(a)?synchronous(?:ly)?)"
_VALUE = r"(\w+(?:'[bdh]?\w+)?)"
_PORT = r"(?:the )?(?:`?(\w+)`? )?(?:reset|clear)?(?: input| signal| port)?"


@dataclass(slots=True)
class Clocking:
    """What was said so far."""

    rising: bool | None = None
    synchronous: bool | None = None
    active_low: bool | None = None
    value: int | None = None
    contradiction: bool = False

    def edge(self, word: str) -> None:
        """Notes an edge."""
        rising = word in ("positive", "rising")
        self.contradiction |= self.rising is not None and self.rising != rising
        self.rising = rising

    def style(self, text: str) -> None:
        """Notes level and kind of a reset from words such as `active-high synchronous`."""
        for level in re.findall(r"active[- ](high|low)", text):
            self.contradiction |= self.active_low is not None and self.active_low != (level == "low")
            self.active_low = level == "low"
        for prefix in re.findall(r"\b(a?)synchronous", text):
            self.contradiction |= self.synchronous is not None and self.synchronous != (prefix == "")
            self.synchronous = prefix == ""

    def starts(self, value: int | None) -> bool:
        """Notes a reset value; false if it cannot be read or is another one."""
        if value is None or (self.value is not None and self.value != value):
            self.contradiction = True
            return False
        self.value = value
        return True


def read_clocking(prose: Prose) -> Clocking | None:
    """Claims all that is about the clock and the reset; none where it contradicts itself or is half understood."""
    found = Clocking()
    kept: list[str] = []
    for sentence in prose.left:
        rest = _without_clocking(core(sentence), sentence, found, prose)
        if rest:
            kept.append(rest)
    prose.left = kept
    return None if found.contradiction else found


def _without_clocking(text: str, sentence: str, found: Clocking, prose: Prose) -> str:
    """What is left of a sentence, in its own case where nothing was taken; empty where all of it was understood."""
    if match := re.fullmatch(_EDGE, text):
        found.edge(match[1])
        return ""
    if _is_reset_sentence(text, found, prose):
        return ""
    if reset_port(prose) is not None and _is_described(text, found):
        return ""
    if reset_port(prose) is not None and (match := _RESET_TO.fullmatch(text)):
        found.starts(number(match["value"]))
        return ""
    return _without_clauses(sentence, found)


def _is_reset_sentence(text: str, found: Clocking, prose: Prose) -> bool:
    """Whether a sentence is about the reset alone, with all that it says noted."""
    reset = reset_port(prose)
    if reset is None:
        return False
    names = rf"(?:`?{re.escape(reset.lower())}`?|reset|clear)"
    words = (
        rf"(?:(?:{names}|input|signal|port|active[- ](?:high|low)|positive[- ]edge[- ]triggered|is|are|be|should|must|shall|will|a|an|the|it|and"
        r"|includes?|include|uses?|has|with|which|that|resettable|a?synchronous(?:ly)?)(?=$|[ ,])[ ,]*)+"
    )
    head = re.match(words, text)
    if head is None or not re.search(names, head[0]):
        return False
    tail = text[head.end() :].strip(" ,")
    if tail and not _reset_effect(tail, found):
        return False
    found.style(head[0])
    return True


_TARGET = r"(?:(?:all|the|its?|each|every) )*(?:(?:outputs?|registers?|counter|flip-?\s?flops?|dffs?|lfsr|state|value|count|contents?|shift|output|history|\w) ?)*(?:`?\w+`? )?"
_EFFECT = re.compile(
    rf"(?:(?:re)?(?:sets?|setting|clears?|initiali[sz]es?) )?{_TARGET}(?:back )?(?:to|=) ?(?:the value (?:of )?|logic )?(?P<value>\S+?)"
    r"(?: rather than (?:zero|0)| instead of (?:zero|0))?(?: \([^()]*\))?(?: (?:when|if|while) (?:it is )?(?:high|low|asserted|active|1|0))?"
)


def _reset_effect(text: str, found: Clocking) -> bool:
    """`reset the counter to 0`, `resets the output q to 32'h1`, `to zero`: the value after a reset."""
    match = _EFFECT.fullmatch(text)
    return match is not None and found.starts(number(match["value"]))


_ON_EDGES = re.compile(
    r"on (?:every|the|each) (rising|positive|falling|negative) edge of the clock(?: signal)?(?: \(`?\w+`?\))?"
    r"(?: or (?:on )?the (rising|positive|falling|negative) edge of the reset(?: signal)?(?: \(`?\w+`?\))?)?, the \w+(?: value)? is updated"
)
_IN_RESET = re.compile(
    r"if the reset signal (?:\([`!\w]+\) )?is (low|high), (?:indicating a reset condition, )?(?:the )?[\w ]+?(?: \(`?\w+`?\))? is (?:re)?set to (\S+)"
)


def _is_described(text: str, found: Clocking) -> bool:
    """Whether a sentence says at which edges a register moves, or what it is in reset."""
    if match := _ON_EDGES.fullmatch(text):
        found.edge(match[1])
        # An edge of the reset among them: it acts at once.
        found.style("asynchronous" if match[2] else "synchronous")
        if match[2]:
            found.style(f"active {'low' if match[2] in ('falling', 'negative') else 'high'}")
        return True
    if match := _IN_RESET.fullmatch(text):
        found.style(f"active {match[1]}")
        return found.starts(number(match[2]))
    return False


_RESET_TO = re.compile(
    r"(?:the )?(?:flip-?\s?flops?|dffs?|registers?|outputs?|counter|`?\w+`?) (?:must|should|is to|are to|will|shall) be reset to (?P<value>\S+?)"
    r"(?: rather than (?:zero|0)| instead of (?:zero|0))?"
)


def _without_clauses(sentence: str, found: Clocking) -> str:
    """A sentence without `with active high synchronous reset (reset output to 0)` and `on the positive edge of clk`."""
    text = sentence
    bracketed = re.compile(rf"\s*\((?:{_STYLE},? ?)+\s*reset\)", re.I)
    for match in bracketed.finditer(text):
        found.style(match[0].lower())
    text = bracketed.sub("", text)
    clause = re.compile(
        rf"[,;]?\s*(?:\band |\bwith |\bincluding |\bhaving |\bthat has |\busing )?(?:an? )?(?:{_STYLE},? ?(?:and )?)+\s*reset(?: signal| input)?"
        r"(?:\s*\((?:re)?set(?:s|ting)? (?:the )?(?:\w+ )?(?:\w+ )?to (\S+?)\))?(?=$|[\s,.;])",
        re.I,
    )
    for match in clause.finditer(text):
        found.style(match[0].lower())
        if match.groups()[-1]:
            found.starts(number(match.groups()[-1].lower()))
    text = clause.sub("", text)
    edge = re.compile(
        r",?\s*(?:triggered |clocked |sampled )?(?:on|at|by) (?:the |every |each )?(positive|rising|negative|falling)[- ]edge"
        r"(?: of (?:the )?(?:clock(?: signal)?|clk))?(?=$|[\s,.;])",
        re.I,
    )
    for match in edge.finditer(text):
        found.edge(match[1].lower())
    return re.sub(r"\s+", " ", edge.sub("", text)).strip(" ,;")


def reset_port(prose: Prose) -> str | None:
    """The input that resets; one named `r` or `ar` counts where the text calls nothing else so."""
    reset = prose.interface.reset
    if reset is not None:
        return reset.name
    named = [
        port for port in prose.inputs if re.fullmatch(r"a?r|clr_?n?|nrst|rn", port.name, re.I) and port.width_bits == 1
    ]
    return named[0].name if len(named) == 1 else None


def reset_of(prose: Prose, found: Clocking) -> Reset | None:
    """The reset as it was said; none where there is no port for it, or its kind was not said.

    Only what is said counts, and what the names `resetn` and `areset` say with it.
    """
    port = reset_port(prose)
    if port is None:
        return None
    low = found.active_low
    if low is None:
        return None
    if found.synchronous is None:
        return None
    return Reset(port=port, asynchronous=not found.synchronous, active_low=low)


def said_of_edges(text: str) -> bool:
    """Whether a text speaks of clock edges at all."""
    return bool(_EDGE_WORD.search(text))
