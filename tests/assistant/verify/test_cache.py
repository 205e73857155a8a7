"""Verdicts by content: what makes a key differ, and what is never kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.verify.cache import VerdictCache, verdict_key
from veriloop.assistant.verify.results import Mismatch, Outcome, SimResult
from veriloop.assistant.verify.testbench import CommandTest, TraceTestbench, VerilogTestbench

TOOLS = (("verilator", "5"),)
BENCH = VerilogTestbench(
    name="t", design=Design(toplevel="tb", sources=(Path("rtl/a.v"), Path("tb.v")), include_dirs=(Path("inc"),))
)
RESULT = SimResult(
    outcome=Outcome.FAIL,
    engine="verilator",
    start="zeros",
    checks=3,
    failures=1,
    failing=("q",),
    mismatches=(Mismatch(signal="q", time="10 ns", expected="1", got="x"),),
    diagnostics=(
        Diagnostic(path="a.v", line=1, column=2, severity="warning", code="W", message="m", tool="verilator"),
    ),
    reason="Mismatches: 1 in 3",
    wall_s=0.25,
)


@pytest.fixture
def root(tmp_path):
    for path in ("rtl/a.v", "tb.v", "inc/defs.vh", "docs/readme.md"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def key(root: Path, bench=BENCH, tree="tree", tools=TOOLS) -> str | None:
    return verdict_key(bench, root=root, tree=tree, tools=tools)


def test_a_verdict_comes_back_as_it_was(tmp_path):
    cache = VerdictCache(tmp_path)
    cache.put("ab" * 32, [RESULT, replace(RESULT, outcome=Outcome.PASS)])
    assert cache.get("ab" * 32) == (RESULT, replace(RESULT, outcome=Outcome.PASS))
    assert cache.get("cd" * 32) is None
    assert (tmp_path / "README").is_file()


def test_timeouts_are_not_kept(tmp_path):
    cache = VerdictCache(tmp_path)
    cache.put("ab" * 32, [RESULT, replace(RESULT, outcome=Outcome.TIMEOUT)])
    cache.put("ef" * 32, [])
    assert cache.get("ab" * 32) is None
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("damage", [lambda old: b"", lambda old: old[:-9], lambda old: old.replace(b"fail", b"pass")])
def test_damage_is_a_miss(tmp_path, damage):
    cache = VerdictCache(tmp_path)
    cache.put("ab" * 32, [RESULT])
    [stored] = tmp_path.rglob("*.json")
    stored.write_bytes(damage(stored.read_bytes()))
    assert cache.get("ab" * 32) is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").touch()
    cache = VerdictCache(tmp_path / "file")
    cache.put("ab" * 32, [RESULT])
    assert cache.get("ab" * 32) is None


def test_the_key_is_the_content_that_a_run_reads(root, tmp_path_factory):
    first = key(root)
    (root / "docs/readme.md").write_text("new")
    assert key(root, tree="another") == first == key(root, tree="")
    (root / "inc/defs.vh").write_text("new")
    assert key(root) != first


@pytest.mark.parametrize("change", ["tools", "timeout", "source", "new header"])
def test_what_changes_the_key(root, change):
    first = key(root)
    if change == "source":
        (root / "rtl/a.v").write_text("new")
    if change == "new header":
        (root / "rtl/new.vh").write_text("new")
    bench = replace(BENCH, timeout_s=1.0) if change == "timeout" else BENCH
    assert key(root, bench, tools=(("verilator", "6"),) if change == "tools" else TOOLS) != first


@pytest.mark.parametrize("text", ['$readmemh("x.hex", m);', 'import "DPI-C" function int f();', '`include "../x.vh"'])
def test_a_run_that_reads_other_files_is_keyed_by_the_whole_tree(root, text):
    (root / "tb.v").write_text(text)
    assert key(root, tree="one") != key(root, tree="two")
    assert key(root, tree="") is None


def test_a_command_is_keyed_by_the_whole_tree_and_the_path(root, monkeypatch):
    test = CommandTest(name="t", command="make")
    first = key(root, test, "one")
    assert key(root, test, "two") != first
    assert key(root, test, "") is None
    monkeypatch.setenv("PATH", "/elsewhere")
    assert key(root, test, "one") != first


def test_an_oracle_counts(root):
    (root / "oracle.txt").write_text("1")
    bench = TraceTestbench(name="t", design=BENCH.design, oracle=Path("oracle.txt"), output="out.txt")
    first = key(root, bench)
    (root / "oracle.txt").write_text("2")
    assert key(root, bench) != first
