"""Puts together what the readers find: the design, its toplevels, its tests, what they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant import startup
from veriloop.assistant.design.facts import file_facts
from veriloop.assistant.errors import UsageError
from veriloop.assistant.project.derived import derived_tests
from veriloop.assistant.project.graph import Declared, Graph, is_aside, is_example
from veriloop.assistant.project.model import (
    Answer,
    Build,
    Findings,
    Generated,
    Imported,
    Need,
    Test,
    Top,
)
from veriloop.assistant.project.origins import black_boxes, generated
from veriloop.assistant.project.readers import (
    bender,
    ci,
    editors,
    filelists,
    formal,
    fusesoc,
    make,
    python_tests,
    runners,
    scripts,
)
from veriloop.assistant.project.reading import Context
from veriloop.assistant.project.tree import Tree

_READERS: tuple[tuple[str, Callable[[Tree, Context], Findings]], ...] = (
    (runners.NAME, runners.read),
    (filelists.NAME, filelists.read),
    (fusesoc.NAME, fusesoc.read),
    (bender.NAME, bender.read),
    (make.NAME, make.read),
    (scripts.NAME, scripts.read),
    (python_tests.NAME, python_tests.read),
    (editors.NAME, editors.read),
    (formal.NAME, formal.read),
    (ci.NAME, ci.read),
)
_MOST_TOPS = 400
_MOST_ROOTS = 100
_PREFERENCE = (
    "cocotb",
    "make",
    "pytest",
    "script",
    "CI",
    "fusesoc",
    "tox",
    "nox",
    "MyHDL",
    "VUnit",
    "formal",
    "derived",
)
_GOOD_NAMES = ("test", "check", "sim", "regress", "run", "all")


def import_project(root: Path, *, extra: Iterable[Build] = ()) -> Imported:
    """Reads what a repository says about itself. Nothing of it is run.

    Args:
        root: where its tree lies.
        extra: builds that the user has named beside them, for instance a command that prints a file list.

    Raises:
        UsageError: the root is no directory.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory")
    with startup.seldom():
        return _imported(root, tuple(extra))


def _imported(root: Path, extra: tuple[Build, ...]) -> Imported:
    tree = Tree(root)
    context = Context(tree, runners.surroundings(tree))
    found = {name: read(tree, context) for name, read in _READERS}
    sources = tree.hdl
    contents = {path: _bytes(tree, path) for path in sources}
    facts = {path: file_facts(content) for path, content in contents.items()}
    lines = {path: content.count(b"\n") + 1 for path, content in contents.items()}
    del contents
    return _Composer(tree, context, found, Graph(facts, lines), extra).compose()


def _bytes(tree: Tree, path: Path) -> bytes:
    try:
        return (tree.root / path).read_bytes()
    except OSError:
        return b""


