"""The tests that a repository has, those that fit a text first, and which of them fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.context import Context
from veriloop.assistant.design.project import SOURCE_SUFFIXES, Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, Run, Stage
from veriloop.assistant.session.retrieval import Index, Text
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench, named_testbench
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import Testbench

_MOST_READ = 2000
"""Files whose text is searched; of a larger tree only the names of the others count."""
_MOST_TRIED = 8
"""Tests that are run to find one that fails; the user can name any other."""
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A test and how a command line names it."""

    name: str
    """A name of `veriloop.toml`, or a path."""
    score: float = 0.0
    """How well it fits what was said."""
    modules: frozenset[str] = frozenset()
    """The modules of the tree that its text names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A test that fails."""

    candidate: Candidate
    reason: str
    """What the run said, in one line."""


class Tests:
    """The tests of one repository.

    Raises:
        NotVerified: the repository names commands that the user has not trusted.
    """

    __test__ = False  # what pytest would otherwise take for a test class

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = Project.load(context.repository.root, context.config.repository.design)
        self._declared = {one.name: one for one in context.config.repository.testbench}

    def fitting(self, text: str) -> tuple[Candidate, ...]:
        """All tests, those that fit a text first; where `veriloop.toml` declares any, only these count."""
        designs = self.designs(text)
        texts = [self._text(path) for path in self._files() if is_test_path(path)]
        own = Index(texts).search(text) if text else {}
        found = []
        for name, paths in self._candidates().items():
            modules = self._named_in(paths)
            about = sum(designs.get(module, 0.0) for module in modules)
            score = about + sum(own.get(str(path), 0.0) for path in paths)
            found.append(Candidate(name=name, score=score, modules=modules))
        return tuple(sorted(found, key=lambda one: -one.score))

    def designs(self, text: str) -> dict[str, float]:
        """The modules of the design that fit a text."""
        if not text:
            return {}
        paths = [path for path in self._files() if not is_test_path(path)]
        found = Index([self._text(path) for path in paths]).search(text)
        declares = self._project.index.declares
        return {name: found[str(path)] for path in paths if str(path) in found for name in declares.get(path, ())}

    def file_of(self, module: str) -> str:
        """The file that declares a module; empty where several do, or none."""
        paths = self._project.index.modules.get(module, ())
        return str(paths[0]) if len(paths) == 1 else ""

    def failing(self, candidates: Sequence[Candidate]) -> Run[Failing | None]:
        """Runs tests until one fails, the first ones first; verdicts that are known cost nothing.

        Raises:
            ToolError: a tool broke or is missing.
        """
        context = self._context
        if not context.toolchain.verilator.prepared:
            yield Stage("building Verilator's runtime, once on this machine")
            context.toolchain.verilator.prepare(context.cancel)
        tree = context.repository.snapshot()
        for candidate in candidates[:_MOST_TRIED]:
            try:
                testbench = self._testbench(candidate.name)
            except UsageError as error:
                yield Note(f"{candidate.name} is left out: {error.message}")
                continue
            steps = yield from context.gate.baseline(tree, [testbench])
            step = next((step for step in steps if step.name == testbench.name), None)
            if step is None or step.passed or not step.results:
                continue
            if all(NO_SUMMARY in run.reason for run in step.results):
                yield Note(f"{candidate.name} {NO_SUMMARY.removeprefix('the testbench ')}, so it is left out")
                continue
            return Failing(candidate=candidate, reason=_reason(step.results))
        return None

    def _files(self) -> list[Path]:
        return [path for path in self._project.files if path.suffix.lower() in SOURCE_SUFFIXES]

    def _candidates(self) -> dict[str, tuple[Path, ...]]:
        if self._declared:
            if any(one.kind in RUNS_CODE for one in self._declared.values()):
                require_trust(self._context.repository.root, self._context.config)
            return {name: one.sources for name, one in self._declared.items()}
        declares = self._project.index.declares
        return {str(path): (path,) for path in declares if is_test_path(path) and declares[path]}

    def _testbench(self, name: str) -> Testbench:
        if name in self._declared:
            return declared_testbench(self._declared[name], self._project)
        return replace(named_testbench(self._project, [Path(name)])[0], name=name)

    def _named_in(self, paths: Sequence[Path]) -> frozenset[str]:
        index = self._project.index
        own = {name for path in paths for name in index.declares.get(path, ())}
        words = {word.decode() for path in paths for word in _IDENTIFIER.findall(self._project.read(path))}
        return frozenset(name for name in index.modules if name in words and name not in own)

    def _text(self, path: Path) -> Text:
        position = self._project.files.index(path) if len(self._project.files) > _MOST_READ else 0
        content = self._project.read(path) if position < _MOST_READ else b""
        names = (path.stem, *sorted(self._project.index.declares.get(path, ())))
        return Text(key=str(path), names=names, words=content.decode("utf-8", errors="replace"))


def _reason(results: Sequence[SimResult]) -> str:
    red = next(run for run in results if not run.passed)
    where = f" from {red.start}" if red.start and red.start != "x" else ""
    return f"{red.reason} ({red.engine}{where})"
