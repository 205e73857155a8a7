from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.assistant.training.lm.test_sft import rows
from veriloop.assistant.training.lm.texts import fim_text, repair_text

RTL = "module m(\n  input a, // in\n  output y\n);\n\n  assign y = ~a;\nendmodule\n"


@pytest.mark.parametrize("seed", range(40))
def test_a_gap_and_what_is_around_it_make_the_whole(seed):
    text = fim_text(RTL, random.Random(seed))
    suffix, prefix = text.prompt.removeprefix("<|fim_suffix|>").split("<|fim_middle|>")
    middle = text.answer.removesuffix("<|end|>")
    whole = prefix + middle + suffix
    assert whole in (RTL, RTL.replace(" // in", "")), "a remark behind the line is not asked for"
    assert middle.strip()
    assert "\n" in middle or not middle.endswith("// in")
    assert not (prefix[-1:].isalnum() and middle[0].isalnum()), "words stay whole"


def test_a_text_without_long_lines_has_gaps_too():
    text = fim_text("a\n\n", random.Random(1))
    assert text.answer == "a<|end|>"


def test_an_answer_names_the_line_that_is_wrong_in_the_part_that_is_shown():
    row = next(row for row in rows() if row.task == "repair")
    before = 30 * "  // nothing\n"
    row = replace(row, buggy=before + row.buggy, edits=tuple(replace(one, line=one.line + 30) for one in row.edits))
    shown = set()
    for seed in range(60):
        text = repair_text(row, random.Random(seed))
        assert text is not None
        number, fixed = text.answer.removeprefix("<|").removesuffix("<|end|>").split("|>")
        lines = text.prompt.split("<|module|>\n")[1].split("\n")
        assert (lines[int(number)], fixed) == (f"<|{number}|>  assign y = a;", "  assign y = ~a;")
        shown.add(len(lines) - 1)
    assert max(shown) == 36
    assert len(shown) > 3
