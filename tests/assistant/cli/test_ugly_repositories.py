"""Repositories as they are found: half checked out, with loops, dirty, shallow, bare, in odd encodings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.assistant.cli.test_repair_reported import BENCH, COUNTER, MAKEFILE, OTHER, REPORT
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("git", "iverilog", "make")

FILES = {"rtl/counter.v": COUNTER, "rtl/other.v": OTHER, "tb/counter_tb.v": BENCH, "Makefile": MAKEFILE}


def git(root: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=a@b", "-c", "protocol.file.allow=always", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


def commit(root: Path, files: dict[str, str], encoding: str = "utf-8") -> Path:
    root.mkdir(exist_ok=True)
    if not (root / ".git").exists():
        git(root, "init", "-q")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode(encoding))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "a commit")
    return root


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "issue.md"
    path.write_text(REPORT)
    return str(path)


def said(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code = main(["-C", str(root), *words, "--json"])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    data: dict[str, Any] = json.loads(shown.out.splitlines()[-1])
    return data


def first_place(root: Path, capsys: pytest.CaptureFixture[str], report: str, *words: str) -> tuple[str, int]:
    place = said(root, capsys, "locate", "--report", report, "--test", "make test", *words)["places"][0]
    return place["path"], place["first_line"]


def test_submodules_that_are_not_checked_out(tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]) -> None:
    library = commit(tmp_path / "library", {"cell.v": "module cell_1(input a); endmodule\n"})
    root = commit(tmp_path / "tree", {**FILES, "rtl/chip.v": "module chip(input a); cell_1 c(a); endmodule\n"})
    git(root, "submodule", "add", "-q", str(library), "lib")
    git(root, "commit", "-qm", "add the library")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(root), str(clone))
    found = said(clone, capsys, "project")
    needs = {need["name"]: need["hint"] for need in found["needs"] if need["kind"] == "submodule"}
    assert needs == {"lib": "git submodule update --init lib"}
    boxes = {box["name"]: box["why"] for box in found["black_boxes"]}
    assert "submodule" in boxes["cell_1"]
    assert first_place(clone, capsys, report) == ("rtl/counter.v", 2)


def test_loops_of_links_and_links_out_of_the_tree(
    tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = commit(tmp_path / "tree", FILES)
    (root / "rtl/loop").symlink_to("..")
    (root / "again.v").symlink_to("again.v")
    (root / "outside.v").symlink_to("/etc/passwd")
    commit(root, {})
    found = said(root, capsys, "project")
    assert sorted(found["rtl"]) == ["rtl/counter.v", "rtl/other.v"]
    assert first_place(root, capsys, report) == ("rtl/counter.v", 2)


def test_generated_files_that_are_absent_are_named(
    tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]
) -> None:
    makefile = MAKEFILE + "chip: build/chip.v\n\tiverilog -o chip.vvp build/chip.v rtl/other.v\n\tvvp chip.vvp\n"
    root = commit(tmp_path / "tree", {**FILES, "Makefile": makefile})
    tests = {test["command"]: test for test in said(root, capsys, "project")["tests"]}
    missing = [need["name"] for need in tests["make chip"]["needs"] if not need["present"]]
    assert missing == ["build/chip.v"]
    assert all(need["present"] for need in tests["make"]["needs"])
    code = main(["-C", str(root), "locate", "--report", report, "--test", "make chip"])
    assert code in (0, 3)
    assert "Traceback" not in capsys.readouterr().err


def test_a_test_that_writes_into_the_tree_writes_into_a_copy(
    tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]
) -> None:
    makefile = MAKEFILE.replace("test:\n", "test:\n\techo '// run' >> rtl/other.v\n\techo log > run.log\n")
    root = commit(tmp_path / "tree", {**FILES, "Makefile": makefile})
    assert first_place(root, capsys, report) == ("rtl/counter.v", 2)
    assert git(root, "status", "--porcelain", "--ignored", "rtl", "run.log") == ""
    assert (root / "rtl/other.v").read_text() == OTHER


def test_a_dirty_tree_is_looked_at_as_it_lies_there(
    tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = commit(tmp_path / "tree", FILES)
    (root / "rtl/counter.v").write_text("// an edit\n// and another\n" + COUNTER)
    (root / "untracked.v").write_text("module untracked(input a); endmodule\n")
    before = git(root, "status", "--porcelain")
    assert first_place(root, capsys, report) == ("rtl/counter.v", 4)
    assert git(root, "status", "--porcelain") == before


def test_a_shallow_clone(tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = commit(tmp_path / "tree", FILES)
    old = git(root, "rev-parse", "HEAD").strip()
    commit(root, {"rtl/other.v": OTHER + "// later\n"})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", str(clone))
    assert first_place(clone, capsys, report) == ("rtl/counter.v", 2)
    words = ["-C", str(clone), "locate", "--report", report, "--test", "make test", "--since", old]
    assert main(words) == 2
    assert old[:7] in capsys.readouterr().err


def test_a_bare_clone_has_no_work_tree(tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = commit(tmp_path / "tree", FILES)
    git(tmp_path, "clone", "-q", "--bare", str(root), str(tmp_path / "bare.git"))
    before = sorted(path.name for path in (tmp_path / "bare.git").iterdir())
    assert main(["-C", str(tmp_path / "bare.git"), "repair", "--report", report, "--test", "make test"]) == 2
    assert "bare" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "bare.git").iterdir()) == before


def test_two_projects_in_one_repository(tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]) -> None:
    second = {name: text.replace("counter", "timer") for name, text in FILES.items()}
    files = {f"one/{name}": text for name, text in FILES.items()}
    files |= {f"two/{name.replace('counter', 'timer')}": text for name, text in second.items()}
    root = commit(tmp_path / "tree", files)
    found = said(root, capsys, "project")
    assert {test["command"]: test["toplevel"] for test in found["tests"]} == {
        "make -C one": "counter",
        "make -C two": "timer",
    }
    place = said(root, capsys, "locate", "--report", report, "--test", "make -C one")["places"][0]
    assert place["path"] == "one/rtl/counter.v"


def test_other_line_ends_and_encodings_stay_as_they_are(
    tmp_path: Path, report: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written = ("// Zähler für Übung\n" + COUNTER).replace("\n", "\r\n")
    root = commit(tmp_path / "tree", {**FILES, "rtl/counter.v": written}, encoding="latin-1")
    words = ["repair", "--report", report, "--test", "make test", "--no-model", "--budget", "120", "--apply"]
    assert said(root, capsys, *words)["status"] == "repaired"
    now = (root / "rtl/counter.v").read_bytes()
    assert now.startswith("// Zähler für Übung\r\n".encode("latin-1"))
    assert now.count(b"\r\n") == now.count(b"\n") == written.count("\n")
    pairs = zip(now.split(b"\r\n"), written.encode("latin-1").split(b"\r\n"), strict=True)
    assert sum(one != two for one, two in pairs) == 1
