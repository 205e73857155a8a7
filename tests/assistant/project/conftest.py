"""Small repositories, made of the files that are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from veriloop.assistant.project.imports import import_project
from veriloop.assistant.project.model import Imported, Test

Importing = Callable[[dict[str, str]], Imported]

COUNTER = """module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
BENCH = """module counter_tb;
  reg clk = 0, rst = 1; wire [3:0] q;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = !clk;
  initial begin #12 rst = 0; #100 $display("PASS"); $finish; end
endmodule
"""
DESIGN = {"rtl/counter.v": COUNTER, "tb/counter_tb.v": BENCH}


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes files below a directory."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


@pytest.fixture
def importing(tmp_path: Path) -> Importing:
    """Imports a repository of the files that it is called with."""
    return lambda files: import_project(write(tmp_path, files))


def only(found: Imported) -> Test:
    """The only test of an import."""
    (test,) = found.tests
    return test
