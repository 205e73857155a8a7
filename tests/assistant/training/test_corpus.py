"""Rows: simulated, the same again, and nothing of a held-out family among those to train on."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from veriloop.assistant.errors import Cancelled, UsageError
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.training import compose
from veriloop.assistant.training.check import texts
from veriloop.assistant.training.corpus import TASKS, design, generate
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.harness import Text, simulate
from veriloop.assistant.training.produce import Produced, produce
from veriloop.assistant.training.row import Row, read_rows
from veriloop.assistant.training.slips import draw
from veriloop.assistant.training.style import Style
from veriloop.assistant.training.testbench import REPORTS, write_testbench
from veriloop.assistant.verify.summary import read_summary

SOME = "sync_fifo,vending_machine,priority_encoder"

pytestmark = pytest.mark.needs("iverilog")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(generate(families(SOME), range(6)))


def test_rows_are_of_both_tasks_and_survive_json(rows):
    assert {row.task for row in rows} == set(TASKS)
    assert [Row.from_json(row.to_json()) for row in rows] == rows
    assert len({row.digest for row in rows}) == len(rows)


def test_the_same_seeds_give_the_same_rows(rows):
    assert list(generate(families(SOME), range(6))) == rows
    assert list(generate(families("sync_fifo"), [4])) == [
        row for row in rows if (row.family, row.seed) == ("sync_fifo", 4)
    ]


def test_the_edits_lead_from_the_broken_text_to_the_right_one(rows):
    for row in rows:
        if row.task == "repair":
            lines = row.buggy.split("\n")
            for edit in reversed(row.edits):
                at = slice(edit.line - 1, edit.line - 1 + len(edit.buggy))
                assert tuple(lines[at]) == edit.buggy
                lines[at] = edit.fixed
            assert "\n".join(lines) == row.rtl


def test_a_broken_copy_fails_as_its_row_says(rows):
    for row in [row for row in rows if row.task == "repair"][:12]:
        (family,) = families(row.family)
        one = design(family, row.seed)
        (right,) = texts([one.rendered])
        wrong = Text(text=row.buggy, top=right.top, modules=right.modules, pins=right.pins, reset_low=right.reset_low)
        ((good, bad),) = simulate([(one.trace, [right, wrong])], cancel=CancelToken())
        assert good.passed
        assert row.failure is not None
        names = {pin.canonical: pin.name for pin in one.rendered.pins}
        first = bad.differences[0]
        assert (names[first.output], first.cycle, first.seen) == (
            row.failure.signal,
            row.failure.cycle,
            row.failure.seen,
        )
        assert row.failure.signal in row.failure.failing
        assert not set(row.failure.failing) & set(row.failure.passing)


def test_what_is_held_out_is_marked():
    for family in families():
        for seed in range(4):
            one = design(family, seed)
            expected = "family" if family.held_out else "style" if one.rendered.style.held_out else "train"
            assert one.split == expected


def test_some_styles_are_held_out_and_most_are_not():
    held = [Style.draw(random.Random(seed)).held_out for seed in range(500)]
    assert 0.02 < sum(held) / len(held) < 0.2


def test_slips_differ_from_the_text_and_from_each_other():
    for family in families():
        text = design(family, 1).rendered.text
        broken = [slip.apply(text) for slip in draw(text, random.Random(family.name), count=10)]
        assert len({text, *broken}) == len(broken) + 1
        assert len(broken) >= 3


def test_compositions_do_what_their_parts_do():
    designs = list(compose.compositions(families(SOME + ",modulo_counter,fibonacci_lfsr,flag_alu"), range(16)))
    assert len(designs) >= 5
    seen = simulate([(one.trace, texts([one.rendered])) for one in designs], cancel=CancelToken())
    assert [one.rendered.text for one, (shown,) in zip(designs, seen, strict=True) if not shown.passed] == []
    assert all(len(one.rendered.modules) >= 3 for one in designs)


@pytest.mark.parametrize("report", REPORTS)
def test_a_testbench_passes_the_right_text_and_fails_the_broken_one(report, rows, tmp_path):
    for number, row in enumerate([row for row in rows if row.task == "repair"][:6]):
        (family,) = families(row.family)
        one = design(family, row.seed)
        bench = write_testbench(one.rendered, one.trace, seed=number, report=report)
        assert verdict(bench, row.rtl, tmp_path) is True
        assert verdict(bench, row.buggy, tmp_path) is False


def verdict(bench: str, rtl: str, folder: Path) -> bool | None:
    (folder / "tb.sv").write_text(bench)
    (folder / "dut.sv").write_text(rtl)
    subprocess.run(["iverilog", "-g2012", "-o", "run", "tb.sv", "dut.sv"], cwd=folder, check=True)
    log = subprocess.run(["vvp", "-n", "run"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return read_summary(log, self_checking="$error" in bench).passed


def make(out: Path, *, seeds: int = 20, jobs: int = 1, cancel: CancelToken | None = None) -> Produced:
    return finish(
        produce(
            families(SOME),
            seeds,
            out,
            tasks=TASKS,
            mutants=2,
            compositions=4,
            testbenches=False,
            jobs=jobs,
            cancel=cancel or CancelToken(),
        )
    )


def test_a_run_goes_on_with_the_files_that_are_missing(tmp_path):
    whole = make(tmp_path / "whole")
    rows = list(read_rows(tmp_path / "whole"))
    assert (whole.files, whole.new_files) == (7, 7)
    assert len(rows) == whole.rows
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    for path in sorted((tmp_path / "cut").glob("*.jsonl"))[2:4]:
        path.unlink()
    assert make(tmp_path / "cut", jobs=2).new_files == 2
    assert list(read_rows(tmp_path / "cut")) == rows


def test_rows_of_another_version_are_not_mixed(tmp_path):
    make(tmp_path, seeds=1)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "generator": "other"}))
    with pytest.raises(UsageError, match="another version"):
        make(tmp_path, seeds=1)


def test_a_directory_without_rows_and_a_line_that_is_no_row_are_errors(tmp_path):
    with pytest.raises(UsageError, match="holds no rows"):
        list(read_rows(tmp_path))
    (tmp_path / "a.jsonl").write_text('{"family": "x"}\n')
    with pytest.raises(UsageError, match=r"a\.jsonl:1: no row"):
        list(read_rows(tmp_path))


def test_a_cancelled_run_leaves_only_whole_files(tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        make(tmp_path, cancel=cancel)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_an_interrupted_command_ends_with_its_workers(tmp_path):
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "veriloop.assistant.cli.main", "train", "data", "--out", str(tmp_path / "rows")]
    process = subprocess.Popen(
        [*command, "--seeds", "2000", "--jobs", "2", "--families", SOME],
        env={**os.environ, "PYTHONPATH": str(root / "dev")},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "rows").glob("*.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(2)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    before = len(list((tmp_path / "rows").glob("*.jsonl")))
    time.sleep(1)
    assert len(list((tmp_path / "rows").glob("*.jsonl"))) == before
