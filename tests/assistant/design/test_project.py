"""What the design of a tree is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from veriloop.assistant.design.project import Found, Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.errors import UsageError

TREE = {
    "rtl/pkg/late_pkg.sv": "package late_pkg; import base_pkg::*; localparam X = base_pkg::Y; endpackage\n",
    "rtl/pkg/base_pkg.sv": "package base_pkg; localparam Y = 3; endpackage\n",
    "rtl/dut.sv": '`include "defs.vh"\nmodule dut import late_pkg::*; (input [`W-1:0] a, output y, bus_if bus);\n'
    "  leaf #(.P(X)) u(.a(a[0]), .y(y));\nendmodule\n",
    "rtl/leaf.v": "module leaf #(parameter P = 1) (input a, output y); assign y = a; endmodule\n",
    "rtl/bus.sv": "interface bus_if; logic q; endinterface\n",
    "include/defs.vh": "`define W 4\n",
    "old/leaf.v": "module leaf(input a, output y); assign y = ~a; endmodule\n",
    "tb/dut_tb.sv": "module dut_tb; bus_if b(); dut d(.a(4'd3), .y(), .bus(b)); clocks c(); endmodule\n",
    "tb/clocks.sv": "module clocks; endmodule\n",
    "build/dut.sv": "module dut; endmodule\n",
    ".hidden/dut.sv": "module dut; endmodule\n",
}


def project(root: Path, changes: Mapping[str, str] | None = None, settings: DesignSettings | None = None) -> Project:
    for name, text in (TREE | dict(changes or {})).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Project.load(root, settings)


def sources(found: Found) -> list[str]:
    return [path.as_posix() for path in found.design.sources]


def test_a_testbench_gets_what_it_needs(tmp_path: Path) -> None:
    found = project(tmp_path).testbench_design([Path("tb/dut_tb.sv")])
    assert found.design.toplevel == "dut_tb"
    assert found.design.include_dirs == (Path("include"),)
    assert sources(found)[:2] == ["rtl/pkg/base_pkg.sv", "rtl/pkg/late_pkg.sv"]
    assert sources(found)[-1] == "tb/dut_tb.sv"
    assert set(sources(found)[2:-1]) == {"rtl/bus.sv", "rtl/dut.sv", "rtl/leaf.v", "tb/clocks.sv"}
    assert found.notes == ("leaf is taken from rtl/leaf.v; it is also in old/leaf.v",)
    assert found.missing == ()


def test_the_design_itself(tmp_path: Path) -> None:
    found = project(tmp_path).design()
    assert found.design.toplevel == "dut"
    assert "old/leaf.v" not in sources(found)
    assert not any(name.startswith("tb/") for name in sources(found))


def test_given_files_come_before_found_ones(tmp_path: Path) -> None:
    found = project(tmp_path).testbench_design([Path("tb/dut_tb.sv")], [Path("old/leaf.v")])
    assert "old/leaf.v" in sources(found)
    assert "rtl/leaf.v" not in sources(found)
    assert {"rtl/dut.sv", "rtl/bus.sv", "rtl/pkg/base_pkg.sv", "tb/clocks.sv"} <= set(sources(found))
    assert found.missing == ()
    assert found.design.toplevel == "dut_tb"


@pytest.mark.parametrize(
    "text",
    [
        "modul x;;; `ifdef NEVER\nmodule leaf(input a, output y); assign y = a\n",
        "module leaf(input a, output y); assign y = a;\n",
        "module leaf(input a, output y); begin begin if (\n",
    ],
)
def test_a_given_file_that_does_not_parse_is_not_replaced(tmp_path: Path, text: str) -> None:
    broken = {"work/leaf.v": text}
    found = project(tmp_path, broken).testbench_design([Path("tb/dut_tb.sv")], [Path("work/leaf.v")])
    assert "rtl/leaf.v" not in sources(found)


def test_what_is_nowhere_is_named(tmp_path: Path) -> None:
    text = '`include "gone.vh"\nmodule t; nowhere n(); endmodule\n'
    found = project(tmp_path, {"t_tb.v": text}).testbench_design([Path("t_tb.v")])
    assert found.missing == ("nowhere", "gone.vh")


@pytest.mark.parametrize(
    ("files", "toplevel", "message", "hint"),
    [
        (["no.v"], "", "no such file: no.v", ""),
        (["two.v"], "", "two.v has several toplevels: one, two", "--top one"),
        (["two.v"], "three", "there is no module three", ""),
        (["empty.v"], "", "empty.v has no module", "--top MODULE"),
    ],
)
def test_usage_errors(tmp_path: Path, files: list[str], toplevel: str, message: str, hint: str) -> None:
    extra = {"two.v": "module one; endmodule\nmodule two; endmodule\n", "empty.v": "\n"}
    with pytest.raises(UsageError, match=message) as raised:
        project(tmp_path, extra).testbench_design([Path(name) for name in files], toplevel=toplevel)
    assert raised.value.hint == hint


def test_a_toplevel_that_is_named_is_taken(tmp_path: Path) -> None:
    extra = {"two.v": "module one; endmodule\nmodule two; endmodule\n"}
    found = project(tmp_path, extra).testbench_design([Path("two.v")], toplevel="two")
    assert found.design.toplevel == "two"


def test_settings_are_followed(tmp_path: Path) -> None:
    settings = DesignSettings(
        toplevel="leaf",
        sources=(Path("old/leaf.v"),),
        filelists=(Path("extra.f"),),
        defines=(("A", "2"),),
        parameters=(("P", "3"),),
    )
    extra = {"extra.f": "+define+A=1+B\n+incdir+include\ntb/clocks.sv\n"}
    design = project(tmp_path, extra, settings).design().design
    assert [path.as_posix() for path in design.sources] == ["old/leaf.v", "tb/clocks.sv"]
    assert design.toplevel == "leaf"
    assert dict(design.defines) == {"A": "2", "B": ""}
    assert design.parameters == (("P", "3"),)
    assert design.include_dirs == (Path("include"),)


def test_links_are_not_followed(tmp_path: Path) -> None:
    found = project(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert not any("loop" in path.parts for path in found.files)
    assert found.index.duplicates == {"leaf": (Path("old/leaf.v"), Path("rtl/leaf.v"))}


def test_an_empty_tree_has_no_design(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Verilog files"):
        Project.load(tmp_path).design()
    with pytest.raises(UsageError, match="is not a directory"):
        Project.load(tmp_path / "gone")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tb/fifo.v", True),
        ("rtl/fifo_tb.sv", True),
        ("tb_fifo.v", True),
        ("test_fifo.v", True),
        ("fifo_test.v", True),
        ("fifo_tb_t1.v", True),
        ("testbench.v", True),
        ("dv/env/agent.sv", True),
        ("rtl/fifo.v", False),
        ("rtl/attestation.v", False),
        ("rtl/latest.v", False),
        ("rtl/stb_ctrl.v", False),
    ],
)
def test_roles(path: str, expected: bool) -> None:
    assert is_test_path(Path(path)) is expected
