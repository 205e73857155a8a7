"""FuseSoC's core files, held against fusesoc itself where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assistant.project.conftest import write
from veriloop.assistant.project.capi2 import Cores, Name, evaluate
from veriloop.assistant.project.tree import Tree


def core(name: str, file: str, virtual: str = "") -> str:
    """A core of one file."""
    provides = f"virtual: [{virtual}]\n" if virtual else ""
    files = f"filesets:\n  rtl: {{files: [{file}], file_type: verilogSource}}\n"
    return f"CAPI=2:\nname: {name}\n{provides}{files}targets:\n  default: {{filesets: [rtl]}}\n"


CORES = {
    "top.core": """CAPI=2:
name: acme:ip:top:1.2
filesets:
  rtl:
    files:
      - rtl/top.v
      - rtl/defs.vh: {is_include_file: true}
      - "tool_verilator? (lint/waive.vlt)": {file_type: vlt}
    file_type: verilogSource
    depend: [">=acme:ip:fifo:1.0", "acme:prim:clkgate", "!is_toplevel? (acme:ip:never)"]
  tb:
    files: [tb/tb.v]
    file_type: verilogSource
    depend: ["acme:vip:gone:1"]
targets:
  default: &default
    filesets: [rtl]
    toplevel: ["is_toplevel? (top)"]
    parameters: [W=8, "is_toplevel? (FAST)"]
  sim:
    <<: *default
    filesets_append: [tb]
    default_tool: icarus
    toplevel: tb
parameters:
  W: {datatype: int, paramtype: vlogparam}
  FAST: {datatype: bool, paramtype: vlogdefine, default: true}
""",
    "fifo/fifo1.core": core("acme:ip:fifo:1.1", "old.v"),
    "fifo/fifo2.core": core("acme:ip:fifo:1.10", "new.v"),
    "prim/generic.core": core("acme:prim_generic:clkgate", "gate.v", "acme:prim:clkgate"),
    "prim/asic.core": core("acme:prim_asic:clkgate", "asic.v", "acme:prim:clkgate"),
    "old.core": "CAPI=1\n[main]\nname = x\n",
    "broken.core": "CAPI=2:\nname: [\n",
}


def test_a_target_with_its_dependencies(tmp_path: Path) -> None:
    cores = Cores(Tree(write(tmp_path, CORES)))
    top = cores.find(Name.parse("acme:ip:top"))
    assert top is not None
    found = cores.resolve(top, "default")
    assert [path.as_posix() for path, _ in found.files] == [
        "fifo/new.v",
        "prim/gate.v",
        "rtl/top.v",
        "rtl/defs.vh",
    ]
    assert found.toplevels == ["top"]
    assert found.parameters == {"W": ("vlogparam", "8"), "FAST": ("vlogdefine", "True")}
    assert found.missing == []
    simulated = cores.resolve(top, "sim")
    assert [path.name for path, _ in simulated.files] == ["new.v", "gate.v", "top.v", "defs.vh", "tb.v"]
    assert simulated.toplevels == ["tb"]
    assert simulated.missing == ["acme:vip:gone:1"]
    assert cores.old == [Path("old.core")]


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        ("a b", {}, ["a", "b"]),
        ("x? (a) !x? (b)", {"x": True}, ["a"]),
        ("x? (a y? (b) c) d", {"x": True}, ["a", "c", "d"]),
        ("x ? (a)", {"x": True}, ["a"]),
        ("x? (a", {"x": True}, ["a"]),
        ("", {}, []),
    ],
)
def test_expressions(text: str, flags: dict[str, bool], expected: list[str]) -> None:
    assert evaluate(text, flags) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:b:c:1.0", ("a", "b", "c", "1.0", "")),
        (">=a:b:c:1.0", ("a", "b", "c", "1.0", ">=")),
        ("::serv:0", ("", "", "serv", "0", "")),
        ("uart16550-1.5", ("", "", "uart16550", "1.5", "")),
        ("wb_intercon", ("", "", "wb_intercon", "", "")),
    ],
)
def test_names(text: str, expected: tuple[str, ...]) -> None:
    name = Name.parse(text)
    assert (name.vendor, name.library, name.name, name.version, name.relation) == expected
