"""The composition root: from a directory to everything that a workflow works with."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.config import Config, TestbenchSettings, load_config
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.gate import Gate
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.cache import VerdictCache
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)
from veriloop.assistant.verify.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Context:
    """One repository with its settings and this machine's tools."""

    repository: Repository
    config: Config
    toolchain: Toolchain
    cache: VerdictCache
    cancel: CancelToken

    @classmethod
    def of(cls, repository: Repository, cancel: CancelToken) -> Context:
        """Reads the settings and finds the tools that they name.

        Raises:
            ConfigError: a configuration file cannot be used.
            ToolNotFound: no Verilator.
        """
        config = load_config(repository.root)
        tools = config.user.tools
        toolchain = Toolchain.find(
            cache=repository.cache,
            cancel=cancel,
            verilator=tools.verilator,
            iverilog=tools.iverilog,
            compiler=tools.cxx,
        )
        return cls(repository, config, toolchain, VerdictCache(repository.cache / "v1"), cancel)

    @property
    def needs(self) -> tuple[str, ...]:
        """Ignored files that the tests need."""
        return tuple(str(path) for path in self.config.repository.project.needs)

    @property
    def gate(self) -> Gate:
        """The gate of this repository."""
        return Gate(
            repository=self.repository,
            toolchain=self.toolchain,
            cache=self.cache,
            cancel=self.cancel,
            needs=self.needs,
            editable=self.config.repository.project.editable,
            locked=self.config.repository.project.protected,
        )

    @property
    def minimum(self) -> Evidence:
        """The evidence from which a change may be applied."""
        return Evidence.TESTS_ICARUS if self.config.user.check.allow_icarus_only else Evidence.TESTS

    @property
    def jobs(self) -> int:
        """Simulations at once."""
        return self.config.user.search.jobs or os.cpu_count() or 1

    def relative(self, name: str, cwd: Path) -> Path:
        """A file that the user named, relative to the root of the work tree.

        Raises:
            UsageError: it is not there, or not in this repository.
        """
        path = Path(os.path.normpath(cwd.absolute() / name))
        if not path.exists():
            raise UsageError(f"no such file: {name}")
        root = self.repository.root
        for candidate, base in ((path, root), (path.resolve(), root.resolve())):
            if candidate.is_relative_to(base):
                return candidate.relative_to(base)
        raise UsageError(f"{name} is not in the repository {root}", hint="veriloop -C REPOSITORY ...")


def configured_testbench(settings: TestbenchSettings, project: Project) -> Testbench:
    """A `[[testbench]]` of `veriloop.toml` as what can be run; what it needs is found in the project's tree.

    Raises:
        UsageError: a file is not there, or the toplevel cannot be told.
    """
    if settings.kind == "command":
        return CommandTest(
            name=settings.name,
            command=settings.command,
            pass_pattern=settings.pass_pattern,
            timeout_s=settings.timeout_s,
        )
    if settings.kind == "cocotb":
        found = project.design_for(settings.sources) if settings.sources else project.design()
        return CocotbTestbench(
            name=settings.name,
            design=_with_top(found.design, settings.toplevel, project),
            module=settings.module,
            search_path=settings.search_path,
            timeout_s=settings.timeout_s,
        )
    design = project.testbench_design(settings.sources, toplevel=settings.toplevel).design
    if settings.kind == "trace":
        return TraceTestbench(
            name=settings.name,
            design=design,
            oracle=settings.oracle or Path(),
            output=str(settings.output),
            timeout_s=settings.timeout_s,
        )
    return VerilogTestbench(
        name=settings.name,
        design=design,
        pass_pattern=settings.pass_pattern,
        fail_pattern=settings.fail_pattern,
        plusargs=settings.plusargs,
        timeout_s=settings.timeout_s,
    )


def _with_top(design: Design, toplevel: str, project: Project) -> Design:
    """The design with the toplevel that is named, or the only one that it can be."""
    if toplevel or design.toplevel:
        return replace(design, toplevel=toplevel or design.toplevel)
    tops = elaborate(design.rooted(project.root)).tops
    if len(tops) != 1:
        raise UsageError(f"the DUT's toplevel is not clear: {', '.join(tops) or 'none'}", hint="--top MODULE")
    return replace(design, toplevel=tops[0])
