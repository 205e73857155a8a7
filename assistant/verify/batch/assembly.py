"""Many candidates in one design: which of them can be versions of it, and the program that holds these."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from veriloop.assistant.design.alternatives import Changes, Choices, Facts, declared_again, written_by
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.batch.chooser import Choice, Engine
from veriloop.assistant.verify.batch.engines import (
    Program,
    build_icarus,
    build_verilator,
    forking_module,
    write_package,
)
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.simulation import FileBench, keeps_dumps
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

Contents = Mapping[str, bytes]
"""Files of the tree by their relative path."""

_REACHED = re.compile(rb"\.\s*([A-Za-z_]\w*)\b(?!\s*\()")
"""A name that is reached by hierarchy, or a member of a structure; a port that is connected is neither."""
_SHARED_TARGETS = frozenset({"MultipleAlwaysAssigns", "MixedVarAssigns", "MultipleContAssigns"})
"""What slang says of a variable that several processes assign, of which only one ever does."""
_BUILD_TIMEOUT_S = 60.0
_BLAMED = 4
"""How often those that wrote what slang refuses are taken out, before the others are looked for by halving."""


class Assembly:
    """Puts candidates of one original together.

    Args:
        testbench: names the design.
        original: the files that candidates change.
        root: the private copy of the tree in which they lie.
        scratch: an existing directory.
        toolchain: builds the program.
        cancel: stops it.
    """

    def __init__(
        self,
        testbench: FileBench,
        *,
        original: Contents,
        root: Path,
        scratch: Path,
        toolchain: Toolchain,
        cancel: CancelToken,
    ) -> None:
        self._testbench = testbench
        self._original = original
        self._root = root
        self._scratch = scratch
        self._toolchain = toolchain
        self._cancel = cancel
        self._choices: dict[Engine, Choices] = {}

    def versions(self, candidates: Sequence[Contents], engine: Engine) -> dict[int, Changes]:
        """What each candidate changes, by its number from 1 on; those that no batch can hold are left out."""
        if engine not in self._choices:
            files = {self._root / path: content for path, content in self._original.items()}
            self._choices[engine] = Choices(files, self._facts, exact_sensitivity=engine == "icarus")
        found = {}
        for number, candidate in enumerate(candidates, 1):
            changed = {
                self._root / path: content for path, content in candidate.items() if content != self._original[path]
            }
            changes = self._choices[engine].changes(changed)
            if changes:
                found[number] = changes
        return found

    def elaborating(self, versions: Mapping[int, Changes], engine: Engine, observing: bool) -> dict[int, Changes]:
        """Those versions that elaborate together."""
        elaborator = self._with_package
        kept = dict(versions)
        if elaborator is None:
            return kept
        for _ in range(_BLAMED):
            errors = self._errors(elaborator, self.combined(kept, engine, observing))
            if not errors:
                return kept
            blamed = self.blamed(errors, kept, engine, observing)
            kept = {number: changes for number, changes in kept.items() if number not in blamed}
            if not blamed:
                break
        return self._halved(elaborator, kept, engine, observing)

    def _halved(
        self, elaborator: Elaborator, versions: dict[int, Changes], engine: Engine, observing: bool
    ) -> dict[int, Changes]:
        """The same, where no line tells what breaks the others."""
        if not versions or not self._errors(elaborator, self.combined(versions, engine, observing)):
            return versions
        if len(versions) == 1:
            return {}
        numbers = sorted(versions)
        half = len(numbers) // 2
        parts = [{number: versions[number] for number in part} for part in (numbers[:half], numbers[half:])]
        return {
            number: changes
            for part in parts
            for number, changes in self._halved(elaborator, part, engine, observing).items()
        }

    def combined(self, versions: Mapping[int, Changes], engine: Engine, observing: bool) -> Mapping[Path, bytes]:
        """The changed files with all these versions in them."""
        return self._choices[engine].combined(versions, observing=observing)

    def blamed(
        self, errors: Sequence[Diagnostic], versions: Mapping[int, Changes], engine: Engine, observing: bool
    ) -> set[int]:
        """The versions whose text stands in the lines that a tool refuses."""
        files = self.combined(versions, engine, observing)
        return {
            number
            for error in errors
            for path, content in files.items()
            if error.line and (self._root / error.path) == path
            for number in written_by(content, error.line)
        }

    def built(
        self, versions: Mapping[int, Changes], way: Choice, directory: Path, observing: bool
    ) -> Program | tuple[Diagnostic, ...]:
        """The program that holds these versions; or what the tool refuses.

        Raises:
            ToolError: a tool broke or is missing.
        """
        cancel = self._cancel
        plusargs = self._testbench.plusargs if isinstance(self._testbench, VerilogTestbench) else ()
        with written(self.combined(versions, way.engine, observing)):
            if way.engine == "verilator":
                return build_verilator(
                    self._toolchain.verilator,
                    self._design,
                    directory,
                    cwd=self._root,
                    plusargs=plusargs,
                    features=Features(trace=keeps_dumps(self._testbench)),
                    optimize=way.optimize,
                    observing=observing,
                    declared=declared_again(versions),
                    cancel=cancel,
                )
            assert self._toolchain.icarus is not None
            return build_icarus(
                self._toolchain.icarus,
                self._design,
                directory,
                cwd=self._root,
                module=forking_module(self._toolchain.verilator, cancel),
                plusargs=plusargs,
                keep_dumps=keeps_dumps(self._testbench),
                timeout_s=_BUILD_TIMEOUT_S,
                cancel=cancel,
            )

    @staticmethod
    def _errors(elaborator: Elaborator, files: Mapping[Path, bytes]) -> list[Diagnostic]:
        return [error for error in elaborator.errors(files) if error.code not in _SHARED_TARGETS]

    @property
    def _design(self) -> Design:
        return self._testbench.design.rooted(self._root)

    @cached_property
    def _elaborator(self) -> Elaborator:
        return Elaborator(self._design)

    @cached_property
    def _facts(self) -> Facts:
        elaboration = self._elaborator.elaborate()
        texts = (path.read_bytes() for path in (*self._design.sources, *self._design.library_files) if path.is_file())
        reached = frozenset(name.decode() for text in texts for name in _REACHED.findall(text))
        return Facts(
            elaboration.assigned_widths(), elaboration.overridden_parameters | reached, is_whole=elaboration.is_whole
        )

    @cached_property
    def _with_package(self) -> Elaborator | None:
        """Elaborates the design with the selector; none where slang refuses the unchanged design."""
        if self._elaborator.errors():
            return None
        directory = Path(tempfile.mkdtemp(dir=self._scratch))
        package = write_package(directory, "verilator", observing=True)
        return Elaborator(replace(self._design, sources=(package, *self._design.sources)))


@contextmanager
def written(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Holds files in place of those that are there."""
    before = {path: path.read_bytes() for path in files}
    try:
        for path, content in files.items():
            path.write_bytes(content)
        yield
    finally:
        for path, content in before.items():
            path.write_bytes(content)
