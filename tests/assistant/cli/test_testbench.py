"""`veriloop testbench`: what it writes is run by plain pytest where Veriloop is not installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from veriloop.assistant.bench.plain import plain_environment, run_pytest
from veriloop.assistant.cli.main import main
from veriloop.assistant.events import CancelToken

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "yosys", "cocotb")

QUEUE = """
module queue(input clk, input rst_n, input in_valid, output in_ready, input [3:0] in_data,
             output reg out_valid, input out_ready, output reg [3:0] out_data);
  assign in_ready = !out_valid || out_ready;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) out_valid <= 0;
    else if (in_ready) begin
      out_valid <= in_valid;
      if (in_valid) out_data <= in_data + 4'd3;
    end
endmodule
"""
MODEL = """
class Queue:
    def __init__(self):
        self.valid, self.data = 0, None

    def eval(self, inputs):
        if not inputs["rst_n"]:
            self.valid = 0
        elif not self.valid or inputs["out_ready"]:
            self.valid = inputs["in_valid"]
            if self.valid:
                self.data = (inputs["in_data"] + ADD) & MASK
        return {"out_valid": self.valid, "out_data": self.data, "in_ready": int(not self.valid or inputs["out_ready"])}
"""
GATES = "module gates(input a, input b, output y, output z);\n  assign y = a ^ b;\n  assign z = a & b;\nendmodule\n"
TABLE = """
The module gates has inputs a and b and outputs y and z, as this truth table says.

| a | b | y | z |
|---|---|---|---|
| 0 | 0 | 0 | 0 |
| 0 | 1 | 1 | x |
| 1 | 0 | 1 | 0 |
| 1 | 1 | 0 | 1 |
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a design and a reference model of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queue.sv").write_text(QUEUE)
    (tmp_path / "gates.sv").write_text(GATES)
    (tmp_path / "spec.md").write_text(TABLE)
    model = MODEL.replace("ADD", "3").replace("MASK", "15")
    (tmp_path / "model.py").write_text(model)
    return tmp_path


