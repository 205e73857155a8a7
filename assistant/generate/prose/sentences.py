"""The sentences of a specification's prose: without the port list, without what asks for it, in one case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veriloop.assistant.generate.port_lists import prose_lines

_ABBREVIATIONS = ("e.g.", "i.e.", "etc.", "vs.", "approx.", "resp.")
_ASKS = re.compile(
    r"^(?:please |note that |in this (?:question|problem|exercise), (?:you will |you are to )?|for this (?:question|problem), |"
    r"we (?:want|need|would like) (?:to |you to )?|you (?:should|must|need to|are (?:asked |required )?to|will) |"
    r"i would like you to |your task is to |suppose (?:that )?|"
    r"(?:the|this|your) (?:module|circuit|design|block|entity) (?:should|must|shall|has to|will|needs to|is to|can) ?|"
    r"(?:the|this|your) (?:module|circuit|design|block|entity) (?:is|has|implements|does)(?= )|"
    r"(?:the|this|your) (?:module|circuit|design|block|entity) (?=[a-z]+s )|"
    r"imp(?:l?em)+ents? |create |build |design |construct |make |write |develop |describe |realize |include |have |has |be |"
    r"using verilog,? |in verilog,? |"
    r"(?:a |an |the )?(?:verilog |systemverilog |combinational |simple |sequential )*(?:module|circuit|design|logic|hardware)(?: in verilog)? "
    r"(?:that (?:implements |has |is |contains |behaves like |acts (?:as|like) |works (?:as|like) |will |should |includes |can )?"
    r"|which (?:implements |has |is |contains )?|with the functionality of |to (?:implement )?|for |of (?=an? ))|"
    r"to (?=implement|create|build)|(?:a|an|the) (?:following )?(?=\S)|following |simple |just |only )",
    re.I,
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each on one line with single spaces, its own case, no full stop."""
    return [one for block in _blocks(text) for one in _split(block)]


def core(sentence: str) -> str:
    """What is left of a sentence in lower case when it no longer asks for it: `an AND gate` to `and gate`."""
    text = sentence.strip().rstrip(".:;!").lower()
    while True:
        shorter = _ASKS.sub("", text, count=1).lstrip()
        if shorter == text or not shorter:
            return text
        text = shorter


_TITLE = re.compile(
    r"\s{0,3}#{1,6}\s+(?!.*\b(?:a?synchronous|active|reset|edge|high|low)\b)[\w`-]+(?:\s+[\w`-]+)?\s*#*\s*", re.I
)
"""A heading of Markdown of one or two words, which names what follows and says nothing of it."""
_ITEM = re.compile(r"\s*(?:[-*\u2022]|\(?\d+[.)]|\([a-z]\))\s+(?=\S)")


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs and list items, each as one line."""
    current: list[str] = []
    listing = False
    for line in [*prose_lines(text), ""]:
        line = "" if _TITLE.fullmatch(line) else line
        item = _ITEM.match(line)
        if item is not None and not listing and _goes_on(current, item[0]):
            item = None
        heading = re.fullmatch(r"\s*[A-Z][\w ]{2,30}:\s*", line) is not None
        if (not line.strip() or item or heading) and current:
            yield re.sub(r"\s+", " ", " ".join(current)).strip()
            current = []
        if line.strip():
            listing = item is not None or (listing and bool(current))
            current.append(line[item.end() :].strip() if item is not None else line.strip())
            if heading:
                yield current.pop()


def _goes_on(lines: list[str], mark: str) -> bool:
    """Whether a line that begins with a number belongs to the sentence before it: `from 0 through` / `9. Then`."""
    bare = re.fullmatch(r"\s*\d+\.\s+", mark) is not None
    return bare and bool(lines) and not re.search(r"[.:;,!?]$", lines[-1])


def _split(block: str) -> Iterator[str]:
    """The sentences of a paragraph."""
    block = re.sub(r"(\w)- (?=\w)", r"\1-", block)
    # `etc.` may end a sentence; the next one begins with a capital.
    masked = re.sub(r"\betc\. (?=[A-Z])", "etc\u0002. ", block)
    for word in _ABBREVIATIONS:
        masked = re.sub(re.escape(word), word.replace(".", "\u0001"), masked, flags=re.I)
    for one in re.split(r"(?<=[\w)\]'\"`\u0002][.!?])\s+", masked):
        plain = one.replace("\u0001", ".").replace("\u0002", "").strip().strip(".").strip()
        if plain:
            yield plain
