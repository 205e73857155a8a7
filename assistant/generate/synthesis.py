"""RTL that follows from a specification without a guess: what it gives as a table, map, diagram or waveform.

Every reader takes only what it understands wholly; what is left open, contradictory or said in prose alone is not
synthesised but named.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from veriloop.assistant.generate.bench_text import steps
from veriloop.assistant.generate.choice_table import ChoiceReference, read_choices
from veriloop.assistant.generate.examples import replayed
from veriloop.assistant.generate.fsm import machine_body
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.karnaugh import grids, read_karnaugh
from veriloop.assistant.generate.machine_faults import faults, settled
from veriloop.assistant.generate.prose.reader import NotUnderstood, Read, read_prose
from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.reference import MachineReference, Reference, Row, TableReference, rows
from veriloop.assistant.generate.register_map import MapReference, read_register_map, register_lines
from veriloop.assistant.generate.state_diagram import read_diagram
from veriloop.assistant.generate.state_machine import StateMachine
from veriloop.assistant.generate.state_table import read_state_table
from veriloop.assistant.generate.text import sentences
from veriloop.assistant.generate.truth_table import TruthTable
from veriloop.assistant.generate.truth_text import (
    Made,
    read_automaton,
    read_characteristic,
    read_meanings,
    read_minterms,
    read_truth_table,
)
from veriloop.assistant.generate.waveform import explain, read_waveform
from veriloop.assistant.generate.wording import open_reset, read_reset

_MOST_VARIANTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """A module that follows from a specification.

    Attributes:
        rtl: the module's text.
        kind: what it was made from, e.g. `karnaugh map`.
        played: inputs with the outputs that the data says, worked out apart from the RTL; none where nothing can be.
        reference: the data as a model that has not run yet, which leaves open what the data does; none where there is
            only the RTL.
        assumed: what the specification does not say and convention settled.
    """

    interface: Interface
    rtl: str
    kind: str
    played: tuple[Row, ...] = ()
    reference: Reference | None = None
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstained:
    """Why nothing was synthesised; `questions` are contradictions and gaps that a person has to settle."""

    reason: str
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What stands between a module's header and its end, and what checks it."""

    lines: str
    played: tuple[Row, ...] = ()
    reference: Reference | None = None
    assumed: tuple[str, ...] = ()


def synthesise(text: str, interface: Interface, decided: Decided | None = None) -> Synthesis | Abstained:
    """Makes a module with these ports from the data in a specification, and from answers to what that leaves open.

    Raises:
        UsageError: an answer does not fit its question.
    """
    decided = decided or Decided()
    found: list[tuple[str, _Body]] = []
    questions: list[Question] = []
    for kind, reader in _READERS.items():
        body = reader(text, interface, decided)
        if isinstance(body, Abstained):
            questions += body.questions
        elif body is not None:
            found.append((kind, body))
    if not found and not questions:
        return _prose(text, interface)
    if not found:
        return Abstained(reason="the specification contradicts itself, or leaves a gap", questions=tuple(questions))
    if len({body.lines for _, body in found}) > 1:
        kinds = " and ".join(kind for kind, _ in found)
        return Abstained(reason=f"its {kinds} say different things")
    kind, body = found[0]
    rtl = f"{interface.header()}\n{body.lines.rstrip()}\nendmodule\n"
    return Synthesis(
        interface=interface,
        rtl=rtl,
        kind=kind,
        played=body.played,
        reference=body.reference,
        assumed=body.assumed,
    )


def variants(text: str, interface: Interface, decided: Decided | None = None) -> tuple[Synthesis, ...]:
    """What the data comes to with each answer to its open questions; none where one of them cannot be answered so.

    For choosing between them by other evidence: none of them alone follows from the text.
    """
    answers = dict((decided or Decided()).answers)
    waiting, found = [answers], list[Synthesis]()
    while waiting and len(waiting) + len(found) <= _MOST_VARIANTS:
        given = waiting.pop()
        made = synthesise(text, interface, Decided(given))
        if isinstance(made, Synthesis):
            found.append(made)
            continue
        asked = next((question for question in made.questions if question.options), None)
        if asked is None or any(not question.options for question in made.questions):
            return ()
        waiting += [{**given, asked.text: option} for option in reversed(asked.options)]
    return tuple(found) if not waiting else ()


def _prose(text: str, interface: Interface) -> Synthesis | Abstained:
    """A standard block that the text states in words, all of which are understood."""
    read = read_prose(text, interface)
    if isinstance(read, Read):
        rtl = f"{interface.header()}\n{read.lines}\nendmodule\n"
        return Synthesis(
            interface=interface,
            rtl=rtl,
            kind=f"words: {read.block}",
            played=read.rows,
            reference=read.reference,
            assumed=read.assumed,
        )
    reason = "it holds no table, map, diagram or waveform"
    if isinstance(read, NotUnderstood):
        reason += f", and what it says in words is not understood: {read.sentence[:120]}"
    return Abstained(reason=reason)


def _karnaugh(text: str, interface: Interface, decided: Decided) -> _Body | Abstained | None:
    table = read_karnaugh(text, interface)
    if table is None:
        unread = (Question("the rows or columns of the Karnaugh map are not named by the ports"),)
        return Abstained(reason="unread map", questions=unread) if grids(text) else None
    return _table(table, interface)


