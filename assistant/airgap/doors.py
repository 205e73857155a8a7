"""Every door of Veriloop with an example that goes through it, in a small repository of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

GOOD = b"""module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
_BENCH = b"""module counter_tb;
  reg clk = 0, rst = 1; wire [3:0] q; integer i, bad = 0;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = ~clk;
  initial begin
    #22 rst = 0;
    for (i = 0; i < 20; i = i + 1) begin
      @(negedge clk);
      if (q !== ((i + 1) & 15)) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, 20);
    $finish;
  end
endmodule
"""
_SPEC = b"""I would like you to implement a module named TopModule with the following interface.

 - input  a
 - input  b
 - output out

The module should implement the boolean function of the Karnaugh map below.

          a
  b       0   1
  0       0   1
  1       1   1
"""
FILES = {
    "rtl/counter.v": GOOD,
    "tb/counter_tb.v": _BENCH,
    "spec.txt": _SPEC,
    "report.txt": b"counter counts in steps of two: q is wrong after reset\n",
}
"""The repository, committed."""

EDIT = ("rtl/counter.v", GOOD.replace(b"q + 1", b"q + 2"))
"""What is edited in it then, so that the test fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A way in: the words of the command line, and what is typed into it.

    `exits` are the exit codes with which it has done what it is for; with others it was not gone through.
    """

    name: str
    words: tuple[str, ...]
    stdin: bytes = field(default=b"", repr=False)
    exits: frozenset[int] = frozenset({0})
    terminal: bool = False
    """Whether it wants a terminal, in which it is left by Ctrl-Q."""


def _message(**content: object) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


_OPEN = {"uri": "file:///x/a.v", "languageId": "verilog", "version": 1, "text": GOOD.decode()}
_EDITOR = b"".join(
    [
        _message(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}}),
        _message(method="initialized", params={}),
        _message(method="textDocument/didOpen", params={"textDocument": _OPEN}),
        _message(
            id=2,
            method="textDocument/hover",
            params={"textDocument": {"uri": _OPEN["uri"]}, "position": {"line": 1, "character": 40}},
        ),
        _message(id=3, method="shutdown"),
        _message(method="exit"),
    ]
)
_JUDGED = frozenset({0, 1, 3})
_RTL, _TB = "rtl/counter.v", "tb/counter_tb.v"

DOORS = (
    Door(name="check", words=("check", "--worktree"), exits=_JUDGED),
    Door(name="check --staged", words=("check", "--staged"), exits=_JUDGED),
    Door(name="check --level mutants", words=("check", "--level", "mutants"), exits=_JUDGED),
    Door(name="check --refactor", words=("check", "--refactor", "--budget", "30"), exits=_JUDGED),
    Door(name="repair", words=("repair", _RTL, "--testbench", _TB, "--budget", "40"), exits=_JUDGED),
    Door(name="generate", words=("generate", "spec.txt"), exits=_JUDGED),
    Door(name="explain", words=("explain", _RTL)),
    Door(name="locate", words=("locate", "--report", "report.txt"), exits=_JUDGED),
    Door(name="project", words=("project",)),
    Door(name="log", words=("log",)),
    Door(name="show", words=("show", "none"), exits=frozenset({0, 2})),
    Door(name="undo", words=("undo",), exits=frozenset({0, 2})),
    Door(name="status", words=("status",)),
    Door(name="waves", words=("waves", "--testbench", _TB), exits=_JUDGED),
    Door(name="models", words=("models",)),
    Door(name="trust", words=("trust",), exits=frozenset({0, 2})),
    Door(name="cache", words=("cache",)),
    Door(name="config", words=("config",)),
    Door(name="farm", words=("farm",), exits=_JUDGED),
    Door(name="doctor", words=("doctor",), exits=frozenset({0, 3})),
    Door(name="testbench", words=("testbench", _RTL, "--mutants", "3"), exits=_JUDGED),
    Door(name="judge", words=("judge", _RTL, "--testbench", _TB), exits=_JUDGED),
    Door(name="bench", words=("bench", "mutants", "--help")),
    Door(name="train", words=("train", "data", "--families", "address_decoder", "--tasks", "module", "--show")),
    Door(name="lsp-query", words=("lsp-query", "hover", f"{_RTL}:2:30"), exits=_JUDGED),
    Door(name="lsp", words=("lsp",), stdin=_EDITOR),
    Door(name="-p", words=("-p", f"explain {_RTL}")),
    Door(name="--plain", words=("--plain",), stdin=b"status\n/quit\n", exits=frozenset({0, 130})),
    Door(name="terminal", words=(), terminal=True),
)
