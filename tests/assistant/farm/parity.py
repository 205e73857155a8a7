"""What three commands say here and on a farm: the same to the letter, but for times and the names of machines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from veriloop.assistant.bench.mutating import Task, judge_mutants
from veriloop.assistant.bench.problems import Problem
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.farm import Farm

RIGHT = b"module inv(input [3:0] a, output [3:0] y);\n  assign y = ~a;\nendmodule\n"
BENCH = b"""module inv_tb;
  reg [3:0] a; wire [3:0] y; integer i, bad;
  inv dut(.a(a), .y(y));
  initial begin
    bad = 0;
    for (i = 0; i < 16; i = i + 1) begin
      a = i; #1 if (y !== ~a) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, 16);
    $finish;
  end
endmodule
"""
CASE = BENCH.replace(b"module inv_tb", b"module tb").replace(
    b"inv dut(.a(a), .y(y));", b"TopModule dut(.a(a), .y(y));\n  RefModule good(.a(a), .y());"
)
WRONG = (b"a", b"~a | 4'd1")
Say = Callable[..., list[Any]]


def commands(directory: Path, cache: Path, environment: Mapping[str, str], *farm: str) -> tuple[Say, Say]:
    """How a command is called here and on a farm.

    Args:
        directory: where this side's caches lie, one for each place.
        cache: has Verilator's runtime.
        environment: what the farm's side needs beside this process's own.
        farm: the words that choose the farm.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def caller(place: str, more: Mapping[str, str], words: tuple[str, ...]) -> Say:
        kept = directory / f"cache-{place}"
        shutil.copytree(cache / "runtime", kept / "runtime")

        def say(*argv: str, cwd: Path) -> list[Any]:
            command = [sys.executable, "-m", "veriloop.assistant.cli.main", *argv, *words, "--json"]
            env = {**own, **more, "VERILOOP_CACHE": str(kept)}
            done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
            assert done.returncode in (0, 1), done.stderr
            return [done.returncode, *map(timeless, map(json.loads, done.stdout.splitlines()))]

        return say

    return caller("here", {}, ()), caller("there", environment, farm)


def check_says_the_same(here: Say, there: Say, root: Path) -> None:
    """`veriloop check` of a change that is right, and of one that is wrong."""
    root.mkdir()
    for name, text in (("inv.v", RIGHT.replace(b"~a", b"a")), ("inv_tb.v", BENCH)):
        (root / name).write_bytes(text)
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm start"):
        subprocess.run(["git", *words.split()], cwd=root, env=own, check=True)
    for rtl, code in ((RIGHT, 0), (RIGHT.replace(b"~a", b"a + 4'd1"), 1)):
        (root / "inv.v").write_bytes(rtl)
        said = here("check", "--testbench", "inv_tb.v", cwd=root)
        assert said[0] == code
        assert json.dumps(there("check", "--testbench", "inv_tb.v", cwd=root)) == json.dumps(said)


def repairs_are_the_same(here: Say, there: Say, root: Path) -> None:
    """`veriloop bench chipbench-debug` on a set of two bugs."""
    folder = root / "data" / "verilog_debug" / "zero_shot_arithmetic"
    folder.mkdir(parents=True)
    for number, wrong in enumerate(WRONG, start=1):
        bug = RIGHT.replace(b"inv", b"TopModule").replace(b"~a", wrong)
        prompt = b"Invert.\n\nBased on the problem description above, the code has bug:\n```\n" + bug + b"```\n"
        name = f"Prob00{number}_inv"
        (folder / f"{name}_prompt.txt").write_bytes(prompt)
        (folder / f"{name}_ref.sv").write_bytes(RIGHT.replace(b"inv", b"RefModule"))
        (folder / f"{name}_test.sv").write_bytes(CASE)
    words = ("bench", "chipbench-debug", "--data", str(root / "data"), "--budget", "60", "--jobs", "1")
    said = here(*words, "--out", str(root / "here"), cwd=root)
    assert said[-1]["confirmed"] == len(WRONG)
    assert by_case(there(*words, "--out", str(root / "there"), cwd=root)) == by_case(said)


def mutants_are_the_same(farm: Farm) -> None:
    """What `veriloop bench mutants` asks of a worker for a design."""
    mutants = tuple(RIGHT.replace(b"~a", text) for text in (b"a", b"~a + 4'd0", b"~a & 4'd7"))
    problem = Problem(
        name="inv",
        specification="y is the complement of a",
        header=None,
        bench={"tb.v": BENCH},
        golden=RIGHT,
        answer="inv",
        toplevel="inv_tb",
    )
    task = Task(problem=problem, mutants=mutants, detected=(True, False, True))
    here = judge_mutants(task, CancelToken())
    there = farm.call(judge_mutants, task, cancel=CancelToken())
    assert (here.killed_of_those, here.proved_equivalent) == (2, 1)
    assert replace(there, cpu_s=0.0) == replace(here, cpu_s=0.0)


def by_case(said: list[Any]) -> list[str]:
    """Rows in the order of their cases; a farm hands them back as they are done."""
    return sorted(map(json.dumps, said))


def timeless(said: Any) -> Any:
    """A result without what times and places put into it."""
    if isinstance(said, dict):
        timed = ("seconds", "_s", "_s_total", "_s_median", "hosts")
        return {key: timeless(value) for key, value in said.items() if not key.endswith(timed)}
    return [timeless(one) for one in said] if isinstance(said, list) else said
