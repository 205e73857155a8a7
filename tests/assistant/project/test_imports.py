"""Whole repositories, one of each build style."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.assistant.project.conftest import BENCH, COUNTER, DESIGN, Importing, only, write
from veriloop.assistant.errors import UsageError
from veriloop.assistant.project.imports import import_project
from veriloop.assistant.project.model import Imported, Test


def tops(found: Imported) -> list[str]:
    return [top.name for top in found.tops]


def sources(test: Test) -> set[str]:
    return {path.as_posix() for build in test.builds for path in build.sources}


def check_counter(found: Imported, command: str) -> Test:
    """The counter is found, and its test."""
    assert tops(found) == ["counter"]
    assert [path.as_posix() for path in found.tops[0].files] == ["rtl/counter.v"]
    assert [path.as_posix() for path in found.rtl] == ["rtl/counter.v"]
    test = only(found)
    assert test.command == command
    assert test.toplevel == "counter"
    assert test.modules == ("counter",)
    assert "rtl/counter.v" in sources(test)
    return test


def test_a_plain_makefile_with_icarus(importing: Importing) -> None:
    rules = "test: sim.vvp\n\tvvp $<\nsim.vvp: ../tb/counter_tb.v ../rtl/counter.v\n\tiverilog -o $@ $^\n"
    makefile = f"{rules}clean:\n\trm -f *.vvp\n"
    found = importing({**DESIGN, "sim/Makefile": makefile})
    test = check_counter(found, "make -C sim")
    assert (test.kind, test.verdict, test.simulator) == ("make", "log", "iverilog")
    assert str(test.origin) == "sim/Makefile:2"


def test_a_makefile_that_starts_another_one(importing: Importing) -> None:
    files = {
        "Makefile": "check:\n\t$(MAKE) -C sim run TOP=counter_tb\n",
        "sim/Makefile": "run:\n\tiverilog -s $(TOP) -o x ../tb/$(TOP).v ../rtl/counter.v\n\t./x\n",
    }
    found = importing({**DESIGN, **files})
    assert {test.command for test in found.tests} == {"make", "make -C sim"}
    assert found.tests[0].command == "make"
    assert found.tests[0].builds[0].toplevels == ("counter_tb",)


def test_cocotb_with_a_makefile(importing: Importing) -> None:
    makefile = (
        "VERILOG_SOURCES = $(PWD)/../rtl/counter.v\nTOPLEVEL = counter\nMODULE = test_counter\n"
        "include $(shell cocotb-config --makefiles)/Makefile.sim\n"
    )
    script = "import cocotb\nfrom cocotbext.axi import AxiBus\n"
    found = importing({"rtl/counter.v": COUNTER, "tests/Makefile": makefile, "tests/test_counter.py": script})
    test = check_counter(found, "make -C tests")
    assert (test.kind, test.verdict) == ("cocotb", "results.xml")
    hints = {need.name: need.hint for need in test.needs}
    assert hints["cocotb"] == "pip install cocotb"
    assert hints["cocotbext-axi"] == "pip install cocotbext-axi"


def test_cocotbs_own_runner(importing: Importing) -> None:
    script = (
        "from pathlib import Path\nfrom cocotb_tools.runner import get_runner\nimport cocotb\n"
        "@cocotb.test()\nasync def counts(dut): pass\n"
        "def test_counter_runner():\n    root = Path(__file__).resolve().parent.parent\n"
        "    runner = get_runner('icarus')\n"
        "    runner.build(sources=[root / 'rtl' / 'counter.v'], hdl_toplevel='counter', parameters={'W': 4})\n"
        "    runner.test(hdl_toplevel='counter', test_module='test_counter')\n"
    )
    found = importing({"rtl/counter.v": COUNTER, "tests/test_counter.py": script})
    test = check_counter(found, "python3 -m pytest tests/test_counter.py")
    assert test.builds[0].parameters == (("W", "4"),)


def test_cocotb_test_with_pytest_and_tox(importing: Importing) -> None:
    script = (
        "import os\nimport cocotb_test.simulator\nhere = os.path.dirname(__file__)\n"
        "def test_counter(request, width):\n    dut = os.getenv('DUT')\n"
        "    cocotb_test.simulator.run(verilog_sources=[os.path.join(here, '..', 'rtl', f'{dut}.v')], toplevel=dut,\n"
        "        module='test_counter', parameters={'W': width})\n"
    )
    tox = "[testenv]\nsetenv =\n    DUT = counter\ndeps =\n    cocotb == 1.7.2\n    cocotb-test\n"
    tox += "commands = pytest {posargs:-n auto}\n[pytest]\ntestpaths = tb\n"
    found = importing({"rtl/counter.v": COUNTER, "tb/test_counter.py": script, "tox.ini": tox})
    commands = {test.command: test for test in found.tests}
    assert set(commands) == {"python3 -m pytest tb/test_counter.py", "tox", "python3 -m pytest tb"}
    assert commands["python3 -m pytest tb/test_counter.py"].toplevel == "counter"
    assert tops(found) == ["counter"]
    assert [need.hint for need in commands["tox"].needs if need.name == "cocotb"] == ["pip install 'cocotb==1.7.2'"]


def test_fusesoc(importing: Importing) -> None:
    core = (
        "CAPI=2:\nname: acme:ip:counter:1\nfilesets:\n  rtl: {files: [rtl/counter.v], file_type: verilogSource}\n"
        "  tb: {files: [tb/counter_tb.v], file_type: verilogSource}\ntargets:\n"
        "  default: {filesets: [rtl], toplevel: counter}\n"
        "  sim: {filesets: [rtl, tb], toplevel: counter_tb, default_tool: icarus}\n"
        "  lint: {filesets: [rtl], toplevel: counter, default_tool: verilator, tools: {verilator: {mode: lint-only}}}\n"
    )
    found = importing({**DESIGN, "counter.core": core})
    test = check_counter(found, "fusesoc --cores-root=. run --target=sim acme:ip:counter:1")
    assert [(build.name, build.kind) for build in found.builds] == [
        ("counter:default", "files"),
        ("counter:sim", "simulation"),
        ("counter:lint", "lint"),
    ]
    assert "pip install fusesoc" in {need.hint for need in test.needs}


def test_bender_without_its_dependencies(importing: Importing) -> None:
    manifest = (
        "package: {name: counter}\ndependencies:\n  common_cells: {git: 'x', version: 1.0}\n  here: {path: ip/here}\n"
        "sources:\n  - include_dirs: [inc]\n    files: [rtl/counter.v]\n"
        "  - target: test\n    files: [tb/counter_tb.v]\n  - target: all(fpga, not(asic))\n    files: [rtl/gone.v]\n"
    )
    files = {
        **DESIGN,
        "Bender.yml": manifest,
        "inc/x.svh": "",
        "ip/here/Bender.yml": "sources: [a.sv]\n",
        "ip/here/a.sv": "module a; endmodule\n",
    }
    found = importing(files)
    builds = {build.name: [path.as_posix() for path in build.sources] for build in found.builds}
    assert builds == {
        "counter: design": ["ip/here/a.sv", "rtl/counter.v"],
        "counter: tests": ["ip/here/a.sv", "rtl/counter.v", "tb/counter_tb.v"],
    }
    assert [answer.value for answer in found.include_dirs] == ["inc"]
    assert {need.name: need.hint for need in found.needs if need.kind == "core"} == {"common_cells": "bender checkout"}


def test_a_verilator_bench_in_cpp(importing: Importing) -> None:
    makefile = (
        "VERILATOR ?= verilator\nall: test\nobj_dir/Vcounter.mk: ../rtl/counter.v\n"
        "\t$(VERILATOR) --cc --exe -Wall ../rtl/counter.v counter_tb.cpp\n"
        "obj_dir/Vcounter: obj_dir/Vcounter.mk\n\t$(MAKE) -C obj_dir -f Vcounter.mk\n"
        "test: obj_dir/Vcounter\n\t./obj_dir/Vcounter\n"
    )
    found = importing({"rtl/counter.v": COUNTER, "bench/Makefile": makefile, "bench/counter_tb.cpp": "int main() {}"})
    test = check_counter(found, "make -C bench")
    assert test.simulator == "verilator"


def test_vunit(importing: Importing) -> None:
    script = (
        "from pathlib import Path\nfrom vunit.verilog import VUnit\nvu = VUnit.from_argv()\n"
        "lib = vu.add_library('lib')\nlib.add_source_files(Path(__file__).parent / 'rtl' / '*.v')\n"
        "lib.add_source_files('tb/*.v')\nvu.main()\n"
    )
    test = check_counter(importing({**DESIGN, "run.py": script}), "python3 run.py --xunit-xml results.xml")
    assert test.verdict == "VUnit"
    assert "a licensed tool" in next(need.hint for need in test.needs if need.name == "vsim")


def test_file_lists_with_variables_of_somebody_elses_shell(importing: Importing) -> None:
    files = {
        **DESIGN,
        "config/all.f": "-f $CHIP_ROOT/config/rtl.f\n$CHIP_ROOT/tb/counter_tb.v\n",
        "config/rtl.f": "+incdir+$CHIP_ROOT/rtl\n+define+FAST\n${CHIP_ROOT}/rtl/counter.v\n",
    }
    found = importing(files)
    (build,) = found.builds
    assert [path.as_posix() for path in build.sources] == ["rtl/counter.v", "tb/counter_tb.v"]
    assert [answer.value for answer in found.defines] == ["FAST"]
    assert "$CHIP_ROOT is taken for the root: 3 of 4 paths are there" in found.questions
    test = only(found)
    assert test.kind == "derived"
    assert {"-DFAST", "-Irtl"} < set(test.command.split())


def test_editor_configurations(importing: Importing) -> None:
    files = {
        **DESIGN,
        "verible.filelist": "rtl/counter.v\n",
        ".slang/server.json": '{"flags": "-DA -Irtl rtl/counter.v", "builds": [{"command": "make print"}]}',
        "vide.toml": 'sources = ["rtl/*.v"]\ntop_modules = ["counter"]\n',
        "veridian.yml": "source_dirs: [rtl]\n",
        ".svls.toml": '[verilog]\ninclude_paths = ["rtl"]\ndefines = ["B=2"]\n',
    }
    found = importing(files)
    readers = {build.origin.reader for build in found.builds}
    assert {"verible", "slang", "vide", "veridian", "svls"} <= readers
    assert [(answer.value, answer.origins) for answer in found.defines] == [
        ("A", (".slang/server.json",)),
        ("B=2", (".svls.toml",)),
    ]
    assert any("--filelist-command 'make print'" in question for question in found.questions)


def test_workflows_name_tests_and_what_they_need(importing: Importing) -> None:
    workflow = (
        "on: push\njobs:\n  t:\n    runs-on: x\n    env: {SEED: 3}\n    steps:\n      - uses: actions/checkout@v4\n"
        "      - run: sudo apt-get install -y iverilog\n      - run: pip install cocotb==2.0 -r requirements.txt\n"
        "      - run: |\n          cd sim\n          make run\n      - run: make ${{ matrix.target }}\n"
    )
    makefile = "run:\n\tiverilog -o x ../tb/counter_tb.v ../rtl/counter.v && vvp x\n"
    found = importing({**DESIGN, ".github/workflows/ci.yml": workflow, "sim/Makefile": makefile})
    assert {test.command for test in found.tests} == {"make -C sim", "cd sim && make run"}
    assert "pip install 'cocotb==2.0'" in {need.hint for need in found.needs}


def test_scripts_for_shells_and_for_windows(importing: Importing) -> None:
    files = {
        **DESIGN,
        "sim/run.sh": "iverilog -o x ../tb/counter_tb.v ../rtl/counter.v\nvvp x\n",
        "sim/run.bat": "del x\niverilog -o x ..\\tb\\counter_tb.v ..\\rtl\\counter.v\nvvp -n x\npause\n",
        "sim/bad.bat": "iverilog x.v & format %1\n",
    }
    commands = {test.command for test in importing(files).tests}
    batch = "cd sim && iverilog -o x ../tb/counter_tb.v ../rtl/counter.v && vvp -n x"
    assert commands == {"cd sim && sh run.sh", batch}


def test_formal(importing: Importing) -> None:
    sby = "[options]\nmode prove\n[engines]\nsmtbmc\n[script]\nread -formal counter.v\nprep -top counter\n"
    sby += "[files]\n../rtl/counter.v\ngone.v\n"
    test = check_counter(importing({"rtl/counter.v": COUNTER, "formal/c.sby": sby}), "cd formal && sby -f c.sby")
    assert test.verdict == "sby"
    assert test.builds[0].absent == ("formal/gone.v",)


def test_generated_files_and_black_boxes(importing: Importing) -> None:
    chip = "module chip(input c); BUFG b(); mystery m(); made g(); protected_ip p(); endmodule\n"
    files = {
        "rtl/chip.v": chip,
        "rtl/made.v": "// Automatically generated by mkregs.py v2. DO NOT EDIT.\nmodule made; endmodule\n",
        "rtl/plain.v": "// the enable is generated by the host\nmodule plain(input a); endmodule\n",
        "rtl/ip.v": "`pragma protect begin_protected\nmodule protected_ip(input c); endmodule\n",
        ".gitmodules": '[submodule "x"]\n\tpath = deps/x\n\turl = u\n',
    }
    found = importing(files)
    assert [(str(one.path), one.generator) for one in found.generated] == [("rtl/made.v", "mkregs.py v2.")]
    boxes = {one.name: one.why for one in found.black_boxes}
    assert boxes["BUFG"] == "a primitive of AMD Xilinx"
    assert boxes["mystery"] == "perhaps in a submodule that is not checked out"
    assert boxes["protected_ip"] == "rtl/ip.v is encrypted"
    assert [(need.name, need.hint) for need in found.needs if need.kind == "submodule"] == [
        ("deps/x", "git submodule update --init deps/x")
    ]


def test_two_projects_in_one_tree(importing: Importing) -> None:
    makefile = "test:\n\tiverilog -o x tb/counter_tb.v rtl/counter.v && ./x.out\n"
    two = {f"{name}/{path}": text for name in ("one", "two") for path, text in DESIGN.items()}
    found = importing({**two, "one/Makefile": makefile, "two/Makefile": makefile})
    assert {test.command for test in found.tests} == {"make -C one", "make -C two"}
    for test in found.tests:
        folder = test.command.split()[-1]
        assert sources(test) == {f"{folder}/rtl/counter.v", f"{folder}/tb/counter_tb.v"}


def test_loops_of_links_other_encodings_and_line_ends(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"tb/counter_tb.v": BENCH, "sim/Makefile": "run:\r\n\tiverilog -o x ../tb/*.v ../rtl/*.v\r\n\tvvp x\r\n"},
    )
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl/counter.v").write_bytes(b"// Z\xe4hler \xb5s\r\n" + COUNTER.replace("\n", "\r\n").encode())
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.v").symlink_to("self.v")
    (tmp_path / "gone.v").symlink_to("nowhere.v")
    os.mkfifo(tmp_path / "pipe.v")
    found = import_project(tmp_path)
    assert check_counter(found, "make -C sim").simulator == "iverilog"


def test_an_empty_tree_and_none(tmp_path: Path) -> None:
    found = import_project(tmp_path)
    assert found.questions == ("there is no Verilog in this tree",)
    with pytest.raises(UsageError, match="not a directory"):
        import_project(tmp_path / "gone")


def test_a_testbench_that_nothing_runs_gets_a_command(importing: Importing, tmp_path: Path) -> None:
    lonely = BENCH.replace("counter_tb", "lonely_tb").replace("counter dut", "nowhere dut")
    found = importing({**DESIGN, "tb/lonely_tb.v": lonely})
    test = check_counter(found, only(found).command)
    assert test.kind == "derived"
    assert "derived from what it instantiates" in test.notes[0]
    assert "lonely_tb (tb/lonely_tb.v) is run by nothing here, and no file declares nowhere" in found.questions
    run = subprocess.run(["sh", "-c", test.command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "PASS" in run.stdout
    assert sorted(path.name for path in tmp_path.rglob("*.v*")) == ["counter.v", "counter_tb.v", "lonely_tb.v"]


def test_a_program_linked_from_what_verilator_wrote_is_run(importing: Importing) -> None:
    files = {
        "rtl/counter.v": COUNTER,
        "bench/Makefile": (
            "all: count\nobj_dir/Vcounter__ALL.a: ../rtl/counter.v\n\tverilator --cc ../rtl/counter.v\n"
            "\t$(MAKE) -C obj_dir -f Vcounter.mk\n"
            "count: main.o obj_dir/Vcounter__ALL.a\n\t$(CXX) $^ -o $@\n"
        ),
        "bench/main.cpp": "int main() {}",
        "Makefile": "all: test\nbench:\n\tcd bench; $(MAKE)\ntest: bench\n\tbench/count\n.PHONY: bench test\n",
    }
    test = check_counter(importing(files), "make")
    assert test.simulator == "verilator"


def test_the_whole_chip_of_a_list_that_brings_libraries_along_comes_first(importing: Importing) -> None:
    chip = "module chip; core a(); cache b(); endmodule\n"
    files = {f"rtl/{name}.v": f"module {name}(input clk); endmodule\n" for name in ("core", "cache", "spare")}
    outer = "module board(input clk); chip c(); endmodule\n"
    found = importing({**files, "rtl/chip.v": chip, "fpga/board.v": outer, "chip.f": "rtl/*.v\n"})
    assert found.tops[0].name == "chip"
    assert "needs most files of chip.f" in found.tops[0].why
