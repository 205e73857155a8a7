"""Every family, once: each of its variants does what its reference model says, in the canonical form and in styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.training.check import check_families, lint
from veriloop.assistant.training.draft import families
from veriloop.assistant.verify.verilator import Verilator

KINDS = sorted({family.kind for family in families()})


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("kind", KINDS)
def test_every_design_does_what_its_reference_model_does(kind):
    results = list(check_families(families(kind), [0], cancel=CancelToken()))
    assert [str(problem) for _, found in results for problem in found] == []
    assert sum(count for count, _ in results) == sum(family.variants for family in families(kind))


@pytest.mark.needs("verilator")
@pytest.mark.parametrize("kind", KINDS)
def test_every_canonical_text_is_clean(kind):
    verilator = Verilator.find(configured=None, compiler=None, cache=Path(), cancel=CancelToken())
    assert [str(problem) for problem in lint(families(kind), 0, verilator, cancel=CancelToken())] == []


def test_a_seed_gives_the_same_design_again():
    for family in families():
        first, again = family.draft(5), family.draft(5)
        assert (first.rtl, first.about) == (again.rtl, again.about)
