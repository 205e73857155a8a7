"""Testbenches as a `veriloop.toml` declares them, and as they are found for a file that the user names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from veriloop.assistant.config import TestbenchSettings
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Found, Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.testbench import (
    DEFAULT_TIMEOUT_S,
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)


def verilog_testbench(
    project: Project,
    testbench_files: Sequence[Path],
    rtl_files: Sequence[Path] = (),
    *,
    toplevel: str = "",
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> tuple[VerilogTestbench, Found]:
    """A self-checking testbench with all files that it needs, and how they were found.

    Raises:
        UsageError: a file is not there, or the testbench's toplevel is none or several.
    """
    found = project.testbench_design(testbench_files, rtl_files, toplevel=toplevel)
    name = testbench_files[0].stem if testbench_files else found.design.toplevel
    return VerilogTestbench(name=name, design=found.design, timeout_s=timeout_s), found


def declared_testbench(settings: TestbenchSettings, project: Project) -> Testbench:
    """A `[[testbench]]` with all files that it needs. A command is run only once it is trusted (see `trust`).

    Raises:
        UsageError: a file is not there, or the toplevel is none or several.
    """
    if settings.kind == "command":
        return CommandTest(
            name=settings.name,
            command=settings.command,
            pass_pattern=settings.pass_pattern,
            timeout_s=settings.timeout_s,
        )
    if settings.kind == "cocotb":
        design = project.design_for(settings.sources).design if settings.sources else project.design().design
        return CocotbTestbench(
            name=settings.name,
            design=_with_toplevel(design, settings.toplevel, project),
            module=settings.module,
            search_path=settings.search_path,
            timeout_s=settings.timeout_s,
        )
    testbench, _ = verilog_testbench(
        project, settings.sources, toplevel=settings.toplevel, timeout_s=settings.timeout_s
    )
    if settings.kind == "trace" and settings.oracle is not None:
        return TraceTestbench(
            name=settings.name,
            design=testbench.design,
            oracle=settings.oracle,
            output=settings.output,
            timeout_s=settings.timeout_s,
        )
    return dataclasses.replace(
        testbench,
        name=settings.name,
        pass_pattern=settings.pass_pattern,
        fail_pattern=settings.fail_pattern,
        plusargs=settings.plusargs,
    )


def _with_toplevel(design: Design, toplevel: str, project: Project) -> Design:
    """The DUT with the toplevel that is named, or with the only one that it can have."""
    if toplevel or design.toplevel:
        return dataclasses.replace(design, toplevel=toplevel or design.toplevel)
    tops = elaborate(design.rooted(project.root)).tops
    if len(tops) != 1:
        raise UsageError(f"the DUT's toplevel is not clear: {', '.join(tops) or 'none'}", hint="--top MODULE")
    return dataclasses.replace(design, toplevel=tops[0])


def discovered_testbenches(project: Project) -> Iterator[VerilogTestbench]:
    """Modules without ports, in files that are named or placed like tests."""
    for path in project.index.declares:
        if not is_test_path(path):
            continue
        try:
            design = project.testbench_design([path]).design
        except UsageError:
            # A part of another testbench, or several in one file: the user has to say which.
            continue
        module = elaborate(design.rooted(project.root)).modules.get(design.toplevel)
        if module is not None and not module.ports:
            yield VerilogTestbench(name=path.stem, design=design)
