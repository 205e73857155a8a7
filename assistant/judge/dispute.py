"""What a judge is handed: a test, the design that it tests, and whatever says what is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaboration, Elaborator
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.generate.interface import Interface, interface_of_module
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A test and a design that do not go together.

    Attributes:
        testbench: the test; its paths count from `root`.
        root: a private copy of the tree, in which files are changed and put back.
        scratch: an existing directory for builds.
        rtl: the file of the design, relative to `root`.
        bench: the test's own files.
        specification: its text; empty where there is none.
        spec_path: its file relative to `root`; none where it is not in the tree.
        header: a module header that is given beside the specification.
        answers: modules that were written to the specification independently of the design.
    """

    testbench: Testbench
    root: Path
    scratch: Path
    rtl: Path
    bench: tuple[Path, ...] = ()
    specification: str = ""
    spec_path: Path | None = None
    header: str | None = None
    answers: tuple[bytes, ...] = ()


class Subject:
    """The design that is under test, as far as it can be read.

    Args:
        dispute: what is judged.
    """

    def __init__(self, dispute: Dispute) -> None:
        self.dispute = dispute
        self.content = (dispute.root / dispute.rtl).read_bytes()
        self.tree = SyntaxTree(self.content)

    @cached_property
    def structures(self) -> dict[str, Structure]:
        """The modules of the file."""
        found = (Structure(self.tree, module) for module in self.tree.modules)
        return {structure.name: structure for structure in found}

    @cached_property
    def whole(self) -> Elaboration | None:
        """The test and the design together; none for a command, whose files are not known."""
        testbench = self.dispute.testbench
        if isinstance(testbench, CommandTest):
            return None
        return Elaborator(testbench.design.rooted(self.dispute.root)).elaborate()

    @cached_property
    def alone(self) -> Elaboration:
        """The design with the files around it, without the test."""
        return Elaborator(self.design.rooted(self.dispute.root)).elaborate()

    @cached_property
    def design(self) -> Design:
        """The files of the design without those of the test; the toplevel is the module under test."""
        testbench = self.dispute.testbench
        if isinstance(testbench, CommandTest):
            return Design(toplevel=self.module, sources=(self.dispute.rtl,))
        own = {path for path in self.dispute.bench if path != self.dispute.rtl}
        sources = tuple(path for path in testbench.design.sources if path not in own)
        if self.dispute.rtl not in sources:
            sources = (*sources, self.dispute.rtl)
        parameters = testbench.design.parameters if isinstance(testbench, CocotbTestbench) else ()
        return replace(testbench.design, toplevel=self.module, sources=sources, parameters=parameters)

    @cached_property
    def module(self) -> str:
        """The module under test: the one that the test holds highest, else the one that no other of the file uses."""
        testbench = self.dispute.testbench
        if isinstance(testbench, CocotbTestbench) and testbench.design.toplevel in self.structures:
            return testbench.design.toplevel
        hierarchy = self.whole.hierarchy if self.whole is not None else {}
        held = next((name for name in hierarchy.values() if name in self.structures), None)
        if held is not None:
            return held
        used = {self.tree.text(node.children[0]) for node in self.tree.nodes if node.type == "module_instantiation"}
        tops = [name for name in self.structures if name not in used]
        return (tops or [*self.structures, ""])[0]

    @cached_property
    def instance(self) -> str:
        """Where the module stands in the test's hierarchy; empty where it does not."""
        hierarchy = self.whole.hierarchy if self.whole is not None else {}
        return next((path for path, name in hierarchy.items() if name == self.module), "")

    @cached_property
    def interface(self) -> Interface | None:
        """Its ports; none where they are not known, or of kinds that no specification here describes."""
        for elaboration in (self.alone, self.whole):
            module = elaboration.modules.get(self.module) if elaboration is not None else None
            if module is not None:
                return interface_of_module(module)
        return None

    @cached_property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the file itself, whoever uses it."""
        path = str(self.dispute.root / self.dispute.rtl)
        return tuple(one for one in self.alone.errors if one.path == path)

    def with_module(self, text: bytes) -> bytes:
        """The file with another text in the place of the module under test."""
        structure = self.structures.get(self.module)
        if structure is None or len(self.structures) == 1:
            return text
        node = structure.module
        kept = self.content[: node.start_byte], self.content[node.end_byte :]
        own = {Structure(tree, module).name for tree in (SyntaxTree(text),) for module in tree.modules}
        # What else the file holds stays, unless the other text brings it along.
        if own & (self.structures.keys() - {self.module}):
            return text
        return kept[0] + text + kept[1]

    def bench_files(self) -> Iterator[Path]:
        """The test's own files that are there."""
        for path in self.dispute.bench:
            if (self.dispute.root / path).is_file():
                yield path
