"""The gate on a real repository with real simulators: what passes, what does not, and what the report says of it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from veriloop.assistant.design.edits import Edit, Patch
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import Cancelled, NotVerified, StaleTree
from veriloop.assistant.events import CancelToken, Note, finish
from veriloop.assistant.gate import Gate, apply, require_red
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.cache import VerdictCache
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.report_text import as_json, as_markdown, as_text, broken, fixed
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CommandTest, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("git", "verilator", "c++")

BUGGY = b"""module adder(input [3:0] a, input [3:0] b, output [4:0] sum);
  // the sum, with its carry
  assign sum = a - b;
  initial if (0) $error("never");
endmodule
"""
BENCH = b"""module adder_tb;
  reg [3:0] a, b; wire [4:0] sum; integer i, bad;
  adder dut(.a(a), .b(b), .sum(sum));
  initial begin
    bad = 0;
    for (i = 0; i < 256; i = i + 1) begin
      {a, b} = i[7:0]; #1;
      if (sum !== a + b) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, 256);
    $finish;
  end
endmodule
"""
DESIGN = Design(toplevel="adder_tb", sources=(Path("rtl/adder.v"), Path("tb/adder_tb.v")))
TESTBENCH = VerilogTestbench(name="adder_tb", design=DESIGN, timeout_s=20)


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory):
    return Toolchain.find(cache=tmp_path_factory.mktemp("runtime"), cancel=CancelToken())


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "clone"
    for path, content in {"rtl/adder.v": BUGGY, "tb/adder_tb.v": BENCH, ".gitignore": b"lib/\n"}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    return root


@pytest.fixture
def gate(root, tmp_path, toolchain):
    repository = Repository.open(root, cache=tmp_path / "cache")
    return Gate(repository=repository, toolchain=toolchain, cache=VerdictCache(tmp_path / "cache" / "v1"))


def patch(gate: Gate, old: bytes, new: bytes, path: str = "rtl/adder.v") -> Patch:
    base = gate.repository.snapshot()
    content = gate.repository.read(base, path) or b""
    start = content.index(old)
    return Patch(edits=(Edit(path=path, start=start, end=start + len(old), text=new),), base=base)


def test_a_fix_is_verified_applied_and_undone(gate, root):
    report = finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH], replay="veriloop check"))
    assert report.passed, report
    assert report.evidence is Evidence.TESTS
    assert fixed(report) == ("adder_tb",)
    assert [step.name for step in report.steps] == ["parse", "lint adder", "elaborate adder", "adder_tb"]
    assert [step.passed for step in report.baseline] == [True, True, True, False]
    diff = gate.repository.diff(report.patch.base, report.tree)
    assert "verified: 1 of 1 tests pass, 1 of them failed before; evidence: tests" in as_text(report, diff)
    assert as_json(report, diff)["fixed"] == ["adder_tb"]
    assert "+  assign sum = a + b;" in as_markdown(report, diff)
    apply(gate.repository, report)
    assert (root / "rtl/adder.v").read_bytes() == BUGGY.replace(b"a - b", b"a + b")
    assert not list((gate.repository.cache / "trees").iterdir())


def test_a_change_that_does_not_help_is_refuted_and_cannot_be_applied(gate, root):
    report = finish(gate.check(patch(gate, b"a - b", b"a | b"), [TESTBENCH]))
    assert not report.passed
    assert fixed(report) == broken(report) == ()
    assert "failed before, too" in as_text(report)
    with pytest.raises(NotVerified, match="did not pass"):
        apply(gate.repository, report)
    assert (root / "rtl/adder.v").read_bytes() == BUGGY


@pytest.mark.needs("iverilog")
def test_a_repair_that_a_simulator_no_longer_takes_is_refused(gate, root):
    # Verilator takes a `let`, Icarus does not: tests that run under Icarus would be lost.
    change = patch(gate, b"a - b;", b"a + b; let same(x) = x;")
    report = finish(gate.check(change, [TESTBENCH], workflow="repair"))
    assert not report.passed
    (step,) = [step for step in report.steps if not step.passed]
    assert step.name == "adder_tb by Icarus"
    assert step.detail.startswith("Icarus takes the design as it is, and not so: ")
    # Who changes it so himself is told, and where it was so before nothing is lost.
    assert finish(gate.check(change, [TESTBENCH], workflow="any")).passed
    (root / "rtl/adder.v").write_bytes(BUGGY.replace(b"a - b;", b"a - b; let same(x) = x;"))
    assert finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH], workflow="repair")).passed


def test_a_regression_is_named(gate, root):
    (root / "rtl/adder.v").write_bytes(BUGGY.replace(b"a - b", b"a + b"))
    report = finish(gate.check(patch(gate, b"a + b", b"a ^ b"), [TESTBENCH]))
    assert not report.passed
    assert broken(report) == ("adder_tb",)
    assert "this change breaks it" in as_text(report)


def test_a_file_edited_after_the_check_is_not_overwritten(gate, root):
    report = finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH]))
    (root / "rtl/adder.v").write_bytes(BUGGY + b"// mine\n")
    with pytest.raises(StaleTree, match=r"rtl/adder\.v"):
        apply(gate.repository, report)
    assert (root / "rtl/adder.v").read_bytes() == BUGGY + b"// mine\n"


def test_a_warning_that_the_base_lacks_is_named_and_one_that_moved_is_not(gate, root):
    (root / "rtl/adder.v").write_bytes(BUGGY.replace(b"  assign", b"  wire known;\n  assign"))
    report = finish(
        gate.check(patch(gate, b"assign sum = a - b;", b"\n  assign sum = a + b;\n  wire fresh;"), [TESTBENCH])
    )
    assert report.passed
    (warning,) = report.new_warnings
    assert warning.startswith("rtl/adder.v:")
    assert "fresh" in warning
    assert f"new warnings:\n  {warning}\n" in as_text(report)
    assert as_json(report)["new_warnings"] == [warning]
    assert f"- {warning}" in as_markdown(report)


def test_broken_rtl_is_a_red_step(gate):
    report = finish(gate.check(patch(gate, b"assign sum =", b"assign sum = ("), [TESTBENCH]))
    assert not report.passed
    assert not any(step.passed for step in report.steps)
    run = report.steps[-1].results[0]
    assert run.outcome is Outcome.COMPILE_ERROR
    assert run.diagnostics[0].path == "rtl/adder.v"


@pytest.mark.parametrize(
    ("path", "old", "new", "why"),
    [
        ("tb/adder_tb.v", b"a + b", b"a - b", "part of the testbench"),
        ("rtl/adder.v", b'$error("never")', b"", "a check of its own"),
        ("rtl/adder.v", b"// the sum", b"// verilator lint_off WIDTH", "switches a checker off"),
        (".gitignore", b"lib", b"tb", "is no RTL"),
    ],
)
def test_repair_may_not_touch_what_judges_it(gate, path, old, new, why):
    report = finish(gate.check(patch(gate, old, new, path), [TESTBENCH]))
    assert not report.passed
    assert [step.name for step in report.steps] == ["protected"]
    assert why in report.steps[0].detail


def test_testbench_work_may_not_touch_rtl(gate):
    report = finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH], workflow="testbench"))
    assert [(step.name, step.passed) for step in report.steps] == [("protected", False)]


def test_anybodys_change_of_a_test_is_told_apart(gate, root):
    base = gate.repository.snapshot()
    (root / "tb/adder_tb.v").write_bytes(BENCH.replace(b"sum !== a + b", b"0"))
    report = finish(gate.check_trees(base, gate.repository.snapshot(), [TESTBENCH]))
    assert report.passed
    assert "tb/adder_tb.v: is part of the testbench adder_tb" in as_text(report)


def test_a_test_that_the_base_lacks_fixes_nothing(gate, root):
    (root / "rtl/adder.v").write_bytes(BUGGY.replace(b"a - b", b"a + b"))
    (root / "tb/adder_tb.v").unlink()
    base = gate.repository.snapshot()
    (root / "tb/adder_tb.v").write_bytes(BENCH)
    report = finish(gate.check_trees(base, gate.repository.snapshot(), [TESTBENCH]))
    assert report.passed
    assert fixed(report) == ()


def test_without_a_test_the_evidence_says_so(gate, root):
    design = Design(toplevel="adder", sources=(Path("rtl/adder.v"),))
    change = patch(gate, b"a - b", b"a + b")
    report = finish(gate.check(change, [], designs=[design]))
    assert (report.passed, report.evidence) == (True, Evidence.ELABORATES)
    assert "behaviour: no test was run" in report.unchecked
    with pytest.raises(NotVerified, match="only: elaborates"):
        apply(gate.repository, report)
    report = finish(gate.check(patch(gate, b"a - b", b"a + c"), [], designs=[design]))
    assert not report.passed


def test_errors_that_the_base_has_too_do_not_refute(gate, root):
    (root / "rtl/adder.v").write_bytes(BUGGY.replace(b"endmodule", b"missing_cell u();\nendmodule"))
    design = Design(toplevel="adder", sources=(Path("rtl/adder.v"),))
    report = finish(gate.check(patch(gate, b"a - b", b"a + b"), [], designs=[design]))
    assert report.passed
    assert report.evidence < Evidence.LINTS
    assert any("on the base already" in line for line in report.unchecked)


def test_the_verdict_is_kept_by_content(gate, root):
    first = finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH]))
    (root / "README").write_text("another tree, the same RTL\n")
    second = finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH]))
    assert [step.cached for step in (first.steps[-1], second.steps[-1])] == [False, True]
    assert first.steps[-1].results == second.steps[-1].results
    assert first.tree != second.tree
    for stored in (gate.repository.cache / "v1").rglob("*.json"):
        stored.write_bytes(stored.read_bytes()[:-20])
    third = finish(gate.check(patch(gate, b"a - b", b"a + b"), [TESTBENCH]))
    assert not third.steps[-1].cached


def test_a_hang_is_a_timeout_and_is_not_kept(gate, root):
    slow = VerilogTestbench(name="slow", design=DESIGN, timeout_s=0.5)
    (root / "tb/adder_tb.v").write_bytes(BENCH.replace(b"bad = 0;", b"forever #1 bad = 0;"))
    for _ in range(2):
        report = finish(gate.check(patch(gate, b"a - b", b"a + b"), [slow]))
        assert report.steps[-1].results[0].outcome is Outcome.TIMEOUT
        assert not report.steps[-1].cached


def test_a_command_is_judged_in_a_copy_with_what_it_needs(gate, root, tmp_path, toolchain):
    (root / "lib").mkdir()
    (root / "lib" / "answer").write_text("42\n")
    (root / "run.sh").write_text("cat lib/answer && touch lib/answer made && grep -q 'a + b' rtl/adder.v\n")
    test = CommandTest(name="run", command="sh run.sh", timeout_s=20)
    notes: list[object] = []
    steps = finish(gate.baseline(gate.repository.snapshot(), [test]), notes.append)
    assert not steps[-1].passed
    assert any(isinstance(note, Note) and 'needs = ["lib/"]' in note.text for note in notes)
    full = Gate(repository=gate.repository, toolchain=toolchain, cache=gate.cache, needs=("lib",))
    report = finish(full.check(patch(full, b"a - b", b"a + b"), [test]))
    assert report.passed
    assert fixed(report) == ("run",)
    assert any(line.startswith("added to the private copy: lib") for line in report.unchecked)
    assert not report.steps[-1].cached
    assert not (root / "made").exists()


def test_a_command_that_passes_only_in_the_copy_is_the_harness_fault(gate):
    test = CommandTest(name="t", command="test ! -e lib", timeout_s=20)
    steps = finish(gate.baseline(gate.repository.snapshot(), [test]))
    with pytest.raises(NotVerified, match="passes in a private copy") as caught:
        require_red(steps, test)
    assert "needs" in caught.value.hint


def test_cancelling_leaves_nothing(gate, root):
    cancel = CancelToken()
    stopped = Gate(repository=gate.repository, toolchain=gate.toolchain, cancel=cancel)
    test = CommandTest(name="t", command="sleep 30", timeout_s=60)
    threading.Timer(0.3, cancel.cancel).start()
    with pytest.raises(Cancelled):
        finish(stopped.check(patch(stopped, b"a - b", b"a + b"), [test]))
    assert not list((gate.repository.cache / "trees").iterdir())
