"""Command lines of simulators."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assistant.project.conftest import write
from veriloop.assistant.project.model import Build, Origin
from veriloop.assistant.project.tools import compilation, is_run
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.words import Shell

FILES = {
    "rtl/a.v": "",
    "rtl/b.sv": "",
    "tb/tb.v": "",
    "inc/x.vh": "",
    "lib/cell.v": "",
    "files.f": "rtl/a.v\n-f more.f\n",
    "more.f": "rtl/b.sv\n",
}


def built(root: Path, line: str, directory: str = ".") -> Build:
    tree = Tree(write(root, FILES))
    found = [
        one
        for command in Shell(tree, Path(directory)).line(line)
        if (one := compilation(command, tree, Origin(path=Path("Makefile"), reader="test"))) is not None
    ]
    assert len(found) == 1, line
    return found[0].build


@pytest.mark.parametrize(
    ("line", "sources", "toplevels"),
    [
        ("iverilog -g2012 -Wall -o sim.vvp -s tb -I inc tb/tb.v rtl/a.v", ["tb/tb.v", "rtl/a.v"], ["tb"]),
        ("iverilog -o sim -c files.f tb/tb.v", ["rtl/a.v", "rtl/b.sv", "tb/tb.v"], []),
        ("cd tb && iverilog -osim tb.v ../rtl/*.v", ["tb/tb.v", "rtl/a.v"], []),
        ("verilator --cc --exe --build -Wall -j 4 --top-module a rtl/a.v sim.cpp -CFLAGS -g", ["rtl/a.v"], ["a"]),
        ("verilator --lint-only -f files.f", ["rtl/a.v", "rtl/b.sv"], []),
        ("vlog -sv +incdir+inc rtl/a.v rtl/b.sv -work work", ["rtl/a.v", "rtl/b.sv"], []),
        ("vcs -full64 -sverilog -top tb -f files.f -o simv", ["rtl/a.v", "rtl/b.sv"], ["tb"]),
        ("xrun -64bit -top tb rtl/a.v", ["rtl/a.v"], ["tb"]),
        ("yosys -p 'read_verilog rtl/a.v; synth_ice40 -top a'", ["rtl/a.v"], ["a"]),
        ("sudo /opt/bin/iverilog-v12 rtl/a.v > log 2>&1", ["rtl/a.v"], []),
    ],
)
def test_sources_and_toplevels(tmp_path: Path, line: str, sources: list[str], toplevels: list[str]) -> None:
    build = built(tmp_path, line)
    assert [path.as_posix() for path in build.sources] == sources
    assert list(build.toplevels) == toplevels


def test_everything_else(tmp_path: Path) -> None:
    build = built(tmp_path, "iverilog -DA=1 -D B -P tb.W=8 -y lib -I inc -I gone rtl/a.v rtl/gone.v tb/*_x.v")
    assert build.defines == (("A", "1"), ("B", ""))
    assert build.parameters == (("W", "8"),)
    assert build.library_dirs == (Path("lib"),)
    assert build.include_dirs == (Path("inc"),)
    assert build.absent == ("rtl/gone.v", "tb/*_x.v")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("vvp -n sim.vvp", True),
        ("./obj_dir/Vtop +trace", True),
        ("./sim.vvp", True),
        ("vsim -c tb -do 'run -all'", True),
        ("./configure.sh", False),
        ("echo vvp", False),
    ],
)
def test_what_simulates(tmp_path: Path, line: str, expected: bool) -> None:
    (command,) = Shell(Tree(tmp_path), Path()).line(line)
    assert is_run(command) is expected


def test_scripts_keep_their_variables_and_directories(tmp_path: Path) -> None:
    tree = Tree(write(tmp_path, FILES))
    script = (
        'ROOT=$(cd "$(dirname "$0")/.." && pwd)\nTOP="tb"\nrun() {\n  cd "$ROOT/rtl"\n  iverilog a.v\n}\n'
        'iverilog -s $TOP \\\n  ${ROOT}/tb/tb.v ${MISSING:-$ROOT/rtl/a.v}\nif [ "a" ]; then echo "unbalanced\nfi\n'
    )
    commands = [one for one in Shell(tree, Path("tb")).script(script) if one.program == "iverilog"]
    assert [(one.words, one.directory, one.line) for one in commands] == [
        (("iverilog", "a.v"), Path("rtl"), 5),
        (("iverilog", "-s", "tb", f"{tmp_path}/tb/tb.v", f"{tmp_path}/rtl/a.v"), Path("tb"), 7),
    ]


def test_quotes_over_lines_here_documents_and_functions_are_no_commands(tmp_path: Path) -> None:
    script = (
        "say() {\n  echo $1\n}\n# don't\nawk 'NR > 1 {\n  i++\n  print i\n}' log\n"
        "cat > top.v <<EOF\nmodule top; endmodule\nEOF\nsay done\niverilog -o a.out \\\n  top.v\n"
    )
    commands = list(Shell(Tree(tmp_path), Path()).script(script))
    assert [command.program for command in commands if command.program != "echo"] == ["awk", "cat", "iverilog"]
    assert commands[-1].line == 13
    unclosed = list(Shell(Tree(tmp_path), Path()).script("echo 'open\nmake\n"))
    assert [command.program for command in unclosed] == ["make"]
