"""Designs with one slip, their testbenches, and repositories that hold them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.toolchain import Toolchain

COUNTER = b"""// counts up to TOP and starts again
module counter #(parameter TOP = 9) (
  input            clk,
  input            rst_n,
  input            en,
  output reg [3:0] q,
  output           last
);
  assign last = (q == TOP);
  always @(posedge clk or negedge rst_n)
    if (!rst_n) q <= 0;
    else if (en) begin
      if (last) q <= 0;
      else q <= q + 1;
    end
endmodule
"""

COUNTER_TB = b"""`timescale 1ns/1ps
module counter_tb;
  reg clk = 0, rst_n = 0, en = 0;
  wire [3:0] q;
  wire last;
  reg [3:0] expected = 0;
  integer bad = 0, n = 0, seed = 7;
  counter dut (.clk(clk), .rst_n(rst_n), .en(en), .q(q), .last(last));
  always #5 clk = ~clk;
  initial begin
    #12 rst_n = 1;
    repeat (200) begin
      @(negedge clk);
      n = n + 1;
      if (q !== expected || last !== (expected == 9)) bad = bad + 1;
      en = ($random(seed) & 3) != 0;
      if (en) expected = (expected == 9) ? 0 : expected + 1;
    end
    if (bad) $display("Hint: Output 'q' has %0d mismatches. First mismatch occurred at time 1.", bad);
    $display("Mismatches: %0d in %0d samples", bad, n);
    $finish;
  end
endmodule
"""


class Clone:
    """A git repository on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet")

    def git(self, *words: str) -> str:
        """Runs git as the user does."""
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *who, *words], cwd=self.root, env=clean, check=True, capture_output=True)
        return done.stdout.decode()

    def commit(self, files: Mapping[str, bytes]) -> None:
        """Writes files and commits them."""
        for path, content in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "files")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session, so that Verilator's runtime is built once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def clone(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """An empty repository, in a path with a space."""
    root = tmp_path / "a clone"
    root.mkdir()
    monkeypatch.setenv("VERILOOP_CACHE", str(cache))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.chdir(root)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    return Clone(root)


@pytest.fixture
def repository(clone: Clone, cache: Path) -> Repository:
    """The same as the core sees it."""
    return Repository.open(clone.root, cache=cache)


@pytest.fixture(scope="session")
def toolchain(cache: Path) -> Toolchain:
    """This machine's tools."""
    return Toolchain.find(cache=cache, cancel=CancelToken())
