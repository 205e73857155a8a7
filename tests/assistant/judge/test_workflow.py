"""Who is said to be wrong, on small designs: each verdict, and what is no case for a judge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import cache, toolchain
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.judge.dispute import Dispute
from veriloop.assistant.judge.verdict import Side, Verdict
from veriloop.assistant.judge.workflow import judge
from veriloop.assistant.verify.testbench import CocotbTestbench, Testbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.model import Model
from veriloop.models.recorded import RecordedModel

__all__ = ["cache", "toolchain"]

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog")

RTL = "module gate(input a, input b, output y);\n  assign y = a ^ b;\nendmodule\n"
WRONG = RTL.replace("a ^ b", "a | b")
TABLE = "# The gate\n\na | b | y\n0 | 0 | 0\n0 | 1 | 1\n1 | 0 | 1\n1 | 1 | 0\n"
PROSE = "The output y says whether the two inputs are in the usual relation.\n"
BENCH = """`timescale 1ns/1ps
module gate_tb;
  reg a = 0, b = 0; wire y; integer i, bad = 0;
  gate dut (.a(a), .b(b), .y(y));
  initial begin
    for (i = 0; i < 4; i = i + 1) begin
      {a, b} = i; #5;
      if (y !== (a ^ b)) begin
        bad = bad + 1;
        $display("y is wrong at time %0d", $time);
      end
    end
    $display("Mismatches: %0d in 4 samples", bad);
    $finish;
  end
endmodule
"""
WRONG_BENCH = BENCH.replace("(a ^ b)", "(a & b)")


class Court:
    """Judges texts in a directory of their own."""

    def __init__(self, directory: Path, toolchain: Toolchain) -> None:
        self.root = directory / "tree"
        self.scratch = directory / "scratch"
        self.scratch.mkdir()
        self.toolchain = toolchain

    def judge(
        self,
        rtl: str = RTL,
        bench: str = BENCH,
        spec: str = TABLE,
        *,
        answers: Sequence[str] = (),
        model: Model | None = None,
        testbench: Testbench | None = None,
        timeout_s: float = 5.0,
    ) -> Verdict:
        """The verdict, of which each line has to exist."""
        path = Path("tests/test_gate.py" if testbench is not None else "tb/gate_tb.sv")
        files = {Path("rtl/gate.sv"): rtl, path: bench, Path("docs/gate.md"): spec}
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        design = Design(toplevel="gate_tb", sources=(path, Path("rtl/gate.sv")))
        dispute = Dispute(
            testbench=testbench or VerilogTestbench(name=str(path), design=design, timeout_s=timeout_s),
            root=self.root,
            scratch=self.scratch,
            rtl=Path("rtl/gate.sv"),
            bench=(path,),
            specification=spec,
            spec_path=Path("docs/gate.md") if spec else None,
            answers=tuple(answer.encode() for answer in answers),
        )
        verdict = finish(judge(dispute, toolchain=self.toolchain, cancel=CancelToken(), model=model))
        assert all(one.exists(self.root) and one.text for one in verdict.evidence)
        for name, text in files.items():
            assert (self.root / name).read_text() == text, "what was tried has been put back"
        return verdict

    def side(self, *texts: str, **more: object) -> Side:
        """The side alone."""
        verdict = self.judge(*texts, **more)  # type: ignore[arg-type]
        assert verdict.evidence
        return verdict.side


@pytest.fixture
def court(tmp_path: Path, toolchain: Toolchain) -> Court:
    return Court(tmp_path, toolchain)


def places(verdict: Verdict) -> list[str]:
    return [f"{one.path}:{one.line}" for one in verdict.evidence]


# --- the specification decides ---


def test_a_design_that_departs_from_the_table_is_wrong(court):
    verdict = court.judge(WRONG)
    assert (verdict.side, verdict.module, verdict.signal) == (Side.RTL, "gate", "y")
    assert "with a=1, b=1 the specification's truth table says y is 0, and the design gives 1" in verdict.why
    assert places(verdict)[0] == "rtl/gate.sv:2"
    assert verdict.evidence[0].says == "y is always `a | b`"
    assert verdict.next_step == "veriloop repair rtl/gate.sv --testbench tb/gate_tb.sv --spec docs/gate.md"
    assert verdict.confidence > 0.9


def test_a_test_that_expects_what_the_table_does_not_say_is_wrong(court):
    verdict = court.judge(RTL, WRONG_BENCH)
    assert verdict.side is Side.TESTBENCH
    assert places(verdict)[0] == "tb/gate_tb.sv:8"
    assert "the design agrees with all 4 rows of it" in verdict.findings


def test_both_may_be_wrong(court):
    assert court.side(WRONG, WRONG_BENCH) is Side.BOTH


def test_as_many_mismatches_are_no_proof_that_two_designs_are_alike(court):
    counting = BENCH.replace("(a ^ b)", "1'b1").replace('$display("y is wrong at time %0d", $time);', "")
    said = """$display("Hint: Output 'y' has %0d mismatches. First mismatch occurred at time 5.", bad);\n    """
    counting = counting.replace('$display("Mismatches', f'{said}$display("Mismatches')
    assert court.side(RTL.replace("a ^ b", "a"), counting) is Side.BOTH
    assert court.side(RTL, counting) is Side.TESTBENCH
    # What has not woken before the first row gives x there, and is right all the same.
    sleeping = RTL.replace("output y", "output reg y").replace("assign y = a ^ b;", "always @(a or b) y = a ^ b;")
    assert court.side(sleeping, counting) is Side.TESTBENCH


def test_what_contradicts_itself_is_a_question(court):
    machine = (
        "# Machine\n\nInput w, clk, reset (synchronous, to A). z is 1 in state B.\n\n"
        "  A (0) --w=0--> A\n  A (0) --w=1--> B\n  A (0) --w=1--> A\n  B (1) --w=0--> A\n  B (1) --w=1--> B\n"
    )
    rtl = "module gate(input clk, input reset, input w, output z);\n  assign z = w;\nendmodule\n"
    bench = (
        "module gate_tb;\n  reg clk = 0, reset = 1, w = 1; wire z;\n"
        "  gate dut (.clk(clk), .reset(reset), .w(w), .z(z));\n"
        "  always #5 clk = ~clk;\n"
        '  initial begin\n    #20 if (z !== 0) $error("z is not 0");\n    $finish;\n  end\nendmodule\n'
    )
    verdict = court.judge(rtl, bench, machine)
    assert verdict.side is Side.SPEC
    assert "state A goes to" in verdict.question


def test_without_anything_that_says_what_is_right_it_cannot_be_told(court):
    verdict = court.judge(WRONG, BENCH, "")
    assert (verdict.side, verdict.confidence) == (Side.UNKNOWN, 0.0)
    assert verdict.next_step.endswith("--spec FILE")
    assert verdict.evidence
    assert "4 samples" in verdict.failure


def test_a_test_that_passes_is_no_case(court):
    verdict = court.judge()
    assert (verdict.side, verdict.failure) == (Side.UNKNOWN, "")


def test_a_test_that_passes_is_tried_on_broken_copies(court):
    found = []
    for bench in (BENCH, BENCH.replace("i < 4", "i < 1")):
        [said] = [line for line in court.judge(bench=bench).findings if "one slip each" in line]
        found.append(tuple(map(int, re.findall(r"of (\d+) copies .* fails (\d+)", said)[0])))
    (copies, failed), (again, fewer) = found
    assert copies == again
    assert fewer < failed <= copies


def test_a_test_that_passes_what_the_table_refutes_is_too_weak(court):
    verdict = court.judge(WRONG, BENCH.replace("i < 4", "i < 3"))
    assert verdict.side is Side.BOTH
    assert places(verdict)[0] == "rtl/gate.sv:2"
    assert "y is 0, and the design gives 1" in verdict.why


def test_what_lint_says_stands_with_its_side(court):
    rtl = "module gate(input a, input b, output reg y);\n  always @* if (a) y = ~b;\nendmodule\n"
    verdict = court.judge(rtl, BENCH.replace("wire y;", "wire [1:0] y;").replace("y !==", "y[0] !=="), "")
    said = [line for line in verdict.findings if line.startswith(("the design", "the test"))]
    assert any(line.startswith("the design") and "latch" in line.lower() for line in said)
    assert any(line.startswith("the test, tb/gate_tb.sv:4:") for line in said)


# --- answers decide ---

LIKE_THE_TEST = [RTL, RTL.replace("a ^ b", "b ^ a"), RTL.replace("a ^ b", "a != b"), RTL.replace("a ^ b", "~(a ~^ b)")]
LIKE_THE_DESIGN = [WRONG, WRONG.replace("a | b", "b | a"), WRONG.replace("a | b", "~(~a & ~b)")]
OTHERS = [RTL.replace("a ^ b", text) for text in ("~(a ^ b)", "~a ^ b", "a ~^ b", "~(b ^ a)")]


def test_independent_answers_take_sides(court):
    verdict = court.judge(WRONG, BENCH, PROSE, answers=LIKE_THE_TEST)
    assert verdict.side is Side.RTL
    assert "of 4 independent answers the test passes 4" in verdict.why
    assert court.side(WRONG, BENCH, PROSE, answers=[*LIKE_THE_DESIGN, WRONG]) is Side.TESTBENCH
    assert court.side(WRONG, WRONG_BENCH, PROSE, answers=OTHERS) is Side.BOTH


def test_two_readings_of_a_specification_are_a_question(court):
    verdict = court.judge(WRONG, BENCH, PROSE, answers=[*LIKE_THE_DESIGN, *LIKE_THE_TEST[:3]])
    assert verdict.side is Side.SPEC
    assert "y" in verdict.question


def test_answers_that_cannot_be_used_say_nothing(court):
    assert court.side(WRONG, BENCH, PROSE, answers=["nonsense", "module gate(input a); endmodule"]) is Side.UNKNOWN


def test_a_test_that_only_says_fail_hears_answers_as_well(court):
    coarse = BENCH.replace('$display("Mismatches: %0d in 4 samples", bad)', '$display("%0s", bad ? "FAIL" : "PASS")')
    coarse = coarse.replace('$display("y is wrong at time %0d", $time);', "")
    assert court.side(WRONG, coarse, PROSE, answers=LIKE_THE_TEST) is Side.RTL
    assert court.side(WRONG, coarse, PROSE, answers=[*LIKE_THE_DESIGN, WRONG]) is Side.TESTBENCH
    assert court.side(WRONG, coarse.replace("a ^ b", "a & b"), PROSE, answers=OTHERS) is Side.BOTH


# --- nothing was tested ---


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("integer i, bad = 0;", "integer i, bad = 0", "does not compile"),
        ("gate dut", "gates dut", "gates is defined nowhere"),
        (".y(y)", ".z(y)", "does not compile"),
        (".a(a), .b(b)", ".a(), .b(b)", "never drives a of gate"),
        ("bad);\n    $finish", "bad);\n    forever #5 i = 0; $finish", "does not end, whatever design"),
        ('$display("Mismatches: %0d in 4 samples", bad);', "", "tested nothing"),
        ("%0d in 4 samples", "%0d in 0 samples", "no sample was compared"),
    ],
)
def test_a_broken_harness_tests_nothing(court, old, new, said):
    bench = BENCH.replace(old, new).replace('$display("y is wrong at time %0d", $time);', "")
    verdict = court.judge(RTL, bench)
    assert verdict.side is Side.HARNESS, verdict.why
    assert said in verdict.why
    assert any(one.path == "tb/gate_tb.sv" for one in verdict.evidence)


def test_an_open_input_that_the_failing_output_does_not_depend_on_is_no_excuse(court):
    rtl = WRONG.replace("input b,", "input b, input scan, output spare,").replace("assign y", "assign spare = scan, y")
    bench = BENCH.replace(".y(y)", ".y(y), .scan(), .spare()")
    assert court.side(rtl, bench, PROSE, answers=[]) is Side.UNKNOWN


def test_a_clock_that_stands_still_is_the_harness_s_fault(court):
    rtl = "module gate(input clk, input d, output reg q);\n  always @(posedge clk) q <= d;\nendmodule\n"
    bench = (
        "module gate_tb;\n  reg clk = 0, d = 1; wire q;\n  gate dut (.clk(clk), .d(d), .q(q));\n"
        '  initial begin\n    #20 if (q !== 1) $error("q is not 1");\n    $finish;\n  end\nendmodule\n'
    )
    assert court.side(rtl, bench, "") is Side.HARNESS


def test_a_design_that_does_not_compile_is_wrong(court):
    verdict = court.judge(RTL.replace("a ^ b;", "a ^ c;"))
    assert verdict.side is Side.RTL
    assert places(verdict)[0] == "rtl/gate.sv:2"


def test_a_design_without_a_port_that_the_specification_names_is_wrong(court):
    ports = "The module gate has\n\n - input a\n - input b\n - output y\n\n"
    verdict = court.judge(RTL.replace("output y", "output z").replace("y =", "z ="), BENCH, ports + TABLE)
    assert verdict.side is Side.RTL, verdict.why
    assert "output y" in verdict.why


def test_a_design_that_never_settles_is_told_from_a_test_that_never_ends(court):
    loop = "module gate(input a, input b, output y);\n  wire n;\n  assign n = (n === 1'b0) ? 1'b1 : 1'b0;\n"
    verdict = court.judge(loop + "  assign y = (a ^ b) & (n | 1);\nendmodule\n", timeout_s=3.0)
    assert verdict.side is Side.RTL
    assert "never with this one" in verdict.why


def test_an_output_that_nothing_drives_is_the_design_s_fault(court):
    verdict = court.judge("module gate(input a, input b, output y);\nendmodule\n", BENCH, "")
    assert verdict.side is Side.RTL
    assert verdict.why == "y is driven by nothing"
    assert places(verdict)[0] == "rtl/gate.sv:1"


# --- cocotb ---

COCOTB = """import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def table(dut):
    for a in (0, 1):
        for b in (0, 1):
            dut.a.value = a
            dut.b.value = b
            await Timer(1, "ns")
            assert dut.y.value == (a ^ b), f"y is {dut.y.value}"
"""


@pytest.mark.needs("cocotb")
def test_a_cocotb_test_is_judged_as_well(court):
    test = CocotbTestbench(
        name="tests/test_gate.py",
        design=Design(toplevel="gate", sources=(Path("rtl/gate.sv"),)),
        module="test_gate",
        search_path=(Path("tests"),),
        timeout_s=60,
    )
    verdict = court.judge(WRONG, COCOTB, TABLE, testbench=test)
    assert verdict.side is Side.RTL
    assert "tests/test_gate.py:12" in places(verdict)
    verdict = court.judge(RTL, COCOTB.replace("a ^ b", "a & b"), TABLE, testbench=test)
    assert verdict.side is Side.TESTBENCH
    assert places(verdict)[0] == "tests/test_gate.py:12"


# --- a model's opinion ---


class Judgement(RecordedModel):
    """Says the same to every conversation."""

    def __init__(self, *texts: str) -> None:
        super().__init__({"": texts * 5})

    def complete(self, prompt, sampling, **more):
        return super().complete("", sampling, **more)


def test_an_opinion_alone_decides_nothing_and_is_told(court):
    model = Judgement("because the design takes or for exclusive or [E1]: rtl")
    verdict = court.judge(WRONG, BENCH, PROSE, model=model)
    assert verdict.side is Side.UNKNOWN
    assert any("nobody has checked: rtl, the design takes or" in line for line in verdict.findings)


def test_an_opinion_that_cites_no_line_does_not_count(court):
    verdict = court.judge(WRONG, BENCH, PROSE, model=Judgement("because I say so [E99]: rtl", "rtl"))
    assert verdict.side is Side.UNKNOWN
    assert not any("nobody has checked" in line for line in verdict.findings)
