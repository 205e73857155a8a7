from __future__ import annotations

import json
import subprocess

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB
from veriloop.assistant.cli.main import main
from veriloop.assistant.verify.wave import Wave

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "git")

BROKEN = COUNTER.replace(b"q + 1", b"q + 2")


def test_a_test_is_recorded_as_it_is_and_with_a_change(clone, capsys, tmp_path):
    clone.commit({"rtl/counter.v": COUNTER, "tb/counter_tb.v": COUNTER_TB})
    good = clone.git("rev-parse", "HEAD")
    clone.commit({"rtl/counter.v": BROKEN})
    patch = tmp_path / "fix.patch"
    patch.write_text(clone.git("diff", "HEAD", good.strip()))
    kept = tmp_path / "kept"
    words = ["waves", "--testbench", "tb/counter_tb.v", "--patch", str(patch), "--keep", str(kept)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["divergence"]["signal"].endswith(".q")
    assert found["divergence"]["expected"] == "4'b0001"
    assert found["divergence"]["seen"] == "4'b0010"
    assert found["signals"][0].endswith(".q")
    assert {path.name for path in kept.iterdir()} == {"seen.vcd", "expected.vcd", "seen.gtkw", "seen.sucl"}
    assert clone.git("status", "--short") == ""
    assert main(["waves", str(kept / "seen.vcd"), str(kept / "expected.vcd")]) == 0
    text = capsys.readouterr().out
    assert "parts at" in text
    assert "expected" in text


def test_a_record_of_gtkwave_s_own_form_is_read(clone, capsys, tmp_path):
    (tmp_path / "t.v").write_text(
        'module t; reg [3:0] q = 1; initial begin $dumpfile("t.fst"); $dumpvars; #5 q = 9; #5 $finish; end endmodule\n'
    )
    subprocess.run(["iverilog", "-o", "t.vvp", "t.v"], cwd=tmp_path, check=True)
    subprocess.run(["vvp", "-n", "t.vvp", "-fst"], cwd=tmp_path, check=True, capture_output=True)
    assert Wave.read(tmp_path / "t.fst").named("q")[-1][1] == "1001"
    assert main(["waves", str(tmp_path / "t.fst")]) == 0
    assert "nothing to compare it with" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name records, or a testbench"),
        (["none.vcd"], "no such file"),
        (["a.txt"], "no signals that can be read"),
        (["a.txt", "a.txt", "a.txt"], "at most two"),
        (["a.txt", "--testbench", "tb.v"], "name records, or a testbench"),
    ],
)
def test_what_cannot_be_shown_is_said_so(clone, capsys, words, said):
    (clone.root / "a.txt").write_text("no waves")
    assert main(["waves", *words]) == 2
    assert said in capsys.readouterr().err
