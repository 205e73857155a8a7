"""What can judge a design. A testbench carries everything that its run needs; paths are relative to a tree's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from veriloop.assistant.design.model import Design

DEFAULT_TIMEOUT_S = 60.0

TIMESCALE = "1ns/1ns"
"""Of files that name none, in every simulator. The standard leaves it to the tool (IEEE 1800-2017, 3.14.2.3), and tools
differ by the factor that their `%t` prints; one step a unit is what most do, and what recorded tables count in."""
FINE_TIMESCALE = "1ns/1ps"
"""The same for a test that drives from outside, in times of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerilogTestbench:
    """A testbench in Verilog that says itself whether the design passed.

    `$fatal`, `$error`, the exit code, a summary such as `Mismatches: 0 in 100 samples`, or a pattern tell the outcome.
    """

    name: str
    design: Design
    """All files of the run, the testbench among them; the toplevel is the testbench's."""
    pass_pattern: str = ""
    """A regular expression: a run without it does not pass. Empty: the usual summaries are known."""
    fail_pattern: str = ""
    """A regular expression: a run with it fails."""
    plusargs: tuple[str, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTestbench:
    """A testbench that writes what the outputs did; an oracle says what they should have done.

    The oracle is a table (`time,signal,...` and a row a sample) or a VCD file. An x in the oracle matches anything,
    and only the oracle's own rows and signals are compared.
    """

    name: str
    design: Design
    oracle: Path
    output: str
    """The file that the testbench writes, relative to where it runs."""
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class CocotbTestbench:
    """A cocotb test module; the design's toplevel is the DUT."""

    name: str
    design: Design
    module: str
    """Python modules to import, separated by commas, as in `COCOTB_TEST_MODULES`."""
    search_path: tuple[Path, ...] = ()
    """Directories that hold the module and what it imports."""
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTest:
    """A command of the repository, run by `sh -c` at the root of a private copy of the tree."""

    name: str
    command: str
    pass_pattern: str = ""
    timeout_s: float = 600.0


Testbench: TypeAlias = VerilogTestbench | TraceTestbench | CocotbTestbench | CommandTest
