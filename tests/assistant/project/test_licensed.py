"""Which licensed simulator a command starts, by the files of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.project.licensed import licensed_simulator

MAKEFILE = """
SIM_TOOL ?= $(VCS_HOME)/bin/vcs
all: ; iverilog -o t rtl/a.v && vvp t
vcs: ; $(SIM_TOOL) -full64 rtl/a.v -o simv && ./simv
two: ; vlogan rtl/a.v && vcs top
both: all vcs
"""
COCOTB = """
SIM ?= xcelium
TOPLEVEL = a
MODULE = test_a
VERILOG_SOURCES = ../rtl/a.v
include $(shell cocotb-config --makefiles)/Makefile.sim
"""


@pytest.fixture
def root(tmp_path) -> Path:
    files = {
        "Makefile": MAKEFILE,
        "rtl/a.v": "module a; endmodule\n",
        "cocotb/Makefile": COCOTB,
        "run.sh": "cd sim\nvsim -c -do 'run -all' work.a\n",
        "sim/go": "",
        "test.py": "import cocotb\n",
        "run.py": "from vunit.verilog import VUnit\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return Path(tmp_path)


@pytest.mark.parametrize(
    ("command", "simulator"),
    [
        ("make vcs", "VCS"),
        ("make two TOOL=gcc", "VCS"),
        ("make both", "VCS"),
        ("make", ""),
        ("make -C cocotb", "Xcelium"),
        ("make -C cocotb SIM=riviera", "Riviera-PRO"),
        ("SIM=icarus make -C cocotb", ""),
        ("cd cocotb && make", "Xcelium"),
        ("sh run.sh", "Questa/ModelSim"),
        ("/opt/tools/bin/xrun -R rtl/a.v", "Xcelium"),
        ("ncsim work.a", "Incisive"),
        ("fusesoc run --target=sim --tool=modelsim a", "Questa/ModelSim"),
        ("iverilog rtl/a.v && ./a.out", ""),
        ("echo vcs; grep -q vcs Makefile", ""),
        ("python3 run.py --xunit-xml results.xml", "Questa/ModelSim"),
        ("python3 gone/run.py", ""),
        ("no-such-program", ""),
    ],
)
def test_the_simulator_is_named(root, command, simulator, monkeypatch):
    monkeypatch.delenv("SIM", raising=False)
    assert licensed_simulator(command, root, wanted=True) == simulator


def test_a_runner_in_python_follows_the_environment(root, monkeypatch):
    monkeypatch.setenv("SIM", "questa")
    assert licensed_simulator("pytest test.py", root, wanted=True) == "Questa/ModelSim"
    assert licensed_simulator("make", root, wanted=True) == ""


def test_riviera_is_told_by_where_it_lies(root, monkeypatch, tmp_path):
    vsim = tmp_path / "Riviera-PRO-2023.04/bin/vsim"
    vsim.parent.mkdir(parents=True)
    vsim.write_text("")
    vsim.chmod(0o755)
    monkeypatch.setenv("PATH", str(vsim.parent))
    assert licensed_simulator("sh run.sh", root, wanted=False) == "Riviera-PRO"
    assert licensed_simulator("make vcs", root, wanted=False) == "VCS"


def test_nothing_is_looked_for_where_no_such_simulator_is(root, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert licensed_simulator("make vcs", root, wanted=False) == ""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/vcs").write_text("")
    (tmp_path / "bin/vcs").chmod(0o755)
    monkeypatch.setenv("PATH", f"/nowhere:{tmp_path / 'bin'}")
    assert licensed_simulator("make vcs", root, wanted=False) == "VCS"
