from __future__ import annotations

import random

import pytest

from veriloop.assistant.training.lm.texts import fim_text

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
