"""cocotb tests on Verilator."""

from __future__ import annotations

from pathlib import Path

from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.testbench import CocotbTestbench
from veriloop.assistant.verify.toolchain import Toolchain


def run_cocotb(
    testbench: CocotbTestbench, *, root: Path, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> tuple[SimResult, ...]:
    """Runs a cocotb test module against the design."""
    raise NotImplementedError
