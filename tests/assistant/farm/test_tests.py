"""A repository's tests on a farm say what they say here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.tests import FarmTests
from veriloop.assistant.verify.judged import without_root
from veriloop.assistant.verify.simulation import run_testbench
from veriloop.assistant.verify.testbench import CommandTest, Testbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.needs("verilator", "c++")]

RIGHT = "module inv(input a, output y);\n  assign y = ~a;\nendmodule\n"
BENCH = """module inv_tb;
  reg a; wire y; integer bad;
  inv dut(.a(a), .y(y));
  initial begin
    bad = 0;
    a = 0; #1 if (y !== 1) bad = bad + 1;
    a = 1; #1 if (y !== 0) bad = bad + 1;
    $display("Mismatches: %0d in %0d samples", bad, 2);
    $finish;
  end
endmodule
"""


def bench(rtl: str, *sources: str) -> VerilogTestbench:
    return VerilogTestbench(name=rtl, design=Design(toplevel="inv_tb", sources=(Path(rtl), *map(Path, sources))))


def timeless(runs):
    return [replace(run, wall_s=0.0, cpu_s=0.0) for run in runs]


def test_they_say_the_same_here_and_there(farm, tmp_path, cache):
    root, scratch = tmp_path / "tree", tmp_path / "build"
    scratch.mkdir()
    (root / "rtl").mkdir(parents=True)
    for name, text in (("right", RIGHT), ("wrong", RIGHT.replace("~a", "a")), ("broken", "module inv(")):
        (root / f"rtl/{name}.v").write_text(text)
    (root / "tb.v").write_text(BENCH)
    toolchain = Toolchain.find(cache=cache, cancel=CancelToken())
    tests: list[Testbench] = [bench(f"rtl/{name}.v", "tb.v") for name in ("right", "wrong", "broken")]
    tests.append(CommandTest(name="command", command="echo 1 passed; exit 1", timeout_s=20))
    there = FarmTests(farm)
    there.begin(tests[:2], root, CancelToken())
    common = {"root": root, "scratch": scratch, "toolchain": toolchain, "cancel": CancelToken()}
    try:
        for test in tests:
            here = [without_root(run, root) for run in run_testbench(test, **common)]
            assert timeless(there(test, **common)) == timeless(here)
        # The tree went out once, whatever the number of tests.
        assert not (root / "rtl/obj_dir").exists()
        farm.tools, tools = (*farm.tools, ("licence", "none")), farm.tools
        with pytest.raises(ToolFailed, match="no worker has this machine's tools"):
            there(tests[0], **common, until_red=True)
        farm.tools = tools
        farm._refused.clear()
    finally:
        there.close()


@pytest.mark.needs("git")
def test_check_gives_its_tests_to_a_farm(tmp_path, monkeypatch, capsys, cache):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inv.v").write_text(RIGHT.replace("~a", "a"))
    (tmp_path / "inv_tb.v").write_text(BENCH)
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm start"):
        subprocess.run(["git", *words.split()], check=True)
    (tmp_path / "inv.v").write_text(RIGHT)
    # Too large to travel with each job.
    (tmp_path / "notes.txt").write_bytes(os.urandom(200_000))
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path.parent / "cache"))
    shutil.copytree(cache / "runtime", tmp_path.parent / "cache/runtime")
    assert main(["check", "--farm", "local", "--testbench", "inv_tb.v", "--json"]) == 0
    *_, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert (summary["outcome"], summary["evidence"]) == ("verified", "tests")
    assert list((tmp_path.parent / "cache").glob("farm/contents/*/*"))
