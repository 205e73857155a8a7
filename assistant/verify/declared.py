"""Testbenches as a `veriloop.toml` declares them, and as they are found for a file that the user names."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the outcome of a testbench in files is read.

    With an `oracle`, a table or a VCD file, the testbench only records, to `output`. `timeout_s` 0: the usual one.
    """

    oracle: Path | None = None
    output: str = ""
    pass_pattern: str = ""
    fail_pattern: str = ""
    plusargs: tuple[str, ...] = ()
    timeout_s: float = 0.0


def named_testbench(
    project: Project,
    files: Sequence[Path],
    rtl: Sequence[Path] = (),
    *,
    name: str = "",
    toplevel: str = "",
    reading: Reading | None = None,
) -> tuple[Testbench, Found]:
    """What files make together, in Verilog or as cocotb tests (`.py`), with all that they need and how it was found.

    Args:
        project: the tree.
        files: the testbench's own.
        rtl: those of the design's files that shall be taken where the tree leaves a choice.
        name: empty: that of the first file.
        toplevel: the testbench's module, for cocotb the DUT; empty: the only one that it can be.
        reading: how its outcome is read.

    Raises:
        UsageError: a file is not there, or the toplevel is none or several.
    """
    reading = reading or Reading()
    name, timeout_s = name or str(files[0]), reading.timeout_s or DEFAULT_TIMEOUT_S
    if files[0].suffix == ".py":
        found = project.design_for(rtl) if rtl else project.design()
        testbench = CocotbTestbench(
            name=name,
            design=_with_toplevel(found.design, toplevel, project),
            module=",".join(path.stem for path in files),
            search_path=tuple(dict.fromkeys(path.parent for path in files)),
            timeout_s=timeout_s,
        )
        return testbench, found
    found = project.testbench_design(files, rtl, toplevel=toplevel)
    if reading.oracle is not None:
        trace = TraceTestbench(
            name=name, design=found.design, oracle=reading.oracle, output=reading.output, timeout_s=timeout_s
        )
        return trace, found
    verilog = VerilogTestbench(
        name=name,
        design=found.design,
        pass_pattern=reading.pass_pattern,
        fail_pattern=reading.fail_pattern,
        plusargs=reading.plusargs,
        timeout_s=timeout_s,
    )
    return verilog, found


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
    reading = Reading(
        oracle=settings.oracle if settings.kind == "trace" else None,
        output=settings.output,
        pass_pattern=settings.pass_pattern,
        fail_pattern=settings.fail_pattern,
        plusargs=settings.plusargs,
        timeout_s=settings.timeout_s,
    )
    named = named_testbench(project, settings.sources, name=settings.name, toplevel=settings.toplevel, reading=reading)
    return named[0]


def _with_toplevel(design: Design, toplevel: str, project: Project) -> Design:
    """The DUT with the toplevel that is named, or with the only one that it can have."""
    if toplevel or design.toplevel:
        return dataclasses.replace(design, toplevel=toplevel or design.toplevel)
    tops = elaborate(design.rooted(project.root)).tops
    if len(tops) != 1:
        raise UsageError(f"the DUT's toplevel is not clear: {', '.join(tops) or 'none'}", hint="--top MODULE")
    return dataclasses.replace(design, toplevel=tops[0])


def discovered_testbenches(project: Project, *, among: Collection[str] | None = None) -> Iterator[VerilogTestbench]:
    """Modules without ports, in files that are named or placed like tests; only in those `among` that are named.

    A testbench is called as its file is, and where several files are called so, by its path.
    """
    stems = Counter(path.stem for path in project.index.declares if is_test_path(path))
    for path in project.index.declares:
        if not is_test_path(path) or (among is not None and path.as_posix() not in among):
            continue
        try:
            design = project.testbench_design([path]).design
        except UsageError:
            # A part of another testbench, or several in one file: the user has to say which.
            continue
        module = elaborate(design.rooted(project.root)).modules.get(design.toplevel)
        if module is not None and not module.ports:
            name = path.stem if stems[path.stem] == 1 else path.as_posix()
            yield VerilogTestbench(name=name, design=design)
