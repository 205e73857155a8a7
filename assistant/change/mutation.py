"""Can the tests fail at all? Small faults are put into the modules that a change touches; some, no test notices.

A mutant is one edit of the classical kind: another operator, another constant, a negated condition, swapped branches, a
statement left out. All mutants of a Verilog testbench share one build. What no test notices and Yosys proves to do the
same as the design is no hole in the tests and does not count.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from veriloop.assistant.change.explain import changed_lines
from veriloop.assistant.change.impact import Impact
from veriloop.assistant.change.mutants import Mutant, Score
from veriloop.assistant.change.refactor import module_design
from veriloop.assistant.design.elaborate import Elaborator, declared
from veriloop.assistant.design.project import SOURCE_SUFFIXES, Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.errors import Cancelled, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.operators import Proposal, proposals
from veriloop.assistant.repair.screen import Screen, Worker
from veriloop.assistant.verify.equivalence.prove import Prover, Verdict
from veriloop.assistant.verify.equivalence.yosys import Yosys
from veriloop.assistant.verify.evidence import Step
from veriloop.assistant.verify.protected import Contents
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench
from veriloop.assistant.verify.toolchain import Toolchain

_MOST = 24
"""Mutants of one file."""
_MOST_ALONE = 6
"""The same where each needs a run of its own: cocotb, commands."""
_PROOF_S = 8.0
_MOST_PROOFS = 6
_SHORTEST_S = 2.0
_LONGER = 10.0
_TEXT_CHARS = 60

_CLASSICAL = frozenset(
    {"literal", "operator", "operator of another class", "operand too many", "negated operand", "unary operator"}
    | {"negation too many", "ternary negated", "condition negated", "condition constant", "branches swapped"}
    | {"statement too many", "value negated", "value constant", "case items swapped", "ternary branch"}
)


def mutated(path: str, content: bytes, near: frozenset[int] = frozenset(), *, modules: frozenset[str]) -> list[Mutant]:
    """All mutants of some modules of a file, spread over its lines, those of the lines in `near` first."""
    tree = SyntaxTree(content)
    by_line: dict[int, list[Mutant]] = defaultdict(list)
    for structure, one in proposals(tree):
        if structure.name in modules and one.operator in _CLASSICAL and len(one.replacements) <= 2:
            mutant = _mutant(tree, path, one)
            by_line[mutant.line].append(mutant)
    for mutants in by_line.values():
        # The same choice on every machine, and not the same operator on every line.
        mutants.sort(key=lambda one: hashlib.sha256(f"{one.line} {one.was} {one.becomes}".encode()).digest())
    order = sorted(by_line, key=lambda line: (line not in near, line))
    rounds = zip_longest(*(by_line[line] for line in order))
    return [mutant for row in rounds for mutant in row if mutant is not None]


def _mutant(tree: SyntaxTree, path: str, one: Proposal) -> Mutant:
    content = tree.content
    for start, end, text in sorted(one.replacements, reverse=True):
        content = content[:start] + text.encode() + content[end:]
    start, end, becomes = one.replacements[0]
    was = tree.content[start:end].decode(errors="replace")
    if len(one.replacements) == 2:
        was, becomes = (
            f"{was} ... {tree.content[slice(*one.replacements[1][:2])].decode(errors='replace')}",
            one.operator,
        )
    return Mutant(path=path, line=tree.line(start), was=_short(was), becomes=_short(becomes), content=content)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TEXT_CHARS else text[: _TEXT_CHARS - 3] + "..."


@dataclass(slots=True, kw_only=True)
class Mutation:
    """Judges the mutants of a change by the tests that pass with it.

    Args:
        contents: the change.
        found: what it reaches.
        ran: the tests that passed, with their steps.
        project: of the tree that the change makes.
        root: a private copy of that tree; it is as it was afterwards.
        scratch: an existing directory.
        toolchain: the simulators.
        cancel: stops it.
    """

    contents: Contents
    found: Impact
    ran: Sequence[tuple[Testbench, Step]]
    project: Project
    root: Path
    scratch: Path
    toolchain: Toolchain
    cancel: CancelToken

    def run(self) -> Iterator[Score]:
        """A score for each changed file of RTL that a test reads.

        Raises:
            Cancelled: the token was set.
        """
        for path in self.found.changed:
            pure = Path(path)
            if pure.suffix.lower() not in SOURCE_SUFFIXES or path in self.found.layout_only or is_test_path(pure):
                continue
            readers = [(test, step) for test, step in self.ran if self.found.covers(test, path)]
            if readers and (self.root / path).is_file():
                score = self._score(path, readers)
                if score.made:
                    yield score

    def _score(self, path: str, readers: Sequence[tuple[Testbench, Step]]) -> Score:
        content = (self.root / path).read_bytes()
        lines = frozenset(line for _, line, _ in changed_lines(path, self.contents[path]))
        all_of_it = mutated(path, content, lines, modules=_touched(content, lines))
        together = any(not isinstance(test, CocotbTestbench | CommandTest) for test, _ in readers)
        waiting = self._usable(path, content, all_of_it, readers, _MOST if together else _MOST_ALONE)
        made, killed = len(waiting), 0
        for test, step in sorted(readers, key=lambda one: sum(run.cpu_s for run in one[1].results)):
            if not waiting:
                break
            fate = self._judged(test, step, {path: content}, waiting)
            made -= sum(one is None for one in fate)
            killed += sum(one is False for one in fate)
            waiting = [mutant for mutant, passed in zip(waiting, fate, strict=True) if passed]
        same = [mutant for mutant in waiting[:_MOST_PROOFS] if self._proved(mutant)]
        survivors = tuple(mutant for mutant in waiting if mutant not in same)
        return Score(path=path, made=made, killed=killed, equivalent=len(same), survivors=survivors)

    def _usable(
        self,
        path: str,
        content: bytes,
        mutants: Sequence[Mutant],
        readers: Sequence[tuple[Testbench, Step]],
        most: int,
    ) -> list[Mutant]:
        """Those that elaborate and are not the same text twice."""
        design = next((test.design for test, _ in readers if not isinstance(test, CommandTest)), None)
        elaborator = Elaborator(design.rooted(self.root)) if design is not None else None
        if elaborator is not None and elaborator.errors():
            elaborator = None
        found: list[Mutant] = []
        seen = {content}
        for mutant in mutants:
            if len(found) == most:
                break
            self.cancel.check()
            if mutant.content in seen:
                continue
            seen.add(mutant.content)
            if elaborator is None or not elaborator.objections({self.root / path: mutant.content}):
                found.append(mutant)
        return found

    def _judged(
        self, test: Testbench, step: Step, original: Mapping[str, bytes], mutants: Sequence[Mutant]
    ) -> list[bool | None]:
        """For each mutant whether the test passes with it; none where it does not compile."""
        longest = max((run.wall_s for run in step.results), default=test.timeout_s)
        screen = Screen(
            test,
            engine="command" if isinstance(test, CommandTest) else "verilator",
            original=original,
            workers=[Worker(self.root, self.scratch)],
            toolchain=self.toolchain,
            elaborator=None,
            timeout_s=min(test.timeout_s, max(_SHORTEST_S, _LONGER * longest)),
            cancel=self.cancel,
        )
        try:
            screen.share({}, step.results)
            results = screen.judge([{mutant.path: mutant.content} for mutant in mutants])
        finally:
            screen.close()
        return [None if one.outcome is Outcome.COMPILE_ERROR else one.passed for one in results]

    def _proved(self, mutant: Mutant) -> bool:
        """Whether a mutant is proved to do what the design does."""
        try:
            yosys = Yosys.find(self.cancel)
        except ToolNotFound:
            return False
        for module in declared(mutant.content)[0]:
            old = module_design(self.project, mutant.path, module)
            if old is None:
                return False
            with tempfile.TemporaryDirectory(dir=self.scratch) as name:
                changed = Path(name, Path(mutant.path).name)
                changed.write_bytes(mutant.content)
                own = self.project.root / mutant.path
                sources = tuple(changed if path == own else path for path in old.sources)
                new = replace(old, sources=sources, include_dirs=(*old.include_dirs, own.parent))
                try:
                    proof = Prover(old, new, yosys, self.toolchain, Path(name), self.cancel, limit_s=_PROOF_S).run()
                except Cancelled:
                    self.cancel.check()
                    return False
            if proof.verdict is not Verdict.EQUIVALENT:
                return False
        return True


def _touched(content: bytes, lines: frozenset[int]) -> frozenset[str]:
    """The modules that hold a changed line; all of the file, where the change lies between them."""
    tree = SyntaxTree(content)
    spans = {
        Structure(tree, node).name: range(tree.line(node.start_byte), tree.line(node.end_byte) + 1)
        for node in tree.modules
    }
    touched = frozenset(name for name, span in spans.items() if any(line in span for line in lines))
    return touched or frozenset(spans)
