"""Which files a command reads, on the real file system with real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.verify import reach
from veriloop.assistant.verify.reach import files_read
from veriloop.assistant.verify.toolchain import Toolchain

TOP = '`include "defs.vh"\nmodule top; sub s(); initial $finish; endmodule\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A top that includes a header and uses a module behind a link, and a file that nothing uses."""
    root = tmp_path / "copy"
    for name, text in {
        "rtl/top.v": TOP,
        "rtl/defs.vh": "`define WIDTH 4\n",
        "real/sub.v": "module sub; wire [`WIDTH-1:0] w = 0; endmodule\n",
        "rtl/unused.v": "module unused; endmodule\n",
        "notes.txt": "no HDL\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "rtl/sub.v").symlink_to("../real/sub.v")
    return root


def read_by(tree: Path, command: str) -> set[str] | None:
    """The files that a shell command reads, as text."""
    done, paths = files_read(lambda: execute(["sh", "-c", command], cwd=tree, timeout_s=60, cancel=CancelToken()), tree)
    assert done.ok, done.output
    return None if paths is None else {str(path) for path in paths}


USED = {"rtl/top.v", "rtl/defs.vh", "real/sub.v"}


@pytest.mark.needs("iverilog")
def test_icarus_reads_sources_includes_and_links(tree):
    assert read_by(tree, "iverilog -g2012 -Irtl -s top -o sim rtl/top.v rtl/sub.v && vvp sim") == USED


@pytest.mark.needs("verilator")
def test_verilator_reads_sources_includes_and_links(tree, tmp_path):
    verilator = Toolchain.find(cache=tmp_path / "cache", cancel=CancelToken()).verilator
    command = f"VERILATOR_ROOT={verilator.root} {verilator.program} --lint-only --timing -Irtl rtl/top.v rtl/sub.v"
    assert read_by(tree, command) == USED


@pytest.mark.needs("iverilog", "make")
def test_a_makefile_in_a_folder_that_looks_a_module_up_in_a_library(tree):
    (tree / "sim").mkdir()
    (tree / "sim/Makefile").write_text(
        "test: sim.vvp\n\tvvp $<\nsim.vvp: ../rtl/top.v ../rtl/unused.v\n"
        "\tiverilog -y../rtl -I../rtl -o $@ ../rtl/top.v\n"
    )
    assert read_by(tree, "make -C sim") == USED


def test_a_second_run_is_told_from_the_first(tree):
    assert read_by(tree, "cat rtl/top.v") == {"rtl/top.v"}
    assert read_by(tree, "cat rtl/unused.v notes.txt") == {"rtl/unused.v"}
    assert read_by(tree, "ls -l rtl; stat rtl/top.v; test -r rtl/defs.vh") == set()


def test_files_of_another_suffix_on_request(tree):
    _, paths = files_read(lambda: (tree / "notes.txt").read_text(), tree, suffixes=(".txt",))
    assert paths == frozenset([Path("notes.txt")])


def test_what_the_command_writes_is_no_source(tree):
    (tree / "rtl/generated.v").write_text("module old; endmodule\n")
    command = "sed s/unused/generated/ rtl/unused.v > rtl/generated.v && cat rtl/generated.v && cat > rtl/new.v"
    assert read_by(tree, command) == {"rtl/unused.v"}


def test_a_file_outside_is_left_alone(tree, tmp_path):
    outside = tmp_path / "outside.v"
    outside.write_text("module outside; endmodule\n")
    before = outside.stat()
    (tree / "rtl/outside.v").symlink_to(outside)
    assert read_by(tree, "true") == set()
    after = outside.stat()
    assert (after.st_atime_ns, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_atime_ns,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert read_by(tree, "cat rtl/outside.v") == set()


def test_contents_and_times_of_change_stay(tree):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tree.rglob("*") if path.is_file()}
    read_by(tree, "cat rtl/top.v")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tree.rglob("*") if path.is_file()} == before


def test_no_access_times_means_that_nothing_is_known(tree, monkeypatch):
    # A mount without access times needs privileges, so only the answer of the control read is set here.
    monkeypatch.setattr(reach, "_keeps_access_times", lambda root: False)
    assert read_by(tree, "cat rtl/top.v") is None
