"""Recorded tables and VCD files against oracles."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.oracle import Comparison, compare
from veriloop.assistant.verify.results import Mismatch

ORACLE = """\
time,count[1],count[0],full
5,x,x,x
15,0,0,0
25,0,1,0
35,1,x,1
"""


def compared(tmp_path: Path, oracle: str, output: str | None, suffix: str = ".txt") -> Comparison:
    expected, got = tmp_path / f"oracle{suffix}", tmp_path / f"output{suffix}"
    expected.write_text(oracle)
    got.unlink(missing_ok=True)
    if output is not None:
        got.write_text(output)
    return compare(expected, got)


@pytest.mark.parametrize(
    ("output", "failures", "failing", "passing"),
    [
        pytest.param(ORACLE.replace("x", "1"), 0, (), ("count", "full"), id="x in the oracle matches anything"),
        pytest.param(ORACLE, 0, (), ("count", "full"), id="x matches x"),
        pytest.param(ORACLE.replace("35,1,x,1", "35,1,0,x"), 1, ("full",), ("count",), id="x is no 1"),
        pytest.param(ORACLE.replace("25,0,1,0", "25,1,0,0"), 2, ("count",), ("full",), id="both bits of a vector"),
        pytest.param(ORACLE.replace("35,1,x,1\n", ""), 2, ("count", "full"), (), id="a missing row fails"),
        pytest.param(ORACLE.replace("35,1,x,1\n", "35,1"), 1, ("full",), ("count",), id="a row that was cut off"),
        pytest.param(ORACLE + "45,1,1,1\n", 0, (), ("count", "full"), id="further rows do not count"),
        pytest.param(
            "time,full,more,count[1],count[0]\n15,0,9,0,0\n25,0,9,0,1\n35,1,9,1,0\n",
            0,
            (),
            ("count", "full"),
            id="columns are found by name",
        ),
        pytest.param(
            "time,count[1],count[0]\n15,0,0\n25,0,1\n35,1,0\n", 3, ("full",), ("count",), id="a column is missing"
        ),
        pytest.param(ORACLE.replace("\n", "\r\n").replace(",", " , "), 0, (), ("count", "full"), id="blanks and CRLF"),
        pytest.param("", 8, ("count", "full"), (), id="an empty file"),
        pytest.param("no table\n", 8, ("count", "full"), (), id="something else"),
        pytest.param(None, 8, ("count", "full"), (), id="no file"),
    ],
)
def test_tables(tmp_path, output, failures, failing, passing):
    found = compared(tmp_path, ORACLE, output)
    assert (found.checks, found.failures, found.failing, found.passing) == (8, failures, failing, passing)


def test_the_first_mismatch_of_a_signal_is_named(tmp_path):
    found = compared(tmp_path, ORACLE, ORACLE.replace("25,0,1,0", "25,1,0,0"))
    assert found.mismatches == (Mismatch(signal="count", time="25", expected="0", got="1"),)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("0101", "101", True),
        ("101", "0101", True),
        ("0", "0000", True),
        ("1x0z", "1100", True),
        ("10", "1x", False),
        ("1", "", False),
        ("0", "", False),
        ("0", "x", False),
        ("0x1", "1", True),
        ("1X", "1z", True),
        ("11", "011", True),
        ("11", "111", False),
    ],
)
def test_values(tmp_path, expected, got, same):
    found = compared(tmp_path, f"time,q\n1,{expected}\n", f"time,q\n1,{got}\n")
    assert found.failures == (0 if same else 1)


@pytest.mark.parametrize("oracle", ["", "q,r\n1,2\n", "time\n1\n"])
def test_an_oracle_that_is_no_table_is_refused(tmp_path, oracle):
    with pytest.raises(UsageError, match=r"oracle\.txt is no table"):
        compared(tmp_path, oracle, ORACLE)


def test_an_oracle_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such oracle"):
        compare(tmp_path / "missing.txt", tmp_path / "output.txt")


def test_an_oracle_of_unknowns_checks_nothing(tmp_path):
    assert compared(tmp_path, "time,q\n1,x\n", "time,q\n1,1\n").checks == 0


def test_a_row_that_is_written_twice_counts_as_last_written(tmp_path):
    assert compared(tmp_path, "time,q\n1,1\n", "time,q\n1,0\n1,1\n").failures == 0


DUT = """\
`timescale 1ns/1ps
module dut(input clk, input rst, output reg [3:0] q, output odd);
  assign odd = q[0];
  always @(posedge clk) if (rst) q <= 0; else q <= q + STEP;
endmodule
module tb;
  reg clk = 0, rst = 1;
  wire [3:0] q;
  wire odd;
  dut dut(.clk(clk), .rst(rst), .q(q), .odd(odd));
  always #5 clk = ~clk;
  initial begin
    $dumpfile("FILE");
    $dumpvars(0, tb);
    #22 rst = 0;
    #100 $finish;
  end
endmodule
"""


@pytest.fixture
def record(root, scratch, write, tools):
    """Writes a VCD of the counter with Icarus."""

    def record(name: str, step: str = "1") -> Path:
        source = write(f"{name}.v", DUT.replace("FILE", f"{name}.vcd").replace("STEP", step))
        binary, cancel = scratch / name, CancelToken()
        assert tools.icarus.build(Design(toplevel="tb", sources=(source,)), binary, cwd=root, cancel=cancel) is None
        assert tools.icarus.simulate(binary, cwd=root, timeout_s=20, plusargs=(), cancel=cancel).ok
        return Path(root, f"{name}.vcd")

    return record


@pytest.mark.needs("iverilog")
def test_a_vcd_against_itself_and_against_another(record):
    golden, same, other = record("golden"), record("same"), record("other", "2")
    found = compare(golden, same)
    assert found.failures == 0
    assert found.checks > 30
    found = compare(golden, other)
    assert set(found.failing) == {"q", "odd"}
    assert {"clk", "rst"} <= set(found.passing)
    assert found.mismatches[0].time == "25000"


@pytest.mark.needs("iverilog")
def test_a_vcd_that_was_cut_or_is_missing_fails_what_it_lacks(record, root):
    golden, cut = record("golden"), record("cut")
    whole = cut.read_text()
    cut.write_text(whole[: whole.index("#65000")])
    found = compare(golden, cut)
    assert 0 < found.failures < found.checks
    cut.unlink()
    found = compare(golden, cut)
    assert found.failures == found.checks > 0
    cut.write_text("nothing of the kind")
    assert compare(golden, cut).failures == found.checks


def vcd(changes: str, timescale: str = "1ns") -> str:
    head = f"$timescale {timescale} $end $scope module tb $end $var wire 2 ! q [1:0] $end $upscope $end"
    return f"{head} $enddefinitions $end\n{changes}\n"


EXPECTED = "#0\nbx !\n#10\nb01 !\n#30\nb10 !\n#40\nb0 !"


@pytest.mark.parametrize(
    ("output", "failures"),
    [
        (vcd(EXPECTED), 0),
        (vcd(EXPECTED.replace("bx", "b11")), 0),
        (vcd(EXPECTED.replace("0\nb", "0000\nb"), "1ps").replace("#0000", "#0"), 0),
        (vcd(EXPECTED.replace("b10", "b11")), 1),
        (vcd(EXPECTED.replace("#30", "#20\nb11 !\n#30")), 1),
        (vcd(EXPECTED + "\n#50\nb11 !"), 0),
        (vcd(EXPECTED.replace("#10", "#12")), 1),
        (vcd("#0\nb01 !\n#10"), 3),
        (vcd(EXPECTED)[:-4], 1),
        (vcd(EXPECTED).replace(" q ", " p "), 3),
        (
            vcd(EXPECTED)
            .replace("$scope", "$scope module TOP $end $scope", 1)
            .replace("$upscope", "$upscope $end $upscope"),
            0,
        ),
        (
            vcd(EXPECTED)
            .replace("module tb", "module dut")
            .replace("$scope", "$scope module tb $end $scope", 1)
            .replace("$upscope", "$upscope $end $upscope"),
            3,
        ),
    ],
)
def test_a_vcd_holds_its_values_until_they_change(tmp_path, output, failures):
    assert compared(tmp_path, vcd(EXPECTED), output, suffix=".vcd").failures == failures


def test_an_oracle_that_is_no_vcd_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"oracle\.vcd"):
        compared(tmp_path, "nothing of the kind", None, suffix=".vcd")


@pytest.mark.parametrize("change", ["b0q !", "b01 \\", "b", "s01 !", "r1.5 !", "#99999999999999999999999", "$end"])
def test_a_broken_change_in_a_vcd_fails_and_breaks_nothing(tmp_path, change):
    assert compared(tmp_path, vcd(EXPECTED), vcd(EXPECTED.replace("b01 !", change)), suffix=".vcd").failures > 0


@given(st.integers(0, 200), st.binary(min_size=1, max_size=40))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_in_a_vcd_is_a_value(tmp_path, at, garbage):
    whole = vcd(EXPECTED).encode()
    (tmp_path / "oracle.vcd").write_bytes(whole)
    (tmp_path / "output.vcd").write_bytes(whole[:at] + garbage + whole[at:])
    assert compare(tmp_path / "oracle.vcd", tmp_path / "output.vcd").checks >= 3


def test_an_oracle_that_breaks_the_reader_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no VCD file that can be read"):
        compared(tmp_path, vcd(EXPECTED.replace("b01 !", "b0q !")), None, suffix=".vcd")
