"""The bench of the loop: its designs, its candidates, and a whole small run."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from veriloop.assistant.bench import loop, loop_comparison
from veriloop.assistant.bench.loop_designs import LoopCandidate, LoopDesign, candidates, own_designs, read_design
from veriloop.assistant.bench.loop_ways import Place
from veriloop.assistant.cli.main import main
from veriloop.assistant.errors import ToolFailed, UsageError
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.toolchain import Toolchain

MODULE = "module {name} (input a, output b); assign b = {value}; endmodule\n"
BENCH = """\
module tb; reg a = 0; wire b, c; dut d (a, b); dut_ref r (a, c);
initial begin #1 if (b === c) $display("PASS"); else $display("FAIL"); $finish; end
endmodule
"""


def _toolchain(request: pytest.FixtureRequest, cancel: CancelToken) -> Toolchain:
    kept: pytest.Cache | None = getattr(request.config, "cache", None)
    assert kept is not None
    return Toolchain.find(cache=Path(kept.mkdir("veriloop")), cancel=cancel)


def test_our_own_designs_are_of_the_sizes_that_are_promised():
    small, *others, engine, slipped = own_designs()
    assert len({design.name for design in (small, *others, engine, slipped)}) == 6
    assert small.lines < 50
    assert 150 <= engine.lines <= 250
    assert slipped.files[slipped.editable[0]] != engine.files[engine.editable[0]]
    assert slipped.files["copy_dut.v"] == engine.files["copy_dut.v"]


def test_a_module_that_nobody_declares_is_a_copy(tmp_path):
    (tmp_path / "dut.v").write_text(MODULE.format(name="dut", value="~a"))
    (tmp_path / "tb.v").write_text(BENCH)
    design = read_design([tmp_path])
    assert design.editable == ("dut.v",)
    assert design.testbench.design.toplevel == "tb"
    assert design.files["copy_dut.v"] == MODULE.format(name="dut_ref", value="~a").encode()


def test_a_design_without_one_testbench_is_refused(tmp_path):
    (tmp_path / "a.v").write_text("module a; endmodule\n")
    (tmp_path / "b.v").write_text("module b(); endmodule\n" + MODULE.format(name="c", value="a"))
    with pytest.raises(UsageError, match="not instantiated: a, b"):
        read_design([tmp_path])
    with pytest.raises(UsageError, match="no such design"):
        read_design([tmp_path / "c.v"])


@pytest.fixture
def small(tmp_path) -> LoopDesign:
    small = own_designs()[0]
    small.write(tmp_path)
    return small


def test_candidates_by_class_let_every_operator_have_its_turn(small, tmp_path):
    found = list(itertools.islice(candidates(small, tmp_path, seed=1, by_class=True), 30))
    assert len({one.operator for one in found}) > 20
    assert len({tuple(one.contents.values()) for one in found}) == 30


def test_candidates_are_the_same_for_a_seed(small, tmp_path):
    once, again = (
        [one.contents for one in itertools.islice(candidates(small, tmp_path, seed=4, by_class=False), 10)]
        for _ in range(2)
    )
    assert once == again


@pytest.mark.needs("verilator", "c++", "iverilog", "make")
def test_a_run_gives_a_row_a_count_and_nothing_disagrees(monkeypatch, request):
    monkeypatch.setattr(loop, "TUNED", 2)
    monkeypatch.setattr(loop, "ICARUS", 4)
    cancel = CancelToken()
    toolchain = _toolchain(request, cancel)
    rows = finish(loop.measure(own_designs()[0], (8, 40), 4, toolchain, cancel))
    assert [row.n for row in rows] == [8, 40]
    # Of the six that are compared, some are such that no batch holds them.
    assert rows[0].agree == 0 < rows[1].agree <= 6
    assert all(row.disagree == 0 and row.candidates_per_cpu_s > 0 for row in rows)
    assert rows[1].vs_default_build > rows[1].vs_tuned_build > 5
    found = loop.summary(rows)
    assert found["vs_tuned_build"] == rows[1].vs_tuned_build
    assert found["disagree"] == 0
    assert set(loop.as_dict(rows[0])) == {
        "design",
        "lines",
        "n",
        "candidates_per_cpu_s",
        "vs_tuned_build",
        "vs_default_build",
        "vs_icarus",
        "agree",
        "disagree",
    }


@pytest.mark.needs("verilator", "c++", "iverilog")
def test_a_candidate_that_breaks_verilator_is_named_and_disagrees_only_if_it_passes(tmp_path, request, monkeypatch):
    design, cancel = own_designs()[0], CancelToken()
    place = Place(tmp_path / "tree", tmp_path / "scratch", _toolchain(request, cancel), cancel)
    place.scratch.mkdir()
    design.write(place.root)
    found = list(itertools.islice(candidates(design, place.root, seed=1, by_class=False), 24))

    def broken(*_: object) -> tuple[SimResult, ...]:
        raise ToolFailed("Verilator broke on this design", output="")

    monkeypatch.setattr(loop_comparison, "by_verilator", broken)
    compared = loop_comparison.Comparison(design, design.testbench, place)
    finish(compared.run(found))
    said = [note.text for note in compared.notes if "Verilator broke on this design" in note.text]
    assert len(said) == len(found)
    assert 0 < sum("together it PASSES" in text for text in said) == compared.disagree < len(found)
    assert compared.agree == 0


def test_of_those_that_are_drawn_at_most_a_share_survives():
    every = [LoopCandidate(operator="any", contents={"dut.v": b"%d" % number}) for number in range(60)]

    def judge(part):
        outcomes = [Outcome.PASS if int(one.contents["dut.v"]) % 10 else Outcome.FAIL for one in part]
        return [SimResult(outcome=outcome, engine="verilator") for outcome in outcomes]

    found = finish(loop.drawn(iter(every), 6, 0.34, judge))
    assert [int(one.contents["dut.v"]) for one in found] == [0, 10, 1, 20, 30, 2]


def test_a_design_that_is_not_there_is_named(capsys):
    assert main(["bench", "loop", "--only", "nope"]) == 2
    assert "no design is named nope; there are: small" in capsys.readouterr().err


@pytest.mark.needs("verilator", "c++", "iverilog")
def test_a_design_that_only_one_engine_takes_is_refused(tmp_path, request):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.v").write_text("module a (input i, output o); assign o = i; endmodule\n")
    (tmp_path / "d" / "b.v").write_text("module a (input i, output o); assign o = !i; endmodule\n")
    (tmp_path / "d" / "tb.v").write_text("module tb; reg i = 0; wire o; a a (i, o); initial #1 $finish; endmodule\n")
    cancel = CancelToken()
    toolchain = _toolchain(request, cancel)
    with pytest.raises(UsageError, match="does not run from x by icarus: 'a' has already been declared"):
        finish(loop.measure(read_design([tmp_path / "d"]), (8,), 4, toolchain, cancel))
