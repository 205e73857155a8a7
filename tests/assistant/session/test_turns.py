"""Turns of a conversation with the real tools: understood, run, decided about, applied."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB, Clone
from veriloop.assistant.cli.main import main
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish
from veriloop.assistant.session.sessions import past
from veriloop.assistant.session.understanding import Understanding

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "git")

BROKEN = COUNTER.replace(b"q + 1", b"q + 2")
SHIFTER = b"""// shifts left by a byte
module shifter (input [31:0] d, output [31:0] y);
  assign y = d << 8;
endmodule
"""
SHIFTER_TB = b"""module shifter_tb;
  reg [31:0] d; wire [31:0] y; integer bad = 0, n = 0;
  shifter dut (.d(d), .y(y));
  initial begin
    repeat (20) begin d = $random; #1 n = n + 1; if (y !== d << 8) bad = bad + 1; end
    $display("Mismatches: %0d in %0d samples", bad, n);
    $finish;
  end
endmodule
"""


@pytest.fixture
def clone(clone: Clone) -> Clone:
    """A repository with a broken counter, and a shifter that is right."""
    clone.commit(
        {
            "rtl/counter.v": BROKEN,
            "tb/counter_tb.v": COUNTER_TB,
            "rtl/shifter.v": SHIFTER,
            "tb/shifter_tb.v": SHIFTER_TB,
            "docs/counter.md": b"# counter\nIt counts up by one.\n",
        }
    )
    return clone


def plan(clone: Clone, text: str):
    return finish(Understanding(Session(cwd=clone.root)).plan(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the counter skips values", ("repair", "--testbench", "tb/counter_tb.v", "--spec", "docs/counter.md")),
        ("fix @tb/shifter_tb.v", ("repair", "--testbench", "tb/shifter_tb.v")),
        ("/repair rtl/counter.v tb/counter_tb.v", ("repair", "rtl/counter.v", "--testbench", "tb/counter_tb.v")),
        ("repair tb/counter_tb.v --budget 5", ("repair", "--budget", "5", "--testbench", "tb/counter_tb.v")),
        ("`make -s test` fails", ("repair", "--test", "make -s test")),
        ("repair --test 'make test'", ("repair", "--test", "make test")),
        ("run the tests", ("status", "--run")),
        ("/test", ("status", "--run")),
        ("check my changes", ("check",)),
        ("undo", ("undo",)),
        ("/models pull NAME", ("models", "pull", "NAME")),
        ("explain @rtl/shifter.v", ("explain", "rtl/shifter.v")),
        ("explain rtl/shifter.v:2-3", ("explain", "rtl/shifter.v:2-3")),
        ("what does the shifter do?", ("explain", "rtl/shifter.v")),
        ("generate @docs/counter.md", ("generate", "docs/counter.md")),
        (
            "who is wrong, @rtl/counter.v or @tb/counter_tb.v?",
            ("judge", "rtl/counter.v", "--testbench", "tb/counter_tb.v"),
        ),
        ("/judge tb/counter_tb.v", ("judge", "rtl/counter.v", "--testbench", "tb/counter_tb.v")),
        ("who is at fault, the design or the test?", ("judge", "rtl/counter.v", "--testbench", "tb/counter_tb.v")),
        ("write a testbench for @rtl/shifter.v", ("testbench", "rtl/shifter.v")),
        (
            "/testbench rtl/counter.v docs/counter.md",
            ("testbench", "rtl/counter.v", "--spec", "docs/counter.md"),
        ),
        ("/testbench rtl/counter.v --mutants 5", ("testbench", "rtl/counter.v", "--mutants", "5")),
    ],
)
def test_what_runs_because_of_what_is_said(clone, text, words):
    found = plan(clone, text)
    assert found.words == words
    assert not found.is_open


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("the weather is nice", "I can repair"),
        ("the weather is nice", "veriloop models pull"),
        ("the shifter drops a byte", "pass"),
        ("generate a thing", "From which specification?"),
    ],
)
def test_what_cannot_be_done_is_said_so(clone, text, answer):
    found = plan(clone, text)
    assert found.is_open
    assert answer in found.answer
    assert found.words == ()


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("/repiar", "no /repiar", "/repair"),
        ("fix @rtl/countr.v", "no such file: rtl/countr.v", "@rtl/counter.v"),
    ],
)
def test_a_slip_gets_what_was_probably_meant(clone, text, error, hint):
    with pytest.raises(UsageError, match=error) as found:
        plan(clone, text)
    assert found.value.hint == hint


def test_no_test_at_all_is_said_with_what_to_type(clone):
    clone.git("rm", "-q", "-r", "tb")
    found = plan(clone, "fix the counter")
    assert "without one nothing shows the fault" in found.answer
    assert found.choices[0] == ("repair", "--test", "make test")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_turn_without_a_terminal_streams_what_the_record_keeps(clone, capsys):
    assert main(["-p", "the counter skips values", "--json"]) == 0
    found = lines(capsys.readouterr().out)
    kinds = [one["kind"] for one in found]
    assert kinds[:2] == ["said", "stage"]
    assert {"plan", "stage", "result", "change", "end"} <= set(kinds)
    assert found[-1] == {"kind": "session", "session": past(clone.root)[0].name, "exit": 0}
    assert clone.git("status", "--short") == ""

    assert main(["--resume", "-p", "/apply"]) == 3
    assert "nothing is applied without --apply" in capsys.readouterr().err
    assert main(["--resume", "-p", "/reject 1"]) == 0
    assert "nothing is accepted" in capsys.readouterr().out
    assert main(["--resume", "-p", "/accept all", "--apply"]) == 0
    assert clone.git("status", "--short") == ""
    assert main(["--resume", "-p", "/apply", "--apply"]) == 0
    assert "q + 1" in (clone.root / "rtl/counter.v").read_text()
    assert clone.git("diff", "--name-only").split() == ["rtl/counter.v"]
    capsys.readouterr()
    assert main(["--resume", "-p", "why did you change counter.v?"]) == 0
    assert "the counter skips values" in capsys.readouterr().out
    assert main(["--resume", "-p", "undo"]) == 0
    assert (clone.root / "rtl/counter.v").read_bytes() == BROKEN


def test_the_policy_says_whether_a_turn_may_write(clone, capsys):
    words = ["-p", "repair tb/counter_tb.v"]
    assert main([*words, "--apply=never"]) == 0
    assert clone.git("status", "--short") == ""
    assert main([*words, "--apply"]) == 0
    assert clone.git("diff", "--name-only").split() == ["rtl/counter.v"]
    assert "applied to the work tree" in capsys.readouterr().out


PATCH = b"""--- a/rtl/counter.v
+++ b/rtl/counter.v
@@ -1,2 +1,2 @@
-// counts up to TOP and starts again
+// counts up to TOP, then starts again
 module counter #(parameter TOP = 9) (
@@ -13,4 +13,4 @@
     else if (en) begin
       if (last) q <= 0;
-      else q <= q + 2;
+      else q <= q + 1;
     end
"""


def test_line_by_line_a_subset_is_verified_before_it_is_applied(clone, capsys, monkeypatch):
    (clone.root.parent / "fix.patch").write_bytes(PATCH)
    typed = [
        "check ../fix.patch --testbench tb/counter_tb.v",
        "/reject 2",
        "/apply",
        "/accept 2",
        "/reject 1",
        "/apply",
        "why did you change counter.v",
        "1",
        "quit",
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(typed) + "\n"))
    assert main(["--plain"]) == 0
    said = capsys.readouterr().out
    assert "refuted: tb/counter_tb.v" in said
    assert "only what is verified is applied, and this is not" in said
    assert "applied to the work tree: rtl/counter.v; /undo takes it back" in said
    assert "You rejected hunk 1." in said
    assert "goes on with this session" in said
    diff = [
        line for line in clone.git("diff", "-U0").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert diff == ["-      else q <= q + 2;", "+      else q <= q + 1;"]


def test_what_judges_is_not_applied_with_what_it_judges(clone, capsys):
    patch = clone.root.parent / "both.patch"
    (clone.root / "rtl/counter.v").write_bytes(COUNTER)
    (clone.root / "tb/counter_tb.v").write_bytes(COUNTER_TB.replace(b"seed = 7", b"seed = 8"))
    patch.write_text(clone.git("diff"))
    clone.git("checkout", "-q", ".")
    assert main(["check", str(patch), "--testbench", "tb/counter_tb.v", "--apply"]) == 3
    assert "not applied, because it changes what judges it: " in capsys.readouterr().err
    assert clone.git("status", "--short") == ""
    assert main(["check", "--apply"]) == 2


GAP = """A module named `starter`.

- input clk
- input reset
- input go
- output busy

    IDLE (busy=0) --go=1--> RUN
    RUN  (busy=1) --always--> IDLE

Reset is synchronous, active high, and leads to state IDLE.
"""


def test_a_gap_in_a_specification_is_asked_and_the_answer_goes_on(clone, capsys):
    (clone.root / "docs/starter.md").write_text(GAP)
    assert main(["-p", "/generate docs/starter.md", "--json"]) == 3
    found = lines(capsys.readouterr().out)
    (asked,) = [one for one in found if one["kind"] == "plan" and one.get("labels")]
    assert asked["answer"] == "state IDLE goes nowhere on go=0: to which state?"
    assert asked["labels"] == ["IDLE", "RUN"]
    assert main(["--resume", "-p", "3"]) == 2
    assert "3 is none of the answers" in capsys.readouterr().err
    assert main(["--resume", "-p", "IDLE", "--json"]) == 0
    (result,) = [one for one in lines(capsys.readouterr().out) if one["kind"] == "result"]
    assert (result["data"]["status"], result["data"]["evidence"]) == ("generated", "tests")
    assert "as you have decided" in result["data"]["assumed"][-1]


def test_an_empty_prompt_is_nothing_to_do(clone, capsys):
    assert main(["-p", "  "]) == 2
    assert "nothing to do" in capsys.readouterr().err
    assert main(["--resume", "nothing", "-p", "x"]) == 2
