"""Which tests of a tree can come out otherwise because of a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.change.impact import Impact
from veriloop.assistant.config import Config, TestbenchSettings
from veriloop.assistant.design.project import Project
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench, discovered_testbenches
from veriloop.assistant.verify.testbench import Testbench


@dataclass(frozen=True, slots=True)
class Tests:
    """What judges a change.

    Attributes:
        testbenches: what to run.
        named: whether the user named them on the command line.
        found: whether nobody declared them: then one that says nothing does not count.
    """

    __test__ = False

    testbenches: tuple[Testbench, ...]
    named: bool = False
    found: bool = False


def tests_of(project: Project, config: Config, change: Impact, *, trusted_at: Path, everything: bool) -> Tests:
    """The tests that a tree declares, else those that are found in it, as far as the change reaches them.

    Args:
        project: the tree that the change makes.
        config: of that tree.
        change: what the change reaches.
        trusted_at: where the user's repository lies, whose commands may have been trusted.
        everything: take every test, reached or not.

    Raises:
        NotVerified: a test runs a command or Python of the repository, and the user has not trusted it.
        UsageError: a file that a test names is not there.
    """
    declared = config.repository.testbench
    if not declared:
        among = None if everything or change.everything else change.affected
        return Tests(tuple(discovered_testbenches(project, among=among)), found=True)
    wanted = [one for one in declared if everything or _may_be_judged(one, project, change)]
    if any(one.kind in RUNS_CODE for one in wanted):
        require_trust(trusted_at, config)
    made = (declared_testbench(one, project) for one in wanted)
    return Tests(tuple(one for one in made if everything or change.judges(one)))


def _may_be_judged(settings: TestbenchSettings, project: Project, change: Impact) -> bool:
    """Whether it is worth finding out what a test consists of: its own files depend on what was touched, or say not."""
    if change.everything or settings.kind == "command":
        return bool(change.changed)
    return any(path in change.affected or path in change.changed for path in _own(settings, project))


def _own(settings: TestbenchSettings, project: Project) -> Iterator[str]:
    yield from (path.as_posix() for path in settings.sources)
    if settings.oracle is not None:
        yield settings.oracle.as_posix()
    if settings.kind == "cocotb":
        yield from (path for path in _python(settings, project))
        tops = project.index.modules.get(settings.toplevel or project.declared_design.toplevel, ())
        # Where nobody says what the DUT is, any file may be part of it.
        yield from (path.as_posix() for path in tops or project.files)


def _python(settings: TestbenchSettings, project: Project) -> Iterator[str]:
    for folder in settings.search_path:
        for path in (project.root / folder).glob("*.py"):
            yield path.relative_to(project.root).as_posix()
