"""Explains a file, a range of lines or a module, with what it is unsure of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.syntax import Node, SyntaxTree
from veriloop.assistant.events import CancelToken, Run, Stage
from veriloop.assistant.explain.blocks import block_sentences, blocks
from veriloop.assistant.explain.doubts import doubts
from veriloop.assistant.explain.facts import ModuleFacts
from veriloop.assistant.explain.guards import one_line
from veriloop.assistant.explain.module import module_sentences
from veriloop.assistant.explain.sentences import assignment_sentence, declaration_sentence, instance_sentences
from veriloop.assistant.explain.words import messages
from veriloop.models.model import Model, Sampling

Grain = Literal["module", "block", "line"]
_WORDS_TOKENS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is said about one piece of a file; lines count from 1."""

    grain: Grain
    first_line: int
    last_line: int
    code: str
    """Its first line."""
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is said about the lines that were asked for.

    Attributes:
        path: the file.
        first_line: of what was asked, from 1.
        last_line: the last one.
        remarks: the modules first, then what is in them, in the order of the text.
        unsure: what the text leaves open, or could not be told.
        words: what a language model says beside it, which nobody has checked; empty without one.
        model: its name.
    """

    path: Path
    first_line: int
    last_line: int
    remarks: tuple[Remark, ...]
    unsure: tuple[str, ...]
    words: str = ""
    model: str = ""


def explain(
    analysis: Analysis,
    source: Source,
    *,
    lines: tuple[int, int] | None = None,
    model: Model | None = None,
    cancel: CancelToken,
) -> Run[Explanation]:
    """Says what RTL does: whole modules, or the blocks and lines of a range.

    Args:
        analysis: the tree that the file belongs to, for what it instantiates.
        source: the file.
        lines: first and last line, from 1; none for the whole file.
        model: asked for its own words, where there is one.
        cancel: stops it.
    """
    yield Stage("reading")
    tree = SyntaxTree(source.content)
    elaboration = analysis.live.of(source).elaboration
    first, last = lines or (1, max(1, tree.line(len(source.content))))
    remarks: list[Remark] = []
    unsure: list[str] = []
    for module in tree.modules:
        cancel.check()
        facts = ModuleFacts(Structure(tree, module), elaboration)
        if facts.last_line(module) < first or facts.line(module) > last:
            continue
        found = list(_module(facts) if lines is None else _range(facts, first, last))
        remarks += found
        unsure += [f"{facts.name}: {line}" for line in doubts(facts)] if found else []
    if not remarks:
        unsure.append("these lines hold nothing of a module: comments, directives, or text that could not be parsed")
    words, name = "", ""
    if model is not None and remarks:
        yield Stage("words")
        code = "\n".join(source.content.decode("utf-8", errors="replace").splitlines()[first - 1 : last])
        asked = messages(code, [line for remark in remarks for line in remark.says], unsure)
        said = model.chat(asked, Sampling(max_tokens=_WORDS_TOKENS), stop=lambda: cancel.cancelled)
        words, name = said[0].text.strip(), model.info.name
    return Explanation(
        path=source.path,
        first_line=first,
        last_line=last,
        remarks=tuple(remarks),
        unsure=tuple(dict.fromkeys(unsure)),
        words=words,
        model=name,
    )


def _module(facts: ModuleFacts) -> Iterator[Remark]:
    """A module and its blocks."""
    yield _remark(facts, "module", facts.structure.module, module_sentences(facts))
    for block in blocks(facts):
        yield _remark(facts, "block", block, block_sentences(facts, block))


def _range(facts: ModuleFacts, first: int, last: int) -> Iterator[Remark]:
    """The blocks that stand wholly in a range of lines, and the single lines of the others."""
    whole = facts.line(facts.structure.module) >= first and facts.last_line(facts.structure.module) <= last
    if whole:
        yield _remark(facts, "module", facts.structure.module, module_sentences(facts))
    taken: list[Node] = []
    for block in blocks(facts):
        inside = facts.line(block) >= first and facts.last_line(block) <= last
        if inside and facts.last_line(block) > facts.line(block):
            taken.append(block)
            yield _remark(facts, "block", block, block_sentences(facts, block))
    found: list[tuple[int, Remark]] = []
    for node, sentences in _lines(facts):
        inside = first <= facts.line(node) <= last
        covered = any(block.start_byte <= node.start_byte < block.end_byte for block in taken)
        if inside and not covered and not whole:
            found.append((node.start_byte, _remark(facts, "line", node, iter(sentences))))
    yield from (remark for _, remark in sorted(found, key=lambda item: item[0]))
    if not found and not taken and not whole:
        yield from _around(facts, first, last)


def _around(facts: ModuleFacts, first: int, last: int) -> Iterator[Remark]:
    """The block in which a range lies that holds no statement of its own: an `end`, a condition, a label."""
    for block in blocks(facts):
        if facts.line(block) <= last and facts.last_line(block) >= first:
            yield _remark(facts, "block", block, block_sentences(facts, block))


def _lines(facts: ModuleFacts) -> Iterator[tuple[Node, list[str]]]:
    """Everything that a line can say."""
    for write in facts.writes:
        yield write.assignment.node, [f"{assignment_sentence(facts, write)}", *_sources(facts, write.assignment.reads)]
    for instance in facts.instances:
        yield instance, list(instance_sentences(facts, instance))
    seen: set[int] = set()
    for declared in facts.structure.signals.values():
        same = [one for one in facts.structure.signals.values() if one.node.start_byte == declared.node.start_byte]
        if declared.node.start_byte not in seen:
            seen.add(declared.node.start_byte)
            yield declared.node, [declaration_sentence(facts, one) for one in same]


def _sources(facts: ModuleFacts, reads: frozenset[str]) -> list[str]:
    """Where the signals come from that an assignment reads."""
    found = []
    for name in sorted(reads):
        if name in facts.structure.signals:
            spans = facts.written(name)
            place = (
                f", set at line {', '.join(str(facts.line(one.assignment.node)) for one in spans[:4])}" if spans else ""
            )
            found.append(f"{declaration_sentence(facts, facts.structure.signals[name])}{place}")
    return found


def _remark(facts: ModuleFacts, grain: Grain, node: Node, says: Iterator[str]) -> Remark:
    text = facts.structure.tree.text(node).splitlines()
    return Remark(
        grain=grain,
        first_line=facts.line(node),
        last_line=facts.last_line(node),
        code=one_line(text[0]) if text else "",
        says=tuple(says),
    )