@dataclass
class _Composer:
    tree: Tree
    context: Context
    found: Mapping[str, Findings]
    graph: Graph
    extra: tuple[Build, ...]
    open: list[str] = field(default_factory=list)
    """Questions that come up on the way."""

    def compose(self) -> Imported:
        builds = [*self.extra, *_once(build for one in self.found.values() for build in one.builds)]
        rtl = tuple(path for path in self.graph.facts if path not in self.graph.benches)
        made = {name: str(build.origin) for build in builds for name in build.absent}
        written = tuple(generated(self.tree, rtl, made))
        tests = self._tests(builds)
        tops = self._tops(builds, tests, rtl, written)
        absent_submodules = [path for path, there in self.tree.submodules.items() if not there]
        wanting = dict.fromkeys(absent_submodules, "perhaps in a submodule that is not checked out")
        needs = self._needs(tests, absent_submodules)
        questions = [question for one in self.found.values() for question in one.questions]
        questions += [*self.open, *self._open(builds, tests, tops)]
        return Imported(
            root=self.tree.root,
            tops=tuple(tops),
            rtl=rtl,
            headers=self.tree.headers,
            bench_files=tuple(sorted(self.graph.benches)),
            include_dirs=_answers(
                (directory.as_posix(), build) for build in builds for directory in build.include_dirs
            ),
            defines=_answers((_define(pair), build) for build in builds for pair in build.defines),
            builds=tuple(builds),
            tests=tuple(tests),
            needs=tuple(needs),
            generated=written,
            black_boxes=tuple(black_boxes(self.tree, self.graph, rtl, wanting)),
            questions=tuple(dict.fromkeys(questions)),
            notes=tuple(self.context.notes),
            readers=tuple(name for name, one in self.found.items() if one.builds or one.tests),
            lines=sum(self.graph.lines.values()),
        )

    # --- tests ---

    def _tests(self, builds: Sequence[Build]) -> list[Test]:
        tests: dict[str, Test] = {}
        for one in self.found.values():
            for test in one.tests:
                known = tests.get(test.command)
                if known is None:
                    tests[test.command] = self._with_modules(test)
        derived = derived_tests(self.tree, self.context, self.graph, tests.values(), builds)
        for test in derived.tests:
            tests[test.command] = self._with_modules(test)
        self.open += derived.questions
        return sorted(tests.values(), key=self._rank)

    def _with_modules(self, test: Test) -> Test:
        """The test with the DUT and the modules that it exercises, by the hierarchy of what it compiles."""
        modules: dict[str, None] = {}
        duts: dict[str, None] = {}
        for build in test.builds:
            among = set(build.sources)
            tops = self.tops_of(build)
            for one in self.graph.below(tops, among):
                if one.path in self.graph.benches:
                    continue
                modules[one.unit.name] = None
            duts |= dict.fromkeys(self._duts(tops, among))
        toplevel = test.toplevel or (next(iter(duts)) if len(duts) == 1 else "")
        return replace(test, modules=tuple(modules), toplevel=toplevel)

    def tops_of(self, build: Build) -> list[Declared]:
        """A build's toplevels: those that it names, else what none of its files instantiates."""
        among = set(build.sources)
        named = [self.graph.find(name, build.origin.path, among) for name in build.toplevels]
        there = [one for one in named if one is not None]
        if there:
            return there
        roots = self.graph.roots(build.sources)
        # A file may hold more of the design than the testbench looks at.
        return [one for one in roots if one.path in self.graph.benches] or roots

    def _duts(self, tops: Iterable[Declared], among: set[Path]) -> Iterator[str]:
        """The design's modules that testbenches instantiate, and toplevels that are no testbench."""
        for one in self.graph.below(tops, among):
            if one.path not in self.graph.benches:
                continue
            for name in one.unit.instantiates:
                inner = self.graph.find(name, one.path, among)
                if inner is not None and inner.path not in self.graph.benches:
                    yield name
        for one in tops:
            if one.path not in self.graph.benches:
                yield one.unit.name

    def _rank(self, test: Test) -> tuple[object, ...]:
        """Small for the test to try first: nothing missing, sources there, a good name, near the root."""
        absent = sum(len(build.absent) for build in test.builds)
        name = test.command.split()[-1]
        good = next((at for at, word in enumerate(_GOOD_NAMES) if word in name.lower()), len(_GOOD_NAMES))
        kind = _PREFERENCE.index(test.kind) if test.kind in _PREFERENCE else len(_PREFERENCE)
        return (
            not (test.runnable and _exercises(test)),
            not _exercises(test),
            not test.runnable,
            not test.builds,
            bool(absent),
            test.kind in ("formal",),
            is_example(test.origin.path) or (is_aside(test.origin.path) and test.kind != "formal"),
            kind > _PREFERENCE.index("fusesoc"),
            -min(len(test.modules), 50),
            kind,
            good,
            len(test.origin.path.parts),
            test.command,
        )

    # --- tops ---

    def _tops(
        self, builds: Sequence[Build], tests: Sequence[Test], rtl: tuple[Path, ...], written: tuple[Generated, ...]
    ) -> list[Top]:
        why: dict[str, list[str]] = defaultdict(list)
        named_alone: set[str] = set()
        for build in builds:
            for name in build.toplevels:
                if build.kind in ("lint", "files"):
                    named_alone.add(name)
                if build.kind in ("lint", "synthesis", "files"):
                    why[name].append(f"the toplevel of {build.name} ({build.origin})")
            if build.kind == "files" and not build.toplevels:
                name, reason = self._at_the_top(build)
                if name:
                    named_alone.add(name)
                    why[name].append(reason)
        for test in tests:
            if test.toplevel:
                why[test.toplevel].append(f"tested by {test.name}")
        found: list[Top] = []
        roots = {one.unit.name: one for one in self.graph.roots(rtl)}
        named = {name: self.graph.find(name, Path()) for name in why if name not in roots}
        candidates = {**roots, **{name: one for name, one in named.items() if one is not None}}
        for name, one in candidates.items():
            if one.path in self.graph.benches:
                continue
            files = self.graph.files([one])
            reasons = why.get(name, [])
            reason = reasons[0] if reasons else "no module of the design instantiates it"
            more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
            lines = sum(self.graph.lines.get(path, 0) for path in files)
            found.append(Top(name=name, path=one.path, why=reason + more, files=tuple(files), lines=lines))
        is_root = set(roots)

        def rank(top: Top) -> tuple[object, ...]:
            weight = 3 if top.name in named_alone else 2 if top.name in why else 1
            aside = top.path is None or is_example(top.path) or is_aside(top.path)
            return aside, top.name not in is_root and top.name not in named_alone, -weight * top.lines, top.name

        found.sort(key=rank)
        return found[:_MOST_TOPS]

    def _at_the_top(self, build: Build) -> tuple[str, str]:
        """The toplevel of a list of files that names none, and why; empty where several have as good a claim."""
        among = set(build.sources)
        roots = [one for one in self.graph.roots(build.sources) if one.path not in self.graph.benches]
        if len(roots) == 1:
            return roots[0].unit.name, f"alone at the top of {build.name}"
        # Lists of a whole chip bring libraries along of which the chip uses a part.
        for one in roots if len(roots) <= _MOST_ROOTS else ():
            if 2 * len(among.intersection(self.graph.files([one], among))) > len(among) > 2:
                return one.unit.name, f"needs most files of {build.name}"
        return "", ""

    # --- the rest ---

    def _needs(self, tests: Sequence[Test], submodules: Sequence[str]) -> list[Need]:
        found: dict[tuple[str, str], Need] = {}
        wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
        every = [(need, test.name) for test in tests for need in test.needs]
        every += [(need, by) for one in self.found.values() for need in one.needs for by in need.wanted_by or ("CI",)]
        for need, by in every:
            key = (need.kind, need.name)
            if key not in found or (need.hint and not found[key].hint):
                found[key] = need
            wanted[key].append(by)
        for path in submodules:
            hint = f"git submodule update --init {path}"
            found["submodule", path] = Need(kind="submodule", name=path, hint=hint)
        return [replace(need, wanted_by=tuple(dict.fromkeys(wanted[key]))) for key, need in found.items()]

    def _open(self, builds: Sequence[Build], tests: Sequence[Test], tops: Sequence[Top]) -> Iterator[str]:
        """What could not be told."""
        if not self.graph.facts:
            yield "there is no Verilog in this tree"
            return
        if not tops:
            yield "no module is at the top of the design: each is instantiated by another, or all files look like tests"
        if not tests:
            yield "no test was found: name one with --test COMMAND"
        elif not any(test.runnable for test in tests):
            yield "no test can run here: each needs something that is missing"
        elif not any(test.runnable and _exercises(test) for test in tests):
            yield "no test that is known to exercise the design can run here: each needs something that is missing"
        for build in builds:
            if build.absent and not build.sources:
                yield f"{build.name} ({build.origin}): none of its files is there, {build.absent[0]} for instance"


def _exercises(test: Test) -> bool:
    """Whether a test is known to look at some of the design."""
    return bool(test.builds or test.toplevel)


def _once(builds: Iterable[Build]) -> list[Build]:
    found: dict[tuple[object, ...], Build] = {}
    for build in builds:
        mark = (build.sources, build.toplevels, build.defines, build.parameters, build.kind, build.origin.path)
        found.setdefault(mark, build)
    return list(found.values())


def _answers(pairs: Iterable[tuple[str, Build]]) -> tuple[Answer, ...]:
    found: dict[str, dict[str, None]] = {}
    for value, build in pairs:
        found.setdefault(value, {})[str(build.origin)] = None
    return tuple(Answer(value=value, origins=tuple(origins)) for value, origins in found.items())


def _define(pair: tuple[str, str]) -> str:
    return f"{pair[0]}={pair[1]}" if pair[1] else pair[0]
