"""What the verdict cache says of the tree as it is, and from which line on an older verdict holds no more.

Nothing is run here. A verdict that holds now is noted down with the tree that it is about, so that after the next edit
it can be said what has changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from veriloop.assistant.context import Context
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.project import SOURCE_SUFFIXES, Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.durable import write_whole
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench, discovered_testbenches
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.simulation import conclude
from veriloop.assistant.verify.testbench import CommandTest, Testbench
from veriloop.assistant.verify.verdict_key import VerdictKey, verdict_key

_MOST_TEST_FILES = 40
"""More test files than this are looked at only where `veriloop.toml` declares which of them count."""

State = Literal["passed", "failed", "stale", "never"]
"""`stale`: it was judged, and something that it reads has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One test, and what is known of it."""

    name: str
    modules: frozenset[str]
    """The modules that it exercises; empty for a command, which may exercise any."""
    state: State
    passed: bool = False
    """What it last said."""
    when: float = 0.0
    """Seconds since the epoch."""
    tree: str = ""
    """The tree that it was last said of."""


@dataclass(frozen=True, slots=True)
class _Noted:
    key: str
    tree: str
    when: float
    passed: bool


def context_of(path: Path, cancel: CancelToken) -> tuple[Context, tuple[Testbench, ...]]:
    """The repository of a file and its tests; those that run the repository's own code only if it is trusted.

    Raises:
        RepositoryError: the file is in none.
        ConfigError: a configuration file cannot be used.
        NotVerified: its commands are not trusted, or which of many test files count is not declared.
    """
    repository = Repository.open(path if path.is_dir() else path.parent)
    context = Context.of(repository, cancel)
    declared = context.config.repository.testbench
    if any(one.kind in RUNS_CODE for one in declared):
        require_trust(repository.root, context.config)
    if not declared:
        tests = [one for one in repository.entries(repository.snapshot()) if _is_test_file(Path(one))]
        if len(tests) > _MOST_TEST_FILES:
            raise NotVerified(f"{len(tests)} test files, and no [[testbench]] says which of them count")
    return context, testbenches_of(context)


def _is_test_file(path: Path) -> bool:
    return path.suffix.lower() in SOURCE_SUFFIXES and is_test_path(path)


def testbenches_of(context: Context) -> tuple[Testbench, ...]:
    """The tests of a repository: those that its `veriloop.toml` declares, else those that are found in the tree."""
    project = Project.load(context.repository.root, context.config.repository.design)
    declared = context.config.repository.testbench
    return tuple(_declared(context, project)) if declared else tuple(discovered_testbenches(project))


def standings(context: Context, testbenches: Sequence[Testbench]) -> tuple[Standing, ...]:
    """What is known of each test about the files as they are on disk."""
    root = context.repository.root
    tree = context.repository.snapshot()
    found = []
    for testbench in testbenches:
        context.cancel.check()
        key, results = _known(context, testbench, tree)
        notes = _Notes(context.cache.directory, root, testbench.name)
        noted = notes.read()
        modules = _modules(testbench, root)
        if key and results is not None:
            passed = conclude(testbench, results, root=root).passed
            if noted is None or noted.key != key.digest:
                noted = _Noted(key.digest, tree, context.cache.when(key), passed)
                notes.write(noted)
            state: State = "passed" if passed else "failed"
        else:
            state = "stale" if noted is not None else "never"
        known = noted or _Noted("", "", 0.0, False)
        found.append(
            Standing(
                name=testbench.name,
                modules=modules,
                state=state,
                passed=known.passed,
                when=known.when,
                tree=known.tree,
            )
        )
    return tuple(found)


def first_difference(before: bytes, after: bytes) -> int | None:
    """The first line, from 1, in which two texts differ; none if they are equal."""
    if before == after:
        return None
    old, new = before.splitlines(), after.splitlines()
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            return number
    return min(len(old), len(new)) + 1 if len(old) != len(new) else None


def _known(context: Context, testbench: Testbench, tree: str) -> tuple[VerdictKey | None, tuple[SimResult, ...] | None]:
    """The verdict's key and the runs that are kept under it; those that broke off at a red one will do."""
    key = verdict_key(testbench, root=context.repository.root, tree=tree, tools=context.toolchain.versions)
    if key is None:
        return None, None
    results = context.cache.get(key)
    if results is not None:
        return key, results
    red = key.until_red()
    results = context.cache.get(red)
    return (red, results) if results is not None else (key, None)


def _declared(context: Context, project: Project) -> Iterator[Testbench]:
    for settings in context.config.repository.testbench:
        with contextlib.suppress(UsageError):
            yield declared_testbench(settings, project)


def _modules(testbench: Testbench, root: Path) -> frozenset[str]:
    if isinstance(testbench, CommandTest):
        return frozenset()
    return frozenset(elaborate(testbench.design.rooted(root)).hierarchy.values())


class _Notes:
    """What was last said of one test of one repository: a small file in the cache, renamed into place."""

    def __init__(self, directory: Path, root: Path, name: str) -> None:
        digest = hashlib.sha256(f"{root}\0{name}".encode()).hexdigest()
        self._path = directory / "standing" / f"{digest}.json"

    def read(self) -> _Noted | None:
        """The note; none if there is none that can be read."""
        try:
            data = json.loads(self._path.read_bytes())
            return _Noted(str(data["key"]), str(data["tree"]), float(data["when"]), bool(data["passed"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, noted: _Noted) -> None:
        """Keeps a note; a disk that refuses it costs the line from which a verdict is stale, not the verdict."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(asdict(noted)))
