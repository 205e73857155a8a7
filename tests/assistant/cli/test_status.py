from __future__ import annotations

import json

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("verilator", "c++", "git")

TOP = b"""module top (input clk, rst_n);
  wire [3:0] q;
  counter u_c (.clk(clk), .rst_n(rst_n), .en(1'b1), .q(q), .last());
endmodule
"""


def test_hierarchy_tests_and_changes(clone, capsys):
    clone.commit({"rtl/counter.v": COUNTER, "rtl/top.v": TOP, "tb/counter_tb.v": COUNTER_TB})
    assert main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["state"]) for one in found["tests"]] == [("counter_tb", "never")]
    assert [(one["path"], one["file"], one["state"]) for one in found["hierarchy"]] == [
        ("top", "rtl/top.v", None),
        ("top.u_c", "rtl/counter.v", "never"),
    ]
    assert main(["status", "--run"]) == 0
    assert "ok    counter_tb  passed" in capsys.readouterr().out
    (clone.root / "rtl/counter.v").write_bytes(COUNTER.replace(b"q + 1", b"q + 2"))
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert "stale counter_tb  passed" in text
    assert "rtl/counter.v" in text.partition("changed since the last commit:")[2]
    assert main(["status", "--run"]) == 1
    assert "1 of 1 failed" in capsys.readouterr().out


def test_without_a_test_it_says_how_to_name_one(clone, capsys):
    clone.commit({"rtl/counter.v": COUNTER})
    assert main(["status"]) == 0
    assert "no test was found" in capsys.readouterr().out
    assert main(["status", "--run"]) == 3
