"""`veriloop generate` with a model that says what was recorded, and into a work tree."""

from __future__ import annotations

import json
import subprocess

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.prompts import plan_messages, reference_messages, rtl_messages

pytestmark = [pytest.mark.needs("verilator", "c++", "iverilog", "git")]

PORTS = "A module named `hold`.\n\n- input clk\n- input rst\n- input en\n- output q (4 bits)\n\n"
SPEC = PORTS + "Something moves while it is asked to; how, only a model can tell from this text.\n"
HOLDS = """```verilog
module hold(input logic clk, input logic rst, input logic en, output logic [3:0] q);
  always_ff @(posedge clk)
    if (rst) q <= 4'd0;
    else if (en) q <= q + 4'd1;
endmodule
```"""
CLEARS = HOLDS.replace("else if (en) q <= q + 4'd1;", "else q <= en ? q + 4'd1 : 4'd0;")
BROKEN = HOLDS.replace("4'd0;", "4'd0")
MODEL = """<think>a counter</think>```python
class Hold:
    def __init__(self):
        self.q = 0
    def eval(self, inputs: dict[str, int]) -> dict[str, int]:
        if inputs["rst"]:
            self.q = 0
        elif inputs["en"]:
            self.q = (self.q + 1) & 15
        return {"q": self.q}
```"""
EVIL = "```python\nimport socket\ndef eval(inputs):\n    return {}\n```"
LOOPS = "```python\ndef eval(inputs):\n    while True:\n        pass\n```"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    root = tmp_path / "tree"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    subprocess.run(["git", "init", "--quiet"], check=True)
    (root / "spec.md").write_text(SPEC)
    subprocess.run(["git", "add", "."], check=True)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, "commit", "--quiet", "-m", "spec"], check=True)
    return root


