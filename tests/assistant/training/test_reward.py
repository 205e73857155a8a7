"""The worth of an answer is what the simulator says of the text that it makes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.prompt import insertion_answer, line_answer
from veriloop.assistant.training.corpus import generate
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.reward import answered, rewards
from veriloop.assistant.training.row import Row


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (line_answer(1, "B"), "a\nB\nc"),
        (line_answer(1, ""), "a\nc"),
        (insertion_answer(2, "x"), "a\nb\nx\nc"),
        (line_answer(1, "b"), None),
        (line_answer(9, "B"), None),
        ("B<|end|>", None),
        (line_answer(1, "B").removesuffix("<|end|>"), None),
        (line_answer(1, "B") + "more", None),
    ],
)
def test_the_text_that_an_answer_makes(answer, text):
    assert answered("a\nb\nc", answer) == text


@pytest.fixture(scope="module")
def row() -> Row:
    rows = generate(families("sync_fifo"), range(3))
    return next(one for one in rows if len(one.edits) == 1 and len(one.edits[0].buggy) == len(one.edits[0].fixed) == 1)


@pytest.mark.needs("iverilog")
def test_what_answers_are_worth(row):
    (edit,) = row.edits
    right = line_answer(edit.line - 1, edit.fixed[0])
    broken = line_answer(edit.line - 1, "  this is no Verilog;")
    ((first, second, third, fourth),) = rewards(
        [(row, [right, broken, "nothing", line_answer(0, row.buggy.split("\n")[0] + " ")])], cancel=CancelToken()
    )
    assert first == 1.0
    assert (second, third) == (0.0, 0.0)
    assert fourth < 0.5


@pytest.mark.needs("iverilog")
def test_rows_of_another_version_are_refused(row):
    with pytest.raises(UsageError, match="another version"):
        rewards([(replace(row, rtl=row.rtl + "\n"), ["x"])], cancel=CancelToken())