def _truth_table(text: str, interface: Interface, decided: Decided) -> _Body | None:
    table = read_truth_table(text, interface)
    return _table(table, interface) if table and not grids(text) and interface.clock is None else None


def _minterms(text: str, interface: Interface, decided: Decided) -> _Body | None:
    table = read_minterms(text, interface)
    return _table(table, interface) if table else None


def _table(table: TruthTable, interface: Interface) -> _Body:
    lines = "\n".join(f"  {line}" for line in table.statements(interface))
    reference = TableReference(table, interface)
    return _Body(lines=lines, played=_played(reference, interface), reference=reference)


def _played(reference: Reference | None, interface: Interface, *, active_low: bool = False) -> tuple[Row, ...]:
    if reference is None:
        return ()
    # A copy: the reference itself stays as it is before anything was played.
    given = steps(interface, reference.corners(), active_low=active_low)
    return tuple(rows(copy.deepcopy(reference), interface, given))


def _machine(
    machine: StateMachine | None, text: str, interface: Interface, decided: Decided
) -> _Body | Abstained | None:
    if machine is None:
        return None
    machine = settled(machine, decided)
    if found := faults(machine):
        return Abstained(reason="faulty machine", questions=tuple(fault.question for fault in found))
    body = machine_body(machine, text, interface)
    if body is None:
        return None
    if isinstance(body.reference, MachineReference) and (asked := open_reset(text, interface)) is not None:
        kind = decided.to(asked)
        if kind is None:
            return Abstained(reason="unsaid", questions=(asked,))
        body = machine_body(machine, text := _with_reset(text, interface, kind), interface) or body
    reset, _ = read_reset(text, interface, machine.states)
    played = _played(body.reference, interface, active_low=bool(reset and reset.active_low))
    return _Body(lines=body.lines, played=played, reference=body.reference, assumed=body.assumed)


def _with_reset(text: str, interface: Interface, kind: str) -> str:
    """The specification with what was decided about its reset."""
    return f"{text}\n\nThe reset {interface.reset.name if interface.reset else ''} is {kind}.\n"


def _waveform(text: str, interface: Interface, decided: Decided) -> _Body | None:
    said = sentences(text)
    # A waveform beside a description in words is an example of it, not the whole.
    if not re.search(r"waveforms?\b", said, re.I) or re.search(
        r"waveform example|example waveform|for example", said, re.I
    ):
        return None
    waveform = read_waveform(text, interface)
    shown = explain(waveform, interface) if waveform else None
    if waveform is None or shown is None:
        return None
    return _Body(lines=shown.lines, played=tuple(replayed(waveform, interface)), assumed=shown.rules)


def _made(reader: Callable[[str, Interface], Made | None]) -> Callable[[str, Interface, Decided], _Body | None]:
    def read(text: str, interface: Interface, decided: Decided) -> _Body | None:
        made = reader(text, interface)
        if made is None:
            return None
        return _Body(lines=made.lines, played=_played(made.reference, interface), reference=made.reference)

    return read


def _register_map(text: str, interface: Interface, decided: Decided) -> _Body | Abstained | None:
    found = read_register_map(text, interface, decided)
    if isinstance(found, Question):
        return Abstained(reason="unsaid", questions=(found,))
    if found is None:
        return None
    if (asked := open_reset(text, interface)) is not None:
        kind = decided.to(asked)
        if kind is None:
            return Abstained(reason="unsaid", questions=(asked,))
        own = tuple(line for line in found.assumed if "synchronous" not in line)
        found = replace(found, reset=replace(found.reset, asynchronous=kind == "asynchronous"), assumed=own)
    reference = MapReference(found, interface)
    played = _played(reference, interface, active_low=found.reset.active_low)
    return _Body(lines=register_lines(found), played=played, reference=reference, assumed=found.assumed)


def _choices(text: str, interface: Interface, decided: Decided) -> _Body | Abstained | None:
    found = read_choices(text, interface, decided)
    if isinstance(found, Question):
        return Abstained(reason="gap", questions=(found,))
    if found is None:
        return None
    reference = ChoiceReference(found, interface)
    return _Body(lines="\n".join(found.lines()), played=_played(reference, interface), reference=reference)


def _diagram(text: str, interface: Interface, decided: Decided) -> _Body | Abstained | None:
    return _machine(read_diagram(text, interface), text, interface, decided)


def _state_table(text: str, interface: Interface, decided: Decided) -> _Body | Abstained | None:
    return _machine(read_state_table(text, interface), text, interface, decided)


_READERS: dict[str, Callable[[str, Interface, Decided], _Body | Abstained | None]] = {
    "Karnaugh map": _karnaugh,
    "truth table": _truth_table,
    "list of minterms": _minterms,
    "state diagram": _diagram,
    "state table": _state_table,
    "characteristic table": _made(read_characteristic),
    "table of codes": _made(read_meanings),
    "neighbourhood table": _made(read_automaton),
    "register map": _register_map,
    "table of choices": _choices,
    "waveform": _waveform,
}