def transcript(path, rtl, models, spec=SPEC):
    interface = read_interface(spec)
    assert interface is not None
    rows = [
        {"prompt": rtl_messages(spec, interface)[-1].content, "answers": rtl},
        {"prompt": reference_messages(spec, interface)[-1].content, "answers": models},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(capsys, *words):
    code = main(["generate", "spec.md", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_answers_of_a_model_are_cross_examined(here, capsys):
    transcript(here / "said.jsonl", [HOLDS, BROKEN, CLEARS, "no idea"], [MODEL, LOOPS, MODEL, "none"])
    code, data = run(capsys, "--model", "said.jsonl", "-n", "4")
    assert code == 0
    assert "4 of 5 independent answers, RTL and reference models" in data["how"]
    assert data["evidence"] == "agreement"
    assert "else if (en) q <= q + 4'd1;" in data["rtl"]
    assert "class Hold" in data["reference"]
    assert "hold dut" in data["testbench"]
    assert "q (chosen)" in data["window"]
    names = [step["name"] for step in data["steps"]]
    assert {"lint -Wall", "no latch", "what the answers agree on"} <= set(names)


def test_without_agreement_nothing_is_applied(here, capsys):
    transcript(here / "said.jsonl", [HOLDS, CLEARS], [MODEL, EVIL])
    code, data = run(capsys, "--model", "said.jsonl", "-n", "2", "-o", "hold.sv", "--apply")
    assert code == 3
    assert data["applied"] == []
    assert "2 of 3 independent answers" in data["refusal"]
    assert not (here / "hold.sv").exists()


def test_what_enough_answers_agree_on_is_applied_and_taken_back(here, capsys):
    transcript(here / "said.jsonl", [HOLDS] * 6, [MODEL] * 6)
    code, data = run(capsys, "--model", "said.jsonl", "-n", "6", "-o", "hold.sv", "--apply")
    assert (code, data["evidence"]) == (0, "agreement")
    assert data["applied"] == ["hold.sv", "hold_tb.sv"]
    assert (here / "hold.sv").read_text() == data["rtl"]
    assert "said.jsonl" in subprocess.run(["git", "status", "--short"], capture_output=True, text=True).stdout
    assert main(["undo"]) == 0
    assert not (here / "hold.sv").exists()


def test_the_code_that_is_there_is_one_more_answer(here, capsys):
    table = "- input a\n- output y\n\na | y\n0 | 1\n1 | 0\n"
    (here / "spec.md").write_text("A module named `inv`.\n" + table)
    (here / "inv.sv").write_text("module inv(input a, output y);\n  assign y = a;\nendmodule\n")
    code, data = run(capsys, "-o", "inv.sv", "--apply", "--model", "none")
    assert (code, data["evidence"]) == (0, "tests")
    assert (here / "inv.sv").read_text() == data["rtl"]
    assert "~a" in data["rtl"]


def test_nothing_but_broken_answers_is_no_answer(here, capsys):
    transcript(here / "said.jsonl", ["```verilog\nmodule hold(; endmodule\n```"] * 20, [EVIL] * 20)
    code, data = run(capsys, "--model", "said.jsonl", "-n", "20")
    assert code == 3
    assert data["status"] == "abstained"
    assert "none of the 20 answers" in data["reason"]


def test_a_plan_is_made_module_by_module(here, capsys):
    spec = "A module named `top`.\n\n- input a\n- output y\n\nIt inverts twice, in some way of its own.\n"
    (here / "spec.md").write_text(spec)
    interface = read_interface(spec)
    assert interface is not None
    stage = "- input p\n- output n\n\np | n\n0 | 1\n1 | 0\n"
    ports = [{"name": "p", "direction": "input", "width": 1}, {"name": "n", "direction": "output", "width": 1}]
    own = [{"name": "a", "direction": "input", "width": 1}, {"name": "y", "direction": "output", "width": 1}]
    answer = json.dumps(
        [
            {"name": "stage", "ports": ports, "specification": stage},
            {"name": "top", "ports": own, "specification": "Two stages, one behind the other."},
        ]
    )
    from veriloop.assistant.generate.plan import Plan, read_plan

    made = read_plan(answer, interface)
    assert isinstance(made, Plan)
    text = made.parts[-1].specification
    top = (
        "```verilog\nmodule top(input logic a, output logic y);\n  logic m;\n"
        "  stage one (.p(a), .n(m));\n  stage two (.p(m), .n(y));\nendmodule\n```"
    )
    model = "```python\ndef eval(inputs):\n    return {'y': inputs['a']}\n```"
    rows = [
        {"prompt": plan_messages(spec, interface)[-1].content, "answers": ["that is too hard", answer]},
        {"prompt": rtl_messages(text, interface)[-1].content, "answers": [top] * 2},
        {"prompt": reference_messages(text, interface)[-1].content, "answers": [model] * 2},
    ]
    (here / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, data = run(capsys, "--model", "said.jsonl", "-n", "2", "--plan")
    assert code == 0
    assert "over 1 planned modules (stage: follows from the specification's truth table)" in data["how"]
    assert "module stage" in data["rtl"]
    assert "module top" in data["rtl"]
    assert data["evidence"] == "agreement"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--apply"], "--apply takes -o FILE"),
        (["-n", "0"], "-n must be from 1"),
        (["--plan", "--model", "none"], "--plan takes a model"),
        (["--reference", "none.py"], "none.py cannot be read"),
        (["--model", "none.jsonl"], "none.jsonl cannot be read"),
        (["--model", "unheard-of"], "there is no model"),
    ],
)
def test_bad_options(words, said, capsys):
    assert main(["generate", "spec.md", *words]) in (2, 3)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ports", "question"),
    [
        ("- input a\n- output a\n- output y\n", "is a an input of 1 bit or an output of 1 bit?"),
        ("- input a (4 bits)\n- input a (8 bits)\n- output y\n", "is a an input of 4 bits or an input of 8 bits?"),
    ],
)
def test_ports_that_contradict_each_other_are_a_question(ports, question, here, capsys):
    (here / "spec.md").write_text(ports)
    code, data = run(capsys, "--model", "none")
    assert code == 3
    assert data["questions"] == [question]


def test_a_header_that_contradicts_the_list_is_a_question(here, capsys):
    (here / "spec.md").write_text("- input a (4 bits)\n- output y\n")
    (here / "ports.sv").write_text("module top(input [7:0] a, output y);")
    code, data = run(capsys, "--model", "none", "--ports", "ports.sv")
    assert code == 3
    assert "as in the header" in data["questions"][0]
