"""Training data that other machines make, and answers that they judge, are those of this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.repair.prompt import line_answer
from veriloop.assistant.training.corpus import TASKS
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.produce import produce
from veriloop.assistant.training.reward import judged
from veriloop.assistant.training.row import read_rows

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.needs("iverilog")]


def made(out: Path, farm=None) -> dict[str, bytes]:
    work = produce(
        families("gray_counter,edge_detector"),
        2,
        out,
        tasks=TASKS,
        mutants=1,
        compositions=0,
        testbenches=False,
        jobs=1,
        cancel=CancelToken(),
        farm=farm,
    )
    finish(work, lambda event: None)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_rows_and_their_answers(farm, tmp_path):
    there, here = made(tmp_path / "there", farm), made(tmp_path / "here")
    assert len(there) == 3
    assert there == here
    rows = [row for row in read_rows(tmp_path / "here") if row.task == "repair"]
    asked = []
    for row in rows:
        edit = row.edits[0]
        asked.append((row, [line_answer(edit.line - 1, line) for line in (*edit.fixed, "  endmodule")]))
    worth = judged(asked, farm=farm, cancel=CancelToken())
    assert 1.0 in [one[0] for one in worth]
    assert worth == judged(asked, farm=None, cancel=CancelToken())
