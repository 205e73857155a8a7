"""The lines that a verdict rests on: what drives the output, where the test expects, where the specification says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaboration
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.explain.blocks import surely_written
from veriloop.assistant.explain.facts import ModuleFacts
from veriloop.assistant.explain.sentences import assignment_sentence
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.verdict import Cited, cite, line_of
from veriloop.assistant.verify.results import SimResult

_MOST_DRIVERS = 4
_MOST_TEST_LINES = 3
_COMPARES = re.compile(r"!==?|===?|\bassert\b|\bcheck\w*\s*\(|\bexpect\w*\b|\$error|\$fatal", re.I)
_TRACEBACK = re.compile(r'File "([^"]+\.py)", line (\d+)|^\s*(?:\S+\s+)*?([\w./-]+\.py):(\d+): ', re.M)
_SEVERITY = re.compile(r"([\w./-]+\.(?:s?vh?)):(\d+)(?::\d+)?:")
_WORD = re.compile(r"\w+")


def failing_signals(subject: Subject, red: SimResult) -> tuple[str, ...]:
    """The outputs of the design that a run blames, or speaks of; else those of which nothing good is said."""
    interface = subject.interface
    names = [port.name for port in interface.outputs] if interface is not None else []
    said = [one.signal for one in red.mismatches if one.signal] + list(red.failing)
    found = [name for name in dict.fromkeys(said) if name in names]
    for text in (red.reason, red.log_tail):
        words = set(_WORD.findall(text))
        found = found or [name for name in names if name in words and name not in red.passing]
    return tuple(found or [name for name in names if name not in red.passing])


def driver_lines(subject: Subject, signals: Sequence[str]) -> Iterator[Cited]:
    """What writes the outputs in the design, in sentences; then what decides it one step before."""
    structure = subject.structures.get(subject.module)
    if structure is None:
        return
    facts = ModuleFacts(structure, subject.alone)
    path = subject.dispute.rtl
    yield from _driven(facts, path, signals, subject.dispute.root)


def _driven(facts: ModuleFacts, path: Path, signals: Sequence[str], root: Path, prefix: str = "") -> Iterator[Cited]:
    known: list[Cited] = []
    names, seen = list(signals), set(signals)
    for name in names:
        writes = facts.written(name)
        if not writes and name in facts.structure.signals and facts.structure.signals[name].direction != "input":
            declared = facts.structure.signals[name]
            if not _connected(facts, name):
                known.append(_cited(root, path, facts.line(declared.node), f"{prefix}{name} is driven by nothing"))
        for write in writes:
            says = f"{prefix}{assignment_sentence(facts, write)}{_else(facts, name, write.assignment.process)}"
            known.append(_cited(root, path, facts.line(write.assignment.node), says))
            more = sorted(write.assignment.reads - seen)
            inner = [one for one in more if facts.written(one)]
            if len(names) < _MOST_DRIVERS:
                names += inner
            seen |= set(inner)
        if len(known) >= _MOST_DRIVERS:
            break
    yield from known[:_MOST_DRIVERS]


def _connected(facts: ModuleFacts, name: str) -> bool:
    return any(name in facts.structure.names(node) for node in facts.instances)


def _else(facts: ModuleFacts, name: str, process: object) -> str:
    found = next((one for one in facts.structure.processes if one == process), None)
    if found is None or found.kind != "clocked" or name in surely_written(facts, found.node):
        return ""
    return ", else it holds"


def _cited(root: Path, path: Path, line: int, says: str) -> Cited:
    return Cited(path=path.as_posix(), line=line, text=line_of(root / path, line), says=says)


def expectation_lines(subject: Subject, red: SimResult, signals: Sequence[str]) -> Iterator[Cited]:
    """Where the test says what it expects: a model beside the design, the failing check, a comparison."""
    root = subject.dispute.root
    found = [
        *_reported(subject, red),
        *_modelled(subject, signals),
        *_compared(subject, signals),
        *_instantiated(subject),
    ]
    places: set[tuple[str, int]] = set()
    for one in found:
        if one.exists(root) and one.text and (one.path, one.line) not in places:
            places.add((one.path, one.line))
            yield one


def _reported(subject: Subject, red: SimResult) -> Iterator[Cited]:
    """Lines of the test that the run itself names: an assertion, `$error`, a traceback."""
    root = subject.dispute.root
    mine = {path.name: path for path in subject.bench_files()}
    hits = [(match[1] or match[3], match[2] or match[4]) for match in _TRACEBACK.finditer(red.log_tail)]
    hits += [(match[1], match[2]) for match in _SEVERITY.finditer(red.log_tail)]
    for name, line in reversed(hits):
        path = mine.get(Path(name).name)
        if path is not None:
            yield _cited(root, path, int(line), "the check that fails")
            return


def _modelled(subject: Subject, signals: Sequence[str]) -> Iterator[Cited]:
    """What a module of the test that has the same output computes for it."""
    dispute = subject.dispute
    for path in subject.bench_files():
        if path.suffix not in (".v", ".sv", ".vh", ".svh"):
            continue
        tree = SyntaxTree((dispute.root / path).read_bytes())
        for module in tree.modules:
            structure = Structure(tree, module)
            outputs = [name for name, one in structure.signals.items() if one.direction == "output"]
            shared = [name for name in signals if name in outputs]
            if structure.name == subject.module or not shared:
                continue
            facts = ModuleFacts(structure, _elaboration(subject))
            prefix = f"the test expects what {structure.name} gives: "
            yield from list(_driven(facts, path, shared, dispute.root, prefix))[:_MOST_TEST_LINES]


def _elaboration(subject: Subject) -> Elaboration:
    return subject.whole if subject.whole is not None else subject.alone


def _compared(subject: Subject, signals: Sequence[str]) -> Iterator[Cited]:
    root = subject.dispute.root
    count = 0
    for path in subject.bench_files():
        for number, line in enumerate(_lines(root / path), 1):
            words = set(_WORD.findall(line))
            named = next((name for name in signals if _mentions(words, name)), None)
            if named is None or not _COMPARES.search(line):
                continue
            yield _cited(root, path, number, f"here the test compares {named}")
            count += 1
            if count >= _MOST_TEST_LINES:
                return


def _mentions(words: set[str], name: str) -> bool:
    return any(word == name or word.startswith(f"{name}_") or word.endswith(f"_{name}") for word in words)


def _instantiated(subject: Subject) -> Iterator[Cited]:
    """Where the test holds the design."""
    root = subject.dispute.root
    name = re.compile(rf"\b{re.escape(subject.module)}\b(?!\s*;)")
    for path in subject.bench_files():
        if path.suffix == ".py":
            for number, line in enumerate(_lines(root / path), 1):
                if re.search(r"@cocotb\.test|\bdut\.", line):
                    yield _cited(root, path, number, "the test drives the design from here on")
                    return
        for number, line in enumerate(_lines(root / path), 1):
            if name.search(line) and "module " not in line:
                yield _cited(root, path, number, f"here the test holds {subject.module}")
                return


def spec_lines(subject: Subject, signals: Sequence[str], kind: str) -> Iterator[Cited]:
    """Where the specification speaks of the outputs, or of what was read from it."""
    dispute = subject.dispute
    if dispute.spec_path is None:
        return
    lines = _lines(dispute.root / dispute.spec_path)
    words = [word for word in _WORD.findall(kind.lower()) if len(word) > 3 and word != "words"]
    told = f"what follows from its {kind} was run" if kind else "the specification on this"
    ranked = [
        (-2 * bool(set(signals) & set(_WORD.findall(line))) - any(word in line.lower() for word in words), number)
        for number, line in enumerate(lines, 1)
        # A heading says what follows, not how it is.
        if line.strip() and not line.lstrip().startswith("#")
    ]
    for _, number in sorted(ranked)[:1]:
        yield _cited(dispute.root, dispute.spec_path, number, told)


def diagnostic_lines(subject: Subject, found: Iterable[Diagnostic]) -> Iterator[Cited]:
    """The places that tools name, where they lie in the tree and hold a line."""
    root = subject.dispute.root
    for one in found:
        path = Path(one.path)
        path = path.relative_to(root) if path.is_absolute() and path.is_relative_to(root) else path
        if path.is_absolute():
            continue
        # A parser that misses something says so at the line after it, which may be empty or the last.
        for line in (one.line, one.line - 1):
            cited = cite(root, path, line, f"{one.tool}: {one.message}".replace(f"{root}/", ""))
            if cited is not None:
                yield cited
                break


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []
