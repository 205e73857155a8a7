"""`veriloop judge` as a user runs it."""

from __future__ import annotations

import json

import pytest

from tests.assistant.judge.test_workflow import BENCH, LIKE_THE_TEST, PROSE, RTL, TABLE, WRONG
from tests.assistant.repair.conftest import Clone
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "git")

KEYS = {
    "verdict", "passes", "confidence", "why", "question", "evidence", "findings", "failure", "module", "signal",
    "window", "shares", "next", "exit",
}  # fmt: skip
ASKED = ["judge", "rtl/gate.sv", "--testbench", "tb/gate_tb.sv"]


@pytest.fixture
def clone(clone: Clone) -> Clone:
    """A repository with a wrong design, a right test and a specification beside them."""
    files = {"rtl/gate.sv": WRONG, "tb/gate_tb.sv": BENCH, "docs/gate.md": TABLE, "rtl/empty.sv": "// later\n"}
    files["rtl/other.sv"] = "module other(input a, output y);\n  assign y = a;\nendmodule\n"
    clone.commit({path: text.encode() for path, text in files.items()})
    return clone


def test_a_verdict_names_lines_that_exist_and_the_next_command(clone, capsys):
    assert main([*ASKED, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert set(told) == KEYS
    assert (told["verdict"], told["passes"], told["exit"]) == ("rtl", False, 1)
    for one in told["evidence"]:
        assert (clone.root / one["path"]).read_text().splitlines()[one["line"] - 1].strip() == one["text"]
    assert {one["path"] for one in told["evidence"]} == {"rtl/gate.sv", "tb/gate_tb.sv", "docs/gate.md"}
    program, *again = told["next"].split()
    assert (program, again[0]) == ("veriloop", "repair")
    assert main(again) == 0
    assert clone.git("status", "--short") == ""


def test_for_people(clone, capsys):
    assert main(ASKED) == 1
    seen = capsys.readouterr()
    assert seen.out.startswith("rtl: the RTL is wrong (confidence 0.97)\n")
    assert "rtl/gate.sv:2: y is always `a | b`\n    assign y = a | b;\n" in seen.out
    assert "taken for its specification: docs/gate.md" in seen.err


def test_what_cannot_be_told_ends_with_3_and_what_passes_with_0(clone, capsys):
    (clone.root / "docs/gate.md").unlink()
    assert main(ASKED) == 3
    assert capsys.readouterr().out.startswith("unknown: it cannot be told who is wrong\n")
    (clone.root / "rtl/gate.sv").write_text(RTL)
    assert main([*ASKED, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passes"] is True


def test_answers_are_files(clone, capsys, tmp_path):
    (clone.root / "docs/gate.md").write_text(PROSE)
    words = []
    for number, text in enumerate(LIKE_THE_TEST):
        (tmp_path / f"{number}.sv").write_text(text)
        words += ["--answer", str(tmp_path / f"{number}.sv")]
    assert main([*ASKED, *words, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "rtl"
    assert told["shares"]["rtl"] > 0.8


def test_a_model_is_asked_for_answers(clone, capsys, tmp_path):
    (clone.root / "docs/gate.md").write_text(PROSE)
    model = tmp_path / "answers.jsonl"
    model.write_text("")
    assert main([*ASKED, "--model", str(model)]) in (2, 3)
    assert "further answers" in capsys.readouterr().err


def test_any_command_can_be_the_test(clone, capsys):
    command = "iverilog -g2012 -o sim tb/gate_tb.sv rtl/gate.sv && vvp sim"
    assert main(["judge", "rtl/gate.sv", "--test", command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "rtl"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["judge", "rtl/none.sv", "--testbench", "tb/gate_tb.sv"], "no such file: rtl/none.sv"),
        (["judge", "rtl/gate.sv", "--testbench", "tb/none.sv"], "no such file"),
        (["judge", "rtl/gate.sv"], "which test fails?"),
        (["judge", "docs/gate.md", "--testbench", "tb/gate_tb.sv"], "is no Verilog file"),
        (["judge", "rtl/other.sv", "--testbench", "tb/gate_tb.sv"], "the test does not use other of rtl/other.sv"),
        (["judge", "rtl/empty.sv", "--testbench", "tb/gate_tb.sv"], "rtl/empty.sv declares no module"),
        ([*ASKED, "--spec", "docs/none.md"], "none.md cannot be read"),
        ([*ASKED, "--answer", "none.sv"], "none.sv cannot be read"),
        ([*ASKED, "--test", "make"], "exclude each other"),
        ([*ASKED, "-n", "0"], "-n must be"),
    ],
)
def test_bad_input_is_one_line(clone, capsys, words, said):
    assert main(words) == 2
    err = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("veriloop: taken")]
    assert any(said in line for line in err)
    assert clone.git("status", "--short") == ""


def test_an_empty_specification_is_said_so(clone, capsys):
    (clone.root / "docs/gate.md").write_text(" \n")
    assert main([*ASKED, "--spec", "docs/gate.md"]) == 2
    assert "is empty" in capsys.readouterr().err


def test_repair_bends_no_design_to_a_test_that_the_specification_refutes(clone, capsys):
    (clone.root / "rtl/gate.sv").write_text(RTL)
    (clone.root / "tb/gate_tb.sv").write_text(BENCH.replace("(a ^ b)", "(a & b)"))
    asked = ["repair", "rtl/gate.sv", "--testbench", "tb/gate_tb.sv", "--spec", "docs/gate.md", "--json"]
    assert main(asked) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["verdict"]["verdict"]) == ("judged", "testbench")
    assert main([*asked, "--unjudged"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "repaired"
    assert clone.git("diff", "--name-only").split() == ["rtl/gate.sv", "tb/gate_tb.sv"], "only what the test wrote"
