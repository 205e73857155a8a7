from __future__ import annotations

import io
import json
import subprocess

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.reference_model.run import Answered, play
from veriloop.assistant.generate.reference_model.text import ReferenceModel, read_model

pytestmark = [pytest.mark.needs("verilator", "c++", "iverilog")]

MACHINE = """# A start button

A module named `starter`.

- input clk
- input reset
- input go
- output busy

    IDLE (busy=0) --go=0--> IDLE
    IDLE (busy=0) --go=1--> RUN
    RUN  (busy=1) --always--> IDLE

Reset is synchronous, active high, and leads to state IDLE.
"""
PROSE = "A module named `inv`.\n\n- input a\n- output y\n\nWhat the output makes of the input, everybody knows.\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *words):
    code = main(["generate", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_machine_is_made_checked_and_written(here, capsys):
    (here / "spec.md").write_text(MACHINE)
    code, data = run(capsys, "spec.md", "-o", "starter.sv", "--bench", "tb.sv")
    assert code == 0
    assert (data["status"], data["evidence"], data["confidence"]) == ("generated", "tests", None)
    assert "state diagram" in data["how"]
    played = next(step for step in data["steps"] if step["runs"])
    assert all(run["checks"] > 100 and run["outcome"] == "pass" for run in played["runs"])
    assert {run["engine"] for run in played["runs"]} == {"verilator", "icarus"}
    assert (here / "starter.sv").read_text() == data["rtl"]
    assert "starter dut" in (here / "tb.sv").read_text()


@pytest.mark.parametrize("level", ["low", "high"])
def test_an_asynchronous_reset_that_is_there_from_the_start_is_seen(level, here, capsys):
    (here / "spec.md").write_text(MACHINE.replace("synchronous, active high", f"asynchronous, active {level}"))
    code, data = run(capsys, "spec.md")
    assert (code, data["evidence"]) == (0, "tests")
    assert f"{'neg' if level == 'low' else 'pos'}edge reset" in data["rtl"]


def test_the_testbench_can_fail(here, capsys):
    (here / "spec.md").write_text(MACHINE)
    assert run(capsys, "spec.md", "-o", "starter.sv", "--bench", "tb.sv")[0] == 0
    wrong = (here / "starter.sv").read_text().replace("(state == RUN)", "(state == IDLE)")
    (here / "starter.sv").write_text(wrong)
    subprocess.run(["iverilog", "-g2012", "-o", "sim", "tb.sv", "starter.sv"], check=True)
    said = subprocess.run(["vvp", "-n", "sim"], check=True, capture_output=True, text=True).stdout
    assert "Mismatches: 0 in" not in said
    assert "expected" in said


def test_the_reference_model_beside_it_expects_what_the_module_does(here, capsys):
    (here / "spec.md").write_text(MACHINE)
    code, data = run(capsys, "spec.md", "-o", "starter.sv", "--reference-out", "ref.py")
    assert code == 0
    assert (here / "ref.py").read_text() == data["reference"]
    assert "veriloop testbench starter.sv --model-file ref.py writes a cocotb test of it" in data["offers"]
    interface = read_interface(MACHINE)
    model = read_model(data["reference"])
    assert interface is not None
    assert isinstance(model, ReferenceModel)
    steps = [{"reset": reset, "go": go} for reset, go in ((0, 1), (1, 1), (0, 0), (0, 1), (0, 0), (0, 0), (1, 1))]
    said = play(model, steps, interface, cancel=CancelToken())
    assert isinstance(said, Answered)
    assert [row.get("busy") for row in said.outputs] == [None, 0, 0, 1, 0, 0, 0]


def test_to_the_terminal_under_another_name(here, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(MACHINE.encode())))
    assert main(["generate", "-", "--top", "button"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("module button (")
    assert said.endswith("evidence: tests\n")


def test_prose_is_not_guessed(here, capsys):
    (here / "spec.md").write_text(PROSE)
    code, data = run(capsys, "spec.md", "-o", "inv.sv", "--model", "none")
    assert code == 3
    assert data["status"] == "abstained"
    assert not (here / "inv.sv").exists()
    assert main(["generate", "spec.md", "--model", "none"]) == 3
    assert "--answer FILE" in capsys.readouterr().out


def test_a_contradiction_is_asked_about(here, capsys):
    (here / "spec.md").write_text(MACHINE.replace("IDLE (busy=0) --go=0--> IDLE", "IDLE (busy=0) --go=1--> IDLE"))
    code, data = run(capsys, "spec.md")
    assert code == 3
    gap, question = data["questions"]
    assert gap == "state IDLE goes nowhere on go=0: to which state?"
    assert question == "state IDLE goes to IDLE and RUN on go=1: to which state?"
    code, data = run(capsys, "spec.md", "--decide", gap, "IDLE")
    assert code == 3
    assert data["asked"] == {"question": question, "options": ["IDLE", "RUN"]}
    assert main(["generate", "spec.md", "--decide", gap, "IDLE"]) == 3
    assert f'--decide "{question}" IDLE | RUN' in capsys.readouterr().out


def test_an_answer_goes_on(here, capsys):
    (here / "spec.md").write_text(MACHINE.replace("    IDLE (busy=0) --go=0--> IDLE\n", ""))
    code, data = run(capsys, "spec.md")
    assert (code, data["asked"]["options"]) == (3, ["IDLE", "RUN"])
    code, data = run(capsys, "spec.md", "--decide", data["asked"]["question"], "IDLE")
    assert (code, data["status"], data["evidence"]) == (0, "generated", "tests")
    assert data["asked"] == {}
    assert "as you have decided: state IDLE goes nowhere on go=0: to which state? IDLE" in data["assumed"]
    assert main(["generate", "spec.md", "--decide", data["assumed"][-1].partition(": ")[2][:-5], "SLEEP"]) == 2
    assert "'SLEEP' is no answer" in capsys.readouterr().err


def test_answers_are_held_against_each_other(here, capsys):
    (here / "spec.md").write_text(PROSE)
    for name, text in (("a", "~a"), ("b", "!a"), ("c", "a")):
        (here / f"{name}.sv").write_text(f"module inv(input a, output y);\n  assign y = {text};\nendmodule\n")
    code, data = run(
        capsys, "spec.md", "--answer", "a.sv", "--answer", "c.sv", "--answer", "b.sv", "-o", "inv.sv", "--model", "none"
    )
    assert code == 0
    assert "2 of 3 independent answers" in data["how"]
    assert 0.4 < data["confidence"] < 0.7
    assert data["evidence"] == "agreement"
    assert (here / "inv.sv").read_text() in {(here / "a.sv").read_text(), (here / "b.sv").read_text()}


def test_two_answers_that_differ_are_a_question(here, capsys):
    (here / "spec.md").write_text(PROSE)
    for name, text in (("a", "~a"), ("b", "a")):
        (here / f"{name}.sv").write_text(f"module inv(input a, output y);\n  assign y = {text};\nendmodule\n")
    code, data = run(capsys, "spec.md", "--answer", "a.sv", "--answer", "b.sv", "--model", "none")
    assert code == 3
    assert data["reason"] == "no two of the 2 answers agree"
    assert data["questions"] == ["with a=0, is y 1 or 0?"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.md"], "none.md cannot be read"),
        (["empty.md"], "the specification empty.md is empty"),
        (["spec.md", "-o", "there.sv"], "there.sv is there already"),
        (["spec.md", "-o", "no/dir.sv"], "no such directory: no"),
        (["spec.md", "--answer", "none.sv"], "none.sv cannot be read"),
    ],
)
def test_bad_input(words, said, here, capsys):
    (here / "spec.md").write_text(MACHINE)
    (here / "empty.md").write_text(" \n")
    (here / "there.sv").write_text("mine")
    assert main(["generate", *words]) == 2
    assert said in capsys.readouterr().err
    assert (here / "there.sv").read_text() == "mine"


def test_a_specification_without_ports(here, capsys):
    (here / "spec.md").write_text("Make it fast.")
    code, data = run(capsys, "spec.md")
    assert code == 3
    assert "no ports" in data["reason"]
