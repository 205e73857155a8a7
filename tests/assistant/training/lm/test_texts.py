from __future__ import annotations

import random

import pytest

from veriloop.assistant.training.lm.texts import fim_text

RTL = "module m(\n  input a,\n  output y\n);\n\n  assign y = ~a;\nendmodule\n"


@pytest.mark.parametrize("seed", range(40))
def test_a_gap_and_what_is_around_it_make_the_whole(seed):
    text = fim_text(RTL, random.Random(seed))
    suffix, prefix = text.prompt.removeprefix("<|fim_suffix|>").split("<|fim_middle|>")
    middle = text.answer.removesuffix("<|end|>")
    assert prefix + middle + suffix == RTL
    assert middle.strip()
