"""The terminal as a user meets it: in tmux, with the real tools, by typing."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import Clone, cache, clone

__all__ = ["cache", "clone"]

pytestmark = pytest.mark.needs("tmux", "verilator", "c++", "iverilog", "git")

DEV = Path(__file__).resolve().parents[2] / "dev"
DELAY = b"""module delay (input clk, input [7:0] d, output reg [7:0] q);
  reg [7:0] a;
  always @(posedge clk) begin
    a = d;
    // one more cycle
    q = a;
  end
endmodule
"""
DELAY_TB = b"""module delay_tb;
  reg clk = 0; reg [7:0] d = 0, one = 0, two = 0; wire [7:0] q; integer bad = 0, n = 0;
  delay dut (.clk(clk), .d(d), .q(q));
  always #5 clk = ~clk;
  initial begin
    repeat (60) begin
      @(negedge clk);
      if (n > 2) if (q !== two) bad = bad + 1;
      n = n + 1;
      two = one; one = d + 8'd7; d = one;
    end
    $display("Mismatches: %0d in %0d samples", bad, n);
    $finish;
  end
endmodule
"""


class Tmux:
    """A terminal of 80 columns and 24 rows."""

    def __init__(self, directory: Path) -> None:
        self._socket = str(directory / "tmux")

    def run(self, *words: str) -> str:
        """A command of tmux."""
        done = subprocess.run(["tmux", "-S", self._socket, "-f", "/dev/null", *words], check=True, capture_output=True)
        return done.stdout.decode()

    def screen(self) -> str:
        """What is on the screen."""
        return self.run("capture-pane", "-p")

    def type(self, text: str, *keys: str) -> None:
        """Types a text, then presses keys."""
        if text:
            self.run("send-keys", "-l", text)
        for key in keys:
            self.run("send-keys", key)

    def wait(self, *texts: str, seconds: float = 180) -> str:
        """Waits until all texts are on the screen."""
        deadline = time.monotonic() + seconds
        while not all(text in (found := self.screen()) for text in texts):
            assert time.monotonic() < deadline, f"{texts} not in:\n{found}"
            time.sleep(0.1)
        return found


@pytest.fixture
def tmux(tmp_path: Path, clone: Clone) -> Iterator[Tmux]:
    """A terminal in which veriloop was started in the repository."""
    found = Tmux(tmp_path)
    command = [sys.executable, "-m", "veriloop.assistant.cli.main"]
    kept = {name: os.environ[name] for name in ("VERILOOP_CACHE", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    environment = [f"{name}={value}" for name, value in {**kept, "PYTHONPATH": str(DEV)}.items()]
    line = shlex.join(["env", "-u", "NO_COLOR", *environment, *command]) + "; echo it has ended; sleep 600"
    found.run("new-session", "-d", "-x", "80", "-y", "24", "-c", str(clone.root), line)
    yield found
    found.run("kill-server")


def test_a_bug_is_repaired_by_typing_and_only_what_was_accepted_is_applied(clone, tmux):
    clone.commit({"rtl/delay.v": DELAY, "tb/delay_tb.v": DELAY_TB})
    tmux.wait("Say what is wrong")
    tmux.type("the output of delay comes one cycle too early", "Enter")
    tmux.wait("Type /apply to write it into your files")
    tmux.type("", "F2")
    tmux.wait("2 of 2 hunks accepted", "hunk 1 of 2", "verified: 1 of 1 tests pass")
    tmux.type("jr")
    tmux.wait("1 of 2 hunks accepted", "[rejected]", "verified: 1 of 1 tests pass")
    assert clone.git("diff") == ""
    tmux.type("w")
    tmux.wait("applied to the work tree")
    tmux.type("", "F9")
    tmux.type("/quit", "Enter")
    tmux.wait("goes on with this session", "it has ended")
    changed = [
        line for line in clone.git("diff", "-U0").splitlines() if line[:1] in "+-" and line[1:3] not in ("++", "--")
    ]
    assert changed == ["-    a = d;", "+    a <= d;"]
