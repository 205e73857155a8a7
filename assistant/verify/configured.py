"""The testbenches that a `veriloop.toml` names."""

from __future__ import annotations

from dataclasses import replace

from veriloop.assistant.config import RepositoryConfig, TestbenchSettings
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import ConfigError
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)


def configured_testbenches(config: RepositoryConfig, project: Project) -> tuple[Testbench, ...]:
    """The testbenches of the file, in its order; what they instantiate is found in the tree.

    Raises:
        UsageError: a file that one of them names is not there, or its toplevel cannot be told.
    """
    return tuple(_testbench(settings, project) for settings in config.testbench)


def _testbench(settings: TestbenchSettings, project: Project) -> Testbench:
    name, timeout_s = settings.name, settings.timeout_s
    if settings.kind == "command":
        return CommandTest(name=name, command=settings.command, pass_pattern=settings.pass_pattern, timeout_s=timeout_s)
    if settings.kind == "cocotb":
        return CocotbTestbench(
            name=name,
            design=_dut(settings, project),
            module=settings.module,
            search_path=settings.search_path,
            timeout_s=timeout_s,
        )
    design = project.testbench_design(settings.sources, toplevel=settings.toplevel).design
    if settings.kind == "trace":
        if settings.oracle is None:
            raise ConfigError(f"testbench `{name}` needs `oracle`")
        return TraceTestbench(
            name=name, design=design, oracle=settings.oracle, output=settings.output, timeout_s=timeout_s
        )
    return VerilogTestbench(
        name=name,
        design=design,
        pass_pattern=settings.pass_pattern,
        fail_pattern=settings.fail_pattern,
        plusargs=settings.plusargs,
        timeout_s=timeout_s,
    )


def _dut(settings: TestbenchSettings, project: Project) -> Design:
    found = project.design_for(settings.sources) if settings.sources else project.design()
    return replace(found.design, toplevel=settings.toplevel or found.design.toplevel)
