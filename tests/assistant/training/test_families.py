"""Every family, once: each of its variants does what its reference model says, in the canonical form and in styles."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.training.check import check_families, lint, texts
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.harness import unique
from veriloop.assistant.training.render import render
from veriloop.assistant.training.style import Style
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


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_as_verilog_is_verilog(kind, tmp_path):
    verilog = [
        rendered
        for family in families(kind)
        for variant in range(family.variants)
        for style in [replace(Style.draw(Random(f"{family.name} {variant}")), systemverilog=False)]
        if not (rendered := render(family.draft(1, variant), style)).style.systemverilog
    ]
    sources = []
    for number, text in enumerate(texts(verilog)):
        (tmp_path / f"{number}.v").write_text(unique(text, f"__{number}"))
        sources.append(f"{number}.v")
    tops = [word for number, one in enumerate(verilog) for word in ("-s", f"{one.top}__{number}")]
    done = subprocess.run(
        ["iverilog", "-g2001", "-o", "/dev/null", *tops, *sources], cwd=tmp_path, capture_output=True, text=True
    )
    assert not sources or done.returncode == 0, done.stderr


def test_a_seed_gives_the_same_design_again():
    for family in families():
        first, again = family.draft(5), family.draft(5)
        assert (first.rtl, first.about) == (again.rtl, again.about)
