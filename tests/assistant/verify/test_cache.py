"""Verdicts by content: what makes a key differ, and what is never kept."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.verify.cache import Difference, VerdictCache
from veriloop.assistant.verify.results import Mismatch, Outcome, SimResult
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.verdict_key import VerdictKey, verdict_key

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


AB, CD, EF = (
    VerdictKey({"testbench name": "t", "file a.v": name, "tool verilator": "5"}) for name in ("ab", "cd", "ef")
)


@pytest.fixture
def root(tmp_path):
    for path in ("rtl/a.v", "tb.v", "inc/defs.vh", "docs/readme.md"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def key(root: Path, bench=BENCH, tree="tree", tools=TOOLS) -> VerdictKey | None:
    return verdict_key(bench, root=root, tree=tree, tools=tools)


def test_a_verdict_comes_back_as_it_was(tmp_path):
    cache = VerdictCache(tmp_path)
    cache.put(AB, [RESULT, replace(RESULT, outcome=Outcome.PASS)])
    assert cache.get(AB) == (RESULT, replace(RESULT, outcome=Outcome.PASS))
    assert cache.get(CD) is None
    assert (tmp_path / "README").is_file()


def test_timeouts_are_not_kept(tmp_path):
    cache = VerdictCache(tmp_path)
    cache.put(AB, [RESULT, replace(RESULT, outcome=Outcome.TIMEOUT)])
    cache.put(EF, [])
    assert cache.get(AB) is None
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("damage", [lambda old: b"", lambda old: old[:-9], lambda old: old.replace(b"fail", b"pass")])
def test_damage_is_a_miss(tmp_path, damage):
    cache = VerdictCache(tmp_path)
    cache.put(AB, [RESULT])
    [stored] = tmp_path.rglob("*.json")
    stored.write_bytes(damage(stored.read_bytes()))
    assert cache.get(AB) is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").touch()
    cache = VerdictCache(tmp_path / "file")
    cache.put(AB, [RESULT])
    assert cache.get(AB) is None


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


def test_cocotb_is_keyed_by_packages_and_environment_and_a_verilog_testbench_is_not(root, monkeypatch, tmp_path):
    cocotb = CocotbTestbench(name="t", design=BENCH.design, module="test_t")
    first, plain = key(root, cocotb), key(root)
    newer = (*TOOLS, ("cocotb", "2.2"))
    assert key(root, cocotb, tools=newer) != first
    assert key(root, tools=newer) == plain
    monkeypatch.setenv("SIM_SPEED", "high")
    other = key(root, cocotb)
    assert other != first
    (tmp_path / "site" / "somebus-1.2.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert key(root, cocotb) != other
    assert key(root) == plain
    # What changes from terminal to terminal is no reason to run again.
    before = key(root, cocotb)
    monkeypatch.setenv("COLUMNS", "40")
    assert key(root, cocotb) == before


def test_no_secret_of_the_environment_is_kept(root, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", "hush-hush")
    cache = VerdictCache(tmp_path / "cache")
    found = key(root, CommandTest(name="t", command="make"))
    assert found is not None
    cache.put(found, [RESULT])
    [stored] = (tmp_path / "cache").rglob("*.json")
    assert "MY_TOKEN" in stored.read_text()
    assert "hush-hush" not in stored.read_text()


def test_what_was_used_longest_ago_goes_first(tmp_path):
    keys = [VerdictKey({"testbench name": "t", "file a.v": str(number)}) for number in range(400)]
    cache = VerdictCache(tmp_path, limit_bytes=100_000)
    for number, one in enumerate(keys):
        cache.put(one, [RESULT])
        for stored in tmp_path.rglob("*.json"):
            # Files are written within one tick of the clock: time is made to pass.
            os.utime(stored, ns=(stored.stat().st_atime_ns - 10**9,) * 2)
        assert cache.get(keys[0]) is not None, number
    assert 50_000 < cache.size().size_bytes <= 100_000
    assert cache.get(keys[-1]) is not None
    assert cache.get(keys[1]) is None


def test_processes_that_share_a_small_cache_never_read_half_a_verdict(tmp_path):
    """Each writes and reads the same few verdicts while the others push them out."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.assistant.verify.test_cache import RESULT, VerdictCache, VerdictKey\n"
        "cache = VerdictCache(Path(sys.argv[1]), limit_bytes=60_000); hits = 0\n"
        "for number in range(400):\n"
        "    key = VerdictKey({'testbench name': 't', 'file a.v': str(number * 7 % 101)})\n"
        "    found = cache.get(key)\n"
        "    assert found in (None, (RESULT,))\n"
        "    hits += found is not None\n"
        "    cache.put(key, [RESULT])\n"
        "print(hits)\n"
    )
    top = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{top / 'dev'}{os.pathsep}{top}"}
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sum(map(int, outputs)) > 0
    assert 0 < VerdictCache(tmp_path / "cache").size().size_bytes <= 70_000
    assert not list((tmp_path / "cache").rglob(".new-*"))


def test_why_a_verdict_is_not_known(tmp_path):
    cache = VerdictCache(tmp_path)
    assert cache.why_miss(AB) is None
    cache.put(AB, [RESULT])
    cache.put(VerdictKey({"testbench name": "t", "tool verilator": "4", "testbench plusargs": "[]"}), [RESULT])
    assert cache.why_miss(CD) == (Difference("file a.v", "ab", "cd"),)
    assert cache.why_miss(VerdictKey({**AB.parts, "package x-1": ""})) == (Difference("package x-1", "", "present"),)
    assert cache.why_miss(VerdictKey({**AB.parts, "testbench name": "u"})) is None
    assert cache.why_miss(AB) == ()


def test_a_cache_is_counted_and_cleared(tmp_path):
    cache = VerdictCache(tmp_path)
    cache.put(AB, [RESULT])
    cache.put(CD, [RESULT])
    assert cache.size().verdicts == 2
    assert cache.clear().verdicts == 2
    assert (cache.size().verdicts, cache.size().size_bytes) == (0, 0)
    assert cache.get(AB) is None


def test_what_a_dead_process_left_is_removed(tmp_path):
    cache = VerdictCache(tmp_path)
    cache.put(AB, [RESULT])
    [stored] = tmp_path.rglob("*.json")
    left = stored.parent / ".new-x"
    left.write_text("half")
    os.utime(left, (1, 1))
    cache.size()
    assert not left.exists()
