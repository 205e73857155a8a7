"""Checks `veriloop project` on public repositories of different build styles, as people have them: not configured.

    python dev/check_projects.py CLONES [--run] [--only NAME]

CLONES holds a clone of each repository of the table, named as the repository is, at the commit of the table. A row is
right if the toplevels are among the first that are shown, if the files that belong to the design are told apart from
those that test it, and if the expected command is among the tests. With `--run` the command has to run in a copy of the
tree and come to a verdict, unless what it lacks on this machine was named.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.project.imports import import_project
from veriloop.assistant.project.model import Imported, Test
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import CommandTest

_SHOWN_TOPS = 8


@dataclass(frozen=True, slots=True)
class Expected:
    """A repository, and what a person who reads it says of it."""

    name: str
    commit: str
    style: str
    tops: tuple[str, ...]
    design: tuple[str, ...]
    """Files of the design."""
    tests: tuple[str, ...]
    """Files that test it."""
    command: str
    """A test as a regular expression."""


TABLE = (
    Expected(
        "cocotb/cocotb",
        "f51dcc2",
        "cocotb, Makefiles",
        ("matrix_multiplier", "adder", "dff"),
        ("examples/adder/hdl/adder.sv", "examples/matrix_multiplier/hdl/matrix_multiplier.sv"),
        ("tests/designs/sample_module/sample_module.sv",),
        r"make -C examples/simple_dff",
    ),
    Expected(
        "alexforencich/verilog-axis",
        "48ff7a7",
        "cocotb-test, pytest and tox",
        ("axis_ram_switch", "axis_async_fifo_adapter", "axis_switch"),
        ("rtl/axis_fifo.v", "rtl/arbiter.v"),
        ("tb/test_axis_fifo.v",),
        r"python3 -m pytest tb/axis_fifo/test_axis_fifo.py",
    ),
    Expected(
        "alexforencich/verilog-i2c",
        "e7a2681",
        "MyHDL co-simulation",
        ("i2c_master_axil", "i2c_master_wbs_8", "i2c_init"),
        ("rtl/i2c_master.v", "rtl/axis_fifo.v"),
        ("tb/test_i2c_master.v",),
        r"cd tb && python3 test_i2c_master.py",
    ),
    Expected(
        "aignacio/ravenoc",
        "ffc4683",
        "cocotb-test, Verilator and tox",
        ("ravenoc_wrapper", "ravenoc"),
        ("src/router/router_ravenoc.sv",),
        (),
        r"python3 -m pytest tb/test_ravenoc_basic.py",
    ),
    Expected(
        "olofk/serv",
        "1d747e1",
        "FuseSoC",
        ("servant", "serv_rf_top", "serving"),
        ("rtl/serv_alu.v", "servant/servant.v"),
        ("bench/servant_tb.v",),
        r"fusesoc --cores-root=\. run --target=verilator_tb \S*:servant:\S+",
    ),
    Expected(
        "darklife/darkriscv",
        "4aa4379",
        "Icarus Makefile below another",
        ("darksocv",),
        ("rtl/darkriscv.v", "rtl/darkuart.v"),
        ("sim/darksimv.v",),
        r"make -C sim",
    ),
    Expected(
        "secworks/sha256",
        "664e0e3",
        "plain Icarus Makefile",
        ("sha256", "sha256_axi4"),
        ("src/rtl/sha256_core.v", "src/rtl/sha256_k_constants.v"),
        ("src/tb/tb_sha256_core.v",),
        r"make -C toolruns sim-core",
    ),
    Expected(
        "YosysHQ/picorv32",
        "87c89ac",
        "plain Icarus Makefile, firmware",
        ("picorv32_wb",),
        ("picorv32.v", "picosoc/picosoc.v"),
        ("testbench_ez.v",),
        r"make test_ez",
    ),
    Expected(
        "ben-marshall/uart",
        "5fd2db8",
        "plain Icarus Makefile",
        ("impl_top", "uart_rx", "uart_tx"),
        ("rtl/uart_rx.v",),
        ("test/tb_rx.v",),
        r"make rx",
    ),
    Expected(
        "ZipCPU/wbuart32",
        "f43a6b8",
        "Verilator with a bench in C++",
        ("wbuart", "axiluart"),
        ("rtl/wbuart.v", "rtl/ufifo.v"),
        ("bench/verilog/linetest.v",),
        r"make(?: test)?",
    ),
    Expected(
        "ultraembedded/biriscv",
        "6af9c4b",
        "Icarus and Verilator Makefiles, SystemC",
        ("riscv_top", "riscv_tcm_top"),
        ("src/core/biriscv_alu.v", "src/dcache/dcache.v"),
        ("tb/tb_core_icarus/tb_top.v",),
        r"make -C tb/tb_core_icarus",
    ),
    Expected(
        "VUnit/vunit",
        "edddc0f",
        "VUnit",
        ("uart_rx", "uart_tx"),
        ("examples/verilog/uart/src/uart_rx.sv",),
        ("examples/verilog/uart/src/test/tb_uart_rx.sv",),
        r"python3 examples/verilog/uart/run.py --xunit-xml \S+",
    ),
    Expected(
        "pulp-platform/common_cells",
        "62a689b",
        "Bender, with a vendor's script",
        ("cc_serial_deglitch",),
        ("src/cc_fifo.sv", "src/deprecated/fifo_v3.sv"),
        ("test/cc_popcount_tb.sv",),
        r".* --top-module cc_popcount_tb .*",
    ),
    Expected(
        "pulp-platform/axi",
        "e55ae2a",
        "Bender and FuseSoC",
        ("axi_xbar_intf", "axi_xp_intf"),
        ("src/axi_demux.sv",),
        ("test/tb_axi_xbar.sv",),
        r"fusesoc --cores-root=\. run --target=sim_xbar \S+",
    ),
    Expected(
        "bespoke-silicon-group/basejump_stl",
        "b778890",
        "Makefiles in every folder, VCS and Verilator",
        ("bsg_wormhole_router",),
        ("bsg_misc/bsg_counter_up_down.sv",),
        ("testing/bsg_misc/bsg_hash_bank/tb.sv",),
        r"make -C testing/bsg_misc/bsg_hash_bank",
    ),
    Expected(
        "openhwgroup/cva6",
        "702ef1c",
        "nested file lists with variables",
        ("cva6",),
        ("core/cva6.sv", "core/alu.sv"),
        ("corev_apu/tb/ariane_testharness.sv",),
        r"make sim-verilator",
    ),
    Expected(
        "WangXuan95/FPGA-SDcard-Reader",
        "71d6b36",
        "batch file for Windows",
        ("sd_file_reader",),
        ("RTL/sd_reader.v",),
        ("SIM/tb_sd_file_reader.v",),
        r"cd SIM && iverilog .* && vvp -n sim\.out",
    ),
    Expected(
        "hdl-util/hdmi",
        "fbade3d",
        "hdlmake manifests, no open flow",
        ("hdmi",),
        ("src/hdmi.sv", "src/packet_assembler.sv"),
        ("test/spd_tb/spd_tb.sv",),
        r".* --top-module spd_tb .*",
    ),
)


def main() -> int:
    """Checks: 0 if all rows are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path)
    parser.add_argument("--run", action="store_true", help="run the expected command, too")
    parser.add_argument("--only", default="", help="the repository whose name has this in it")
    parser.add_argument("--timeout", type=float, default=300.0, metavar="S")
    arguments = parser.parse_args()
    rows = [row for row in TABLE if arguments.only in row.name]
    right = 0
    for row in rows:
        root = arguments.clones / row.name.partition("/")[2]
        said = check(row, root, run=arguments.run, timeout_s=arguments.timeout)
        wrong = [text for text in said if text.startswith("WRONG")]
        right += not wrong
        print(f"{'wrong' if wrong else 'right'}  {row.name} {row.commit} ({row.style}): {'; '.join(said)}", flush=True)
    print(f"{right} of {len(rows)} right")
    return 0 if right == len(rows) else 1


