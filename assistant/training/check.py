"""Whether families are what they say: every variant, in several styles, does what its reference model does."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.training.draft import Draft, Family, Machine
from veriloop.assistant.training.harness import Text, simulate
from veriloop.assistant.training.render import Rendered, render
from veriloop.assistant.training.style import CANONICAL, Style
from veriloop.assistant.training.trace import Cycle, make_trace
from veriloop.assistant.verify.verilator import Verilator

_STYLES = 3
_AT_ONCE = 24
_ALLOWED = re.compile(
    r"WIDTH|UNUSED|DECLFILENAME|PINMISSING|PINCONNECTEMPTY|UNDRIVEN|GENUNNAMED|VARHIDDEN|ALWCOMBORDER"
)
"""Warnings about widths, what is unused and vectors that are driven bit by bit, which good code has too, and those
about the empty frame around it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a design of a family."""

    family: str
    seed: int
    variant: int
    message: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.family} seed {self.seed} variant {self.variant}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    family: Family
    seed: int
    variant: int
    draft: Draft
    trace: tuple[Cycle, ...]
    rendered: tuple[Rendered, ...]


def check_families(
    families: Sequence[Family], seeds: Sequence[int], *, cancel: CancelToken, styles: int = _STYLES
) -> Iterator[tuple[int, tuple[Problem, ...]]]:
    """Simulates every variant of every family for each seed; yields how many designs were checked, and what is wrong.

    Raises:
        ToolNotFound: Icarus Verilog is not installed.
    """
    cases: list[_Case] = []
    for family in families:
        for seed in seeds:
            problems: list[Problem] = []
            for variant in range(family.variants):
                cancel.check()
                prepared = _prepare(family, seed, variant, styles)
                if isinstance(prepared, Problem):
                    problems.append(prepared)
                else:
                    cases.append(prepared)
            if problems:
                yield len(problems), tuple(problems)
        if len(cases) >= _AT_ONCE:
            yield len(cases), _simulated(cases, cancel)
            cases = []
    if cases:
        yield len(cases), _simulated(cases, cancel)


def lint(families: Sequence[Family], seed: int, verilator: Verilator, *, cancel: CancelToken) -> tuple[Problem, ...]:
    """Verilator's complaints about the canonical texts of all variants, in one run."""
    owners: dict[str, tuple[Family, int]] = {}
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="veriloop-lint-") as name:
        folder = Path(name)
        top = ["module every;"]
        sources = []
        for number, (family, variant) in enumerate((one, way) for one in families for way in range(one.variants)):
            prepared = _prepare(family, seed, variant, 0)
            if isinstance(prepared, Problem):
                problems.append(prepared)
                continue
            rendered = prepared.rendered[0]
            text = rendered.text
            for module in rendered.modules:
                text = re.sub(rf"\b{module}\b", f"{module}__{number}", text)
            path = folder / f"text_{number}.sv"
            path.write_text(text)
            sources.append(path)
            owners[path.name] = family, variant
            top.append(f"{rendered.top}__{number} dut_{number} ();")
        (folder / "every.sv").write_text("\n".join([*top, "endmodule", ""]))
        design = Design(toplevel="every", sources=(folder / "every.sv", *sources))
        found = verilator.lint(design, cwd=folder, cancel=cancel)
    for one in found:
        if Path(one.path).name in owners and not _ALLOWED.match(one.code):
            message = f"Verilator, line {one.line}: {one.code} {one.message}"
            problems.append(Problem(*_owner(owners, one.path, seed), message))
    return tuple(problems)


def _owner(owners: dict[str, tuple[Family, int]], path: str, seed: int) -> tuple[str, int, int]:
    family, variant = owners[Path(path).name]
    return family.name, seed, variant


def _prepare(family: Family, seed: int, variant: int, styles: int) -> _Case | Problem:
    try:
        draft = family.draft(seed, variant)
        drawn = [Style.draw(Random(f"check {family.name} {seed} {variant} {one}")) for one in range(styles)]
        rendered = tuple(render(draft, style, seed=seed) for style in (CANONICAL, *drawn))
        trace = make_trace(draft, rendered[0].pins, seed=seed)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, StopIteration) as error:
        # The family's own code is wrong: that is what a check is there to say, and the others go on.
        return Problem(family.name, seed, variant, f"{type(error).__name__}: {error}")
    if isinstance(draft.model, Machine) != any(pin.clock for pin in rendered[0].pins):
        return Problem(family.name, seed, variant, "a Machine needs a clock, and a function must have none")
    return _Case(family=family, seed=seed, variant=variant, draft=draft, trace=trace, rendered=rendered)


def texts(rendered: Sequence[Rendered]) -> list[Text]:
    """The texts to simulate."""
    return [
        Text(text=one.text, top=one.top, modules=one.modules, pins=one.pins, reset_low=one.style.reset_low)
        for one in rendered
    ]


def _simulated(cases: Sequence[_Case], cancel: CancelToken) -> tuple[Problem, ...]:
    seen = simulate([(case.trace, texts(case.rendered)) for case in cases], cancel=cancel)
    problems = []
    for case, shown in zip(cases, seen, strict=True):
        for rendered, one in zip(case.rendered, shown, strict=True):
            if one.passed:
                continue
            style = "canonical" if rendered.style == CANONICAL else f"style {rendered.style.to_json()}"
            if not one.compiled:
                message = f"does not compile: {one.message}"
            elif not one.ended:
                message = "does not end"
            else:
                first = one.differences[0]
                message = (
                    f"{one.failures} of {one.cycles} cycles differ; first {first.output} in cycle {first.cycle}:"
                    f" the model says {first.expected}, the text {first.seen}"
                )
            problems.append(Problem(case.family.name, case.seed, case.variant, f"{message} ({style})", rendered.text))
            break
    return tuple(problems)
