"""Rows of training data, from families and seeds; the same ones for the same code and arguments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from veriloop.assistant.events import CancelToken
from veriloop.assistant.training.check import texts
from veriloop.assistant.training.draft import Draft, Family
from veriloop.assistant.training.harness import Seen, Text, simulate
from veriloop.assistant.training.render import Rendered, render
from veriloop.assistant.training.row import Failure, LineEdit, Note, Row, Spec, Split, Task, distinct
from veriloop.assistant.training.slips import Slip, draw
from veriloop.assistant.training.style import CANONICAL, Style
from veriloop.assistant.training.testbench import write_testbench
from veriloop.assistant.training.trace import Cycle, make_trace

TASKS: tuple[Task, ...] = ("module", "repair")

_DESIGNS_AT_ONCE = 6
_SLIPS = 10
"""Slips drawn for a design; those that do not compile or change nothing that shows are left out."""
_CANONICAL = 0.08
"""How often a design keeps the canonical form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A styled design with what judges it."""

    family: str
    kind: str
    seed: int
    variant: int
    split: Split
    draft: Draft
    rendered: Rendered
    trace: tuple[Cycle, ...]


def generate(
    families: Iterable[Family],
    seeds: Iterable[int],
    tasks: Collection[Task] = TASKS,
    *,
    mutants: int = 5,
    cancel: CancelToken | None = None,
) -> Iterator[Row]:
    """The rows of families for seeds: every text simulated, none twice.

    Args:
        families: whose designs.
        seeds: each gives one design a family.
        tasks: `module` for the designs, `repair` for broken copies.
        mutants: how many broken copies of a design at most.
        cancel: stops it.

    Raises:
        ToolNotFound: Icarus Verilog is not installed.
    """
    chosen = tuple(seeds)
    designs = (design(family, seed) for family in families for seed in chosen)
    yield from rows_of(designs, tasks, mutants=mutants, cancel=cancel or CancelToken())


def rows_of(
    designs: Iterable[Design],
    tasks: Collection[Task],
    *,
    mutants: int,
    cancel: CancelToken,
    testbenches: bool = False,
) -> Iterator[Row]:
    """The rows of designs; with a testbench in each where that is asked for."""
    made = _rows(designs, tasks, mutants, testbenches, cancel)
    yield from distinct(made)


def design(family: Family, seed: int) -> Design:
    """The design of a seed in the style of that seed."""
    variant = Random(f"variant {family.name} {seed}").randrange(family.variants)
    split: Split = "family" if family.held_out else "train"
    draft = family.draft(seed, variant)
    return styled(draft, family=family.name, kind=family.kind, seed=seed, variant=variant, split=split)


def styled(draft: Draft, *, family: str, kind: str, seed: int, variant: int, split: Split) -> Design:
    """A draft in the style of its seed; a text whose own style is held out stays out of training."""
    random = Random(f"style {family} {seed}")
    style = CANONICAL if random.random() < _CANONICAL else Style.draw(random)
    rendered = render(draft, style, seed=seed)
    return Design(
        family=family,
        kind=kind,
        seed=seed,
        variant=variant,
        split="style" if split == "train" and rendered.style.held_out else split,
        draft=draft,
        rendered=rendered,
        trace=make_trace(draft, rendered.pins, seed=seed),
    )


def _rows(
    designs: Iterable[Design], tasks: Collection[Task], mutants: int, testbenches: bool, cancel: CancelToken
) -> Iterator[Row]:
    waiting: list[Design] = []
    for one in designs:
        cancel.check()
        waiting.append(one)
        if len(waiting) == _DESIGNS_AT_ONCE:
            yield from _simulated(waiting, tasks, mutants, testbenches, cancel)
            waiting = []
    yield from _simulated(waiting, tasks, mutants, testbenches, cancel)


def _simulated(
    designs: Sequence[Design], tasks: Collection[Task], mutants: int, testbenches: bool, cancel: CancelToken
) -> Iterator[Row]:
    jobs: list[tuple[Sequence[Cycle], list[Text]]] = []
    slips: list[list[Slip]] = []
    for one in designs:
        drawn = _drawn(one) if "repair" in tasks else []
        (right,) = texts([one.rendered])
        jobs.append((one.trace, [right, *(_broken(right, slip) for slip in drawn)]))
        slips.append(drawn)
    seen = simulate(jobs, cancel=cancel) if jobs else []
    for one, drawn, (first, *others) in zip(designs, slips, seen, strict=True):
        if not first.passed:
            # A style that this text does not survive: `train data --check` names it, and it does not enter.
            continue
        row = _row(one, testbenches)
        if "module" in tasks:
            yield row
        failing = [(slip, shown) for slip, shown in zip(drawn, others, strict=True) if _fails(shown)]
        for slip, shown in failing[:mutants]:
            yield _repair_row(row, one, slip, shown)


def _drawn(one: Design) -> list[Slip]:
    return draw(one.rendered.text, Random(f"slips {one.family} {one.seed}"), count=_SLIPS)


def _broken(right: Text, slip: Slip) -> Text:
    return Text(
        text=slip.apply(right.text), top=right.top, modules=right.modules, pins=right.pins, reset_low=right.reset_low
    )


def _fails(shown: Seen) -> bool:
    return shown.compiled and shown.ended and bool(shown.differences)


def _row(one: Design, testbench: bool) -> Row:
    remarks = one.rendered.remarks
    spec = Spec(
        module=one.rendered.about,
        blocks=tuple(Note(line=remark.line, text=remark.text) for remark in remarks if remark.block),
        lines=tuple(Note(line=remark.line, text=remark.text) for remark in remarks if not remark.block),
    )
    return Row(
        family=one.family,
        kind=one.kind,
        seed=one.seed,
        variant=one.variant,
        style=one.rendered.style.to_json(),
        split=one.split,
        task="module",
        top=one.rendered.top,
        rtl=one.rendered.text,
        spec=spec,
        testbench=write_testbench(one.rendered, one.trace, seed=one.seed) if testbench else "",
    )


def _repair_row(row: Row, one: Design, slip: Slip, shown: Seen) -> Row:
    return replace(
        row,
        task="repair",
        buggy=slip.apply(one.rendered.text),
        slip=slip.kind,
        edits=line_edits(slip),
        failure=failure(one, shown),
    )


def line_edits(slip: Slip) -> tuple[LineEdit, ...]:
    """What undoes a slip, in the lines of the broken text."""
    shift, found = 0, []
    for edit in sorted(slip.edits, key=lambda one: one.line):
        found.append(LineEdit(line=edit.line + shift, buggy=edit.wrong, fixed=edit.right))
        shift += len(edit.wrong) - len(edit.right)
    return tuple(found)


def failure(one: Design, shown: Seen) -> Failure:
    """What a simulation showed, by the names of the text."""
    names = {pin.canonical: pin.name for pin in one.rendered.pins}
    first = shown.differences[0]
    data = [pin.canonical for pin in one.rendered.pins if not (pin.output or pin.clock)]
    inputs = one.trace[first.cycle].inputs
    low = one.rendered.style.reset_low
    levels = {pin.canonical: int(inputs[pin.canonical] != low) for pin in one.rendered.pins if pin.reset}
    return Failure(
        signal=names[first.output],
        cycle=first.cycle,
        expected=first.expected,
        seen=first.seen,
        inputs={names[name]: levels.get(name, inputs[name]) for name in data},
        failing=tuple(names[name] for name in shown.failing),
        passing=tuple(names[name] for name in shown.passing),
        failures=shown.failures,
        cycles=shown.cycles,
    )