def made(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the result of a command line."""
    code = main(["testbench", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_what_is_written_runs_by_plain_pytest_without_veriloop(here: Path, capsys: pytest.CaptureFixture[str]):
    code, said = made(capsys, "queue.sv", "--mutants", "12")
    assert (code, said["status"], said["origin"]) == (0, "passes", "rtl")
    assert said["handshakes"] == ["valid/ready: in_valid is held until in_ready"]
    assert (said["coverage"]["line"], said["mutants"]["survivors"]) == (100.0, [])
    assert [run["engine"] for run in said["runs"]] == ["verilator", "icarus"]
    text = (here / "tests/test_queue.py").read_text()
    assert "pins today's behaviour" in text
    assert "veriloop" not in text
    python = plain_environment(here / "plain", CancelToken())
    own = run_pytest(python, here / "tests/test_queue.py", readable=(here,), cancel=CancelToken())
    assert own.ok, own.output
    (here / "wrong.sv").write_text(QUEUE.replace("4'd3", "4'd2"))
    wrong = run_pytest(
        python, here / "tests/test_queue.py", readable=(here,), rtl=here / "wrong.sv", cancel=CancelToken()
    )
    assert wrong.returncode == 1
    # The signal, the cycle, what was expected and what was seen.
    assert "AssertionError: cycle " in wrong.output
    assert "out_data: expected 0x" in wrong.output
    assert "stimulus drawn from the fixed seeds" in wrong.output

    assert main(["testbench", "queue.sv"]) == 2, "what is there is not written over"
    assert "--force" in capsys.readouterr().err


def test_a_reference_model_judges_the_design(here: Path, capsys: pytest.CaptureFixture[str]):
    code, said = made(capsys, "queue.sv", "--model-file", "model.py", "--mutants", "4")
    assert (code, said["status"], said["origin"]) == (0, "passes", "model")
    assert said["mutants"]["score"] == 100.0
    assert sorted(path.name for path in (here / "tests").iterdir()) == ["test_queue.py"]
    (here / "queue.sv").write_text(QUEUE.replace("4'd3", "4'd2"))
    code, said = made(capsys, "queue.sv", "--model-file", "model.py", "--mutants", "0", "--force")
    assert (code, said["status"]) == (1, "fails")
    assert "out_data: expected 0x" in said["runs"][0]["reason"]
    assert "did not pass it" in (here / "tests/test_queue.py").read_text()


def test_a_specification_leaves_free_what_it_does_not_say(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "gates.sv").write_text(GATES.replace("a & b", "b"))
    code, said = made(capsys, "gates.sv", "--spec", "spec.md", "--mutants", "0")
    assert (code, said["origin"], said["detail"]) == (0, "specification", "truth table")
    (here / "gates.sv").write_text(GATES.replace("a & b", "a"))
    code, said = made(capsys, "gates.sv", "--spec", "spec.md", "--mutants", "0", "--force")
    assert code == 1
    assert "z: expected 0x0, seen 0x1" in said["runs"][0]["reason"]


def test_several_clocks_rise_independently(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "two.sv").write_text(
        "module two(input a_clk, input b_clk, input rst, input d, output reg q, output reg r);\n"
        "  always @(posedge a_clk) if (rst) q <= 0; else q <= d;\n"
        "  always @(posedge b_clk) if (rst) r <= 0; else r <= q;\nendmodule\n"
    )
    code, said = made(capsys, "two.sv", "--mutants", "6")
    assert (code, said["mutants"]["survivors"]) == (0, [])
    assert any("rise independently" in note for note in said["notes"])
    assert 'CLOCKS: list[str] = ["a_clk", "b_clk"]' in (here / "tests/test_two.py").read_text()


STUCK = """
module stuck(input clk, input rst, input d, output reg q);
  reg [3:0] count = 0;
  always @(posedge clk) if (rst | !count[3]) begin q <= 0; count <= 0; end else q <= d;
endmodule
"""


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["stuck.sv"], 3, "never leaves reset"),
        (["queue.sv", "--model-file", "raises.py"], 3, "ZeroDivisionError"),
        (["queue.sv", "--model-file", "loops.py"], 3, "did not end within"),
        (["queue.sv", "--model-file", "wide.py"], 3, "gives out_data the value"),
        (["queue.sv", "--model-file", "none.py"], 2, "no class with a method eval"),
        (["queue.sv", "--model-file", "names.py"], 2, "names no output of queue"),
        (["queue.sv", "--spec", "prose.md"], 3, "the specification gives no expected values"),
    ],
)
def test_what_gives_no_expected_values_is_said_and_nothing_is_written(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str
):
    (here / "stuck.sv").write_text(STUCK)
    (here / "raises.py").write_text("def eval(inputs):\n    return {'out_data': 1 // 0}\n")
    (here / "loops.py").write_text("def eval(inputs):\n    while True:\n        pass\n")
    (here / "wide.py").write_text("def eval(inputs):\n    return {'out_data': inputs['in_data'] + 3}\n")
    (here / "none.py").write_text("x = 1\n")
    (here / "names.py").write_text("def eval(inputs):\n    return {'sum': 1}\n")
    (here / "prose.md").write_text("It is a queue, more or less.\n")
    assert main(["testbench", *words, "--mutants", "0"]) == code
    told = capsys.readouterr().err
    assert says in told
    # What can be seen without a run is said before the stimulus is made.
    assert ("points met" in told) is (words[-1] not in ("none.py", "prose.md"))
    assert not (here / "tests").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.sv"], "no such file"),
        (["empty.sv"], "declares no module"),
        (["broken.sv"], "does not elaborate"),
        (["both.sv"], "which module: one, two?"),
        (["queue.sv", "--cover", "0"], "--cover"),
        (["queue.sv", "--mutants", "-1"], "--mutants"),
        (["queue.sv", "--spec", "spec.md", "--model-file", "model.py"], "give one of them"),
        (["queue.sv", "--model-file", "none.py"], "no such file"),
        (["queue.sv", "--top", "nothing"], "there is no module nothing"),
        (["lacks.sv"], "nowhere in this tree: missing"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_runs(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
):
    (here / "empty.sv").write_text("// nothing\n")
    (here / "broken.sv").write_text("module broken(input a, output y);\n  assign y = b;\nendmodule\n")
    (here / "both.sv").write_text("module one; endmodule\nmodule two; endmodule\n")
    (here / "lacks.sv").write_text("module lacks(input a, output y);\n  missing m(a, y);\nendmodule\n")
    assert main(["testbench", *words]) == 2
    captured = capsys.readouterr()
    assert (says in captured.err, captured.out) == (True, "")
    assert not (here / "tests").exists()
