"""Running what was synthesised, to compare it with values that a person worked out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from veriloop.assistant.generate.synthesis import Synthesis

Values = Mapping[str, int]
Simulate = Callable[[Synthesis, Sequence[Values]], list[dict[str, int | None]]]


@pytest.fixture
def simulate(tmp_path: Path) -> Simulate:
    """Sets inputs step by step and reads the outputs after each; a step ends with an edge of the clock, if any."""

    def run(made: Synthesis, steps: Sequence[Values]) -> list[dict[str, int | None]]:
        interface = made.interface
        clock = interface.clock.name if interface.clock else None
        declared = "\n".join(
            f"  {'reg' if port.direction == 'input' else 'wire'} [{port.width_bits - 1}:0] {port.name};"
            for port in interface.ports
        )
        shown = " ".join("%b" for _ in interface.outputs)
        seen = ", ".join(port.name for port in interface.outputs)
        lines = [f"{clock} = 0;"] if clock else []
        for step in steps:
            lines += [f"{name} = {value};" for name, value in step.items()]
            lines += ["#1;", *([f"{clock} = 1; #1 {clock} = 0; #1;"] if clock else [])]
            lines.append(f'$display("row {shown}", {seen});')
        body = "\n    ".join(lines)
        bench = (
            f"module tb;\n{declared}\n  {interface.toplevel} dut (.*);\n  initial begin\n    {body}\n  end\nendmodule\n"
        )
        (tmp_path / "dut.sv").write_text(made.rtl)
        (tmp_path / "tb.sv").write_text(bench)
        files = [str(tmp_path / "tb.sv"), str(tmp_path / "dut.sv")]
        subprocess.run(["iverilog", "-g2012", "-s", "tb", "-o", str(tmp_path / "sim"), *files], check=True, timeout=30)
        done = subprocess.run(
            ["vvp", "-n", str(tmp_path / "sim")], check=True, capture_output=True, text=True, timeout=30
        )
        names = [port.name for port in interface.outputs]
        return [
            {
                name: int(value, 2) if set(value) <= {"0", "1"} else None
                for name, value in zip(names, row.split(), strict=True)
            }
            for row in re.findall(r"^row (.*)$", done.stdout, re.M)
        ]

    return run