def check(row: Expected, root: Path, *, run: bool, timeout_s: float) -> list[str]:
    """What is to be said of a row; what is wrong begins with WRONG."""
    if not root.is_dir():
        return ["WRONG: there is no clone"]
    head = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    said = [] if head.stdout.startswith(row.commit) else [f"at {head.stdout[:7]}, not at {row.commit}"]
    found = import_project(root)
    said += [*_tops(row, found), *_files(row, found)]
    test = next((one for one in found.tests if re.fullmatch(row.command, one.command)), None)
    if test is None:
        return [*said, f"WRONG: no test {row.command}; {'; '.join(found.questions) or 'and nothing is asked'}"]
    missing = [need.name for need in test.needs if not need.present]
    said.append(f"`{test.command[:100]}`")
    if missing:
        return [*said, f"not run, it says that it lacks {', '.join(missing)}"]
    return [*said, _ran(root, test, timeout_s)] if run else said


def _tops(row: Expected, found: Imported) -> list[str]:
    first = [top.name for top in found.tops[: max(_SHOWN_TOPS, len(row.tops))]]
    lost = [name for name in row.tops if name not in first]
    return [f"WRONG: toplevel {', '.join(lost)} is not among {', '.join(first)}"] if lost else ["toplevels"]


def _files(row: Expected, found: Imported) -> list[str]:
    design = {path.as_posix() for path in found.rtl}
    tests = {path.as_posix() for path in found.bench_files}
    lost = [*(name for name in row.design if name not in design), *(name for name in row.tests if name not in tests)]
    return [f"WRONG: {', '.join(lost)} is taken for something else"] if lost else [f"{len(design)} files"]


def _ran(root: Path, test: Test, timeout_s: float) -> str:
    """Runs a test in a copy of the tree."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, root.name)
        subprocess.run(["cp", "-r", str(root), str(copy)], check=True)
        command = CommandTest(name=test.name, command=test.command, timeout_s=timeout_s)
        scratch = Path(place, "scratch")
        scratch.mkdir()
        result = run_command(command, root=copy, scratch=scratch, isolation=Isolation(), cancel=CancelToken())
    if result.outcome in (Outcome.PASS, Outcome.FAIL) and result.reason != NO_SUMMARY:
        return f"ran in {result.wall_s:.0f} s: {result.outcome} {result.reason}".strip()
    last = [line for line in result.log_tail.splitlines() if line.strip()][-3:]
    return f"WRONG: {result.outcome} {result.reason} {' / '.join(last)}"


if __name__ == "__main__":
    sys.exit(main())
