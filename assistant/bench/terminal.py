"""The terminal, measured as a user meets it: a program in a pseudo-terminal, keys in, what is drawn out."""

from __future__ import annotations

import json
import os
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.execute import InTerminal, in_terminal
from veriloop.assistant.repository.create import create
from veriloop.assistant.repository.private import cache_home

_READY = "ay what is wrong, or /"
"""What the input shows while nothing is typed, but for its first letter: a cursor that is seen draws it apart."""
_KEYS = (
    "\N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER BETA}\N{GREEK SMALL LETTER GAMMA}\N{GREEK SMALL LETTER DELTA}"
)
"""Letters that nothing else on the screen holds."""
_TIMEOUT_S = 120.0
_ESCAPE, _PAGE_UP, _LEAVE = b"\x1b", b"\x1b[5~", b"\x11"
_PAUSE_S = 0.08

_DESIGN = """module slow (input clk, input [7:0] d, output reg [7:0] q);
  reg [7:0] a, b;
  always @(posedge clk) begin
    a <= d + 8'd1;
    b <= a ^ 8'h5a;
    q <= b & 8'hf0 | a;
  end
endmodule
"""
_TESTBENCH = """module slow_tb;
  reg clk = 0; reg [7:0] d = 0; wire [7:0] q; integer bad = 0, n = 0;
  slow dut (.clk(clk), .d(d), .q(q));
  always #5 clk = ~clk;
  initial begin
    // What is asked for cannot be had, so that the search goes on.
    repeat (500) begin @(negedge clk); n = n + 1; d = d * 5 + n; if (q !== $time % 251) bad = bad + 1; end
    $display("Mismatches: %0d in %0d samples", bad, n);
    $finish;
  end
endmodule
"""


class Screen:
    """What a program draws, as it comes."""

    def __init__(self, terminal: InTerminal, cancel: CancelToken) -> None:
        self._terminal = terminal
        self._cancel = cancel
        self._drawn = b""

    def press(self, keys: bytes) -> None:
        """Presses keys; what was drawn before counts no more."""
        self._drawn = b""
        os.write(self._terminal.descriptor, keys)

    def wait(self, text: str, *, seconds: float = _TIMEOUT_S) -> float:
        """Seconds until a text is drawn.

        Raises:
            ToolFailed: it is not.
        """
        started, wanted = time.perf_counter(), text.encode()
        while wanted not in self._drawn:
            self._cancel.check()
            if time.perf_counter() - started > seconds:
                raise ToolFailed(
                    f"the terminal does not show {text!r}", output=self._drawn[-2000:].decode(errors="replace")
                )
            self._read()
        return time.perf_counter() - started

    def rest(self, seconds: float) -> None:
        """Reads what is drawn for a while."""
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            self._cancel.check()
            self._read()

    def memory_mb(self) -> float:
        """What the program holds of the memory, resident."""
        for line in Path(f"/proc/{self._terminal.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def _read(self) -> None:
        if select.select([self._terminal.descriptor], [], [], 0.01)[0]:
            self._drawn = (self._drawn + os.read(self._terminal.descriptor, 65536))[-200_000:]


def measure(*, starts: int, keys: int, log_lines: int, cancel: CancelToken) -> Run[Mapping[str, Any]]:
    """Measures the terminal on a small design of its own.

    Args:
        starts: how often it is started; the median counts.
        keys: how many keys are pressed while a repair runs on all processors.
        log_lines: of the session that is resumed.
        cancel: stops it.

    Raises:
        ToolFailed: the terminal does not show what it should.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "tree")
        create(root, {"rtl/slow.v": _DESIGN.encode(), "tb/slow_tb.v": _TESTBENCH.encode()}, cache=cache_home())
        environment = {
            "XDG_STATE_HOME": str(Path(name, "state")),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        yield Note("starting it")
        times = [_start(root, environment, cancel) for _ in range(starts + 1)][1:]
        yield Note("pressing keys while a repair runs")
        latencies = _press(root, environment, keys, cancel)
        yield Note("resuming a session with a long log")
        memory_mb = _long_log(root, environment, log_lines, cancel)
    return {
        "start_s": round(statistics.median(times), 3),
        "key_p95_ms": round(1000 * sorted(latencies)[int(0.95 * (len(latencies) - 1))], 1),
        "log_lines": log_lines,
        "memory_mb": round(memory_mb, 1),
    }


def _command() -> list[str]:
    return [sys.executable, "-m", "veriloop.assistant.cli.main"]


def _start(root: Path, environment: Mapping[str, str], cancel: CancelToken) -> float:
    started = time.perf_counter()
    with in_terminal(_command(), cwd=root, columns=80, rows=24, env=environment) as terminal:
        Screen(terminal, cancel).wait(_READY)
        return time.perf_counter() - started


def _press(root: Path, environment: Mapping[str, str], count: int, cancel: CancelToken) -> list[float]:
    with in_terminal(_command(), cwd=root, columns=80, rows=24, env=environment) as terminal:
        screen = Screen(terminal, cancel)
        screen.wait(_READY)
        screen.press(b"repair --testbench tb/slow_tb.v --budget 600")
        screen.rest(0.5)
        screen.press(b"\r")
        screen.wait("candidates", seconds=300)
        found = []
        for number in range(count):
            letter = _KEYS[number % len(_KEYS)]
            screen.press(letter.encode())
            found.append(screen.wait(letter))
            screen.rest(_PAUSE_S)
        screen.press(_ESCAPE)
        screen.wait("interrupted")
        return found


def _long_log(root: Path, environment: Mapping[str, str], lines: int, cancel: CancelToken) -> float:
    """Resumes a session in which very much was said, goes back in it, and says what memory that took."""
    held = Path(environment["XDG_STATE_HOME"], "veriloop", "sessions")
    folder = next(held.iterdir()) / "99999999-000000-0000"
    folder.mkdir()
    with (folder / "record.jsonl").open("w") as stream:
        said = {"n": 1, "kind": "said", "cause": 0, "at": time.time(), "text": "a long log"}
        stream.write(json.dumps(said) + "\n")
        for number in range(lines):
            text = f"line {number} of a simulation's log, with the values of some signals: {number:032b}"
            stream.write(json.dumps({"n": number + 2, "kind": "note", "cause": 1, "at": 1.0, "text": text}) + "\n")
    command = [*_command(), "--resume", folder.name]
    with in_terminal(command, cwd=root, columns=80, rows=24, env=environment) as terminal:
        screen = Screen(terminal, cancel)
        screen.wait(_READY)
        for _ in range(20):
            screen.press(_PAGE_UP)
            screen.rest(_PAUSE_S)
        memory_mb = screen.memory_mb()
        screen.press(_LEAVE)
        return memory_mb
