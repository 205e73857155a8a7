"""Changes that pass a test by hiding from it: outputs that moved before, and with the change stay as they are.

A monitor that waits for a `valid` compares nothing where none comes, so a change that holds the design in reset passes
many a test. What the test compares nobody can see from outside; what the outputs do can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.screen import Contents, fingerprint
from veriloop.assistant.verify.differential import compare
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.testbench import CommandTest, Testbench, TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_CYCLES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Looks whether a change stills outputs.

    Args:
        testbench: what the change passes.
        baseline: how the original failed.
        original: the files without any change.
        settings: how the repository's files are read, where the testbench does not say it.
        root: a private copy of the tree.
        scratch: an existing directory.
        toolchain: runs the original and the change side by side.
        cancel: stops it.
    """

    testbench: Testbench
    baseline: SimResult
    original: Contents
    settings: DesignSettings
    root: Path
    scratch: Path
    toolchain: Toolchain
    cancel: CancelToken
    _known: dict[bytes, tuple[str, ...]] = field(default_factory=dict)

    def stilled(self, contents: Contents, result: SimResult) -> tuple[str, ...]:
        """The outputs that move in the original and no more with the change; none where that cannot be told.

        Args:
            contents: the files as the change leaves them.
            result: how it passed.
        """
        if not self._can_hide(result):
            return ()
        mark = fingerprint(contents)
        if mark not in self._known:
            self._known[mark] = self._look(contents)
        return self._known[mark]

    def _can_hide(self, result: SimResult) -> bool:
        """A test that counts its checks, and has made as many as before, has seen all that it wants to see."""
        if isinstance(self.testbench, TraceTestbench):
            return False
        counted = isinstance(self.testbench, VerilogTestbench) and result.checks > 1
        return not counted or result.checks < self.baseline.checks

    def _look(self, contents: Contents) -> tuple[str, ...]:
        changed = sorted(path for path in contents if contents[path] != self.original[path])
        design = reading_of(self.testbench, changed, self.root, self.settings)
        if design is None:
            return ()
        found = compare(
            [{path: version[path] for path in changed} for version in (self.original, contents)],
            design,
            root=self.root,
            scratch=self.scratch,
            toolchain=self.toolchain,
            cancel=self.cancel,
            cycles=_CYCLES,
        )
        return found.stilled(1, against=0) if found is not None else ()


def reading_of(testbench: Testbench, changed: list[str], root: Path, settings: DesignSettings) -> Design | None:
    """How the changed files are read: as the testbench says, else with what they need of the tree; none at worst."""
    if not isinstance(testbench, CommandTest):
        return testbench.design
    try:
        return Project.load(root, settings).design_for([Path(path) for path in changed]).design
    except UsageError:
        return None
