"""RTL that follows from a specification without a guess: what it gives as a table, map, diagram or waveform.

Every reader takes only what it understands wholly; what is left open, contradictory or said in prose alone is not
synthesised but named.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from veriloop.assistant.generate.fsm import machine_body
from veriloop.assistant.generate.interface import Interface, read_interface
from veriloop.assistant.generate.karnaugh import grids, read_karnaugh
from veriloop.assistant.generate.state_diagram import read_diagram
from veriloop.assistant.generate.state_machine import StateMachine
from veriloop.assistant.generate.state_table import read_state_table
from veriloop.assistant.generate.text import sentences
from veriloop.assistant.generate.truth_table import TruthTable
from veriloop.assistant.generate.truth_text import (
    read_automaton,
    read_characteristic,
    read_meanings,
    read_minterms,
    read_truth_table,
)
from veriloop.assistant.generate.waveform import explain, read_waveform


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """A module that follows from a specification.

    Attributes:
        rtl: the module's text.
        kind: what it was made from, e.g. `karnaugh map`.
        assumed: what the specification does not say and convention settled.
    """

    interface: Interface
    rtl: str
    kind: str
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstained:
    """Why nothing was synthesised; `questions` are contradictions and gaps that a person has to settle."""

    reason: str
    questions: tuple[str, ...] = ()


_Body = tuple[str, tuple[str, ...]]


def synthesise(text: str, *, header: str | None = None) -> Synthesis | Abstained:
    """Makes a module from the data in a specification.

    Args:
        text: the specification.
        header: the module header to use, where it is given apart.
    """
    interface = read_interface(text, header=header)
    if interface is None or not interface.outputs:
        return Abstained(reason="the specification names no ports")
    found: list[tuple[str, _Body]] = []
    questions: list[str] = []
    for kind, reader in _READERS.items():
        body = reader(text, interface)
        if isinstance(body, Abstained):
            questions += body.questions
        elif body is not None:
            found.append((kind, body))
    if not found:
        reason = "the specification contradicts itself" if questions else "it holds no table, map, diagram or waveform"
        return Abstained(reason=reason, questions=tuple(questions))
    if len({lines for _, (lines, _) in found}) > 1:
        kinds = " and ".join(kind for kind, _ in found)
        return Abstained(reason=f"its {kinds} say different things")
    kind, (lines, assumed) = found[0]
    ports = ",\n".join(f"  {port}" for port in interface.ports)
    rtl = f"module {interface.toplevel} (\n{ports}\n);\n{lines.rstrip()}\nendmodule\n"
    return Synthesis(interface=interface, rtl=rtl, kind=kind, assumed=assumed)


def _karnaugh(text: str, interface: Interface) -> _Body | Abstained | None:
    table = read_karnaugh(text, interface)
    if table is None:
        unread = ("the rows or columns of the Karnaugh map are not named by the ports",)
        return Abstained(reason="unread map", questions=unread) if grids(text) else None
    return _table(table, interface)


def _truth_table(text: str, interface: Interface) -> _Body | None:
    table = read_truth_table(text, interface)
    return _table(table, interface) if table and not grids(text) and interface.clock is None else None


def _minterms(text: str, interface: Interface) -> _Body | None:
    table = read_minterms(text, interface)
    return _table(table, interface) if table else None


def _table(table: TruthTable, interface: Interface) -> _Body:
    return "\n".join(f"  {line}" for line in table.statements(interface)), ()


def _machine(machine: StateMachine | None, text: str, interface: Interface) -> _Body | Abstained | None:
    if machine is None:
        return None
    if faults := machine.faults():
        return Abstained(reason="faulty machine", questions=tuple(faults))
    body = machine_body(machine, text, interface)
    return (body.lines, body.assumed) if body else None


def _waveform(text: str, interface: Interface) -> _Body | None:
    said = sentences(text)
    # A waveform beside a description in words is an example of it, not the whole.
    if not re.search(r"waveforms?\b", said, re.I) or re.search(
        r"waveform example|example waveform|for example", said, re.I
    ):
        return None
    waveform = read_waveform(text, interface)
    shown = explain(waveform, interface) if waveform else None
    return (shown.lines, shown.rules) if shown else None


def _plain(reader: Callable[[str, Interface], str | None]) -> Callable[[str, Interface], _Body | None]:
    def read(text: str, interface: Interface) -> _Body | None:
        lines = reader(text, interface)
        return None if lines is None else (lines, ())

    return read


_READERS: dict[str, Callable[[str, Interface], _Body | Abstained | None]] = {
    "Karnaugh map": _karnaugh,
    "truth table": _truth_table,
    "list of minterms": _minterms,
    "state diagram": lambda text, interface: _machine(read_diagram(text, interface), text, interface),
    "state table": lambda text, interface: _machine(read_state_table(text, interface), text, interface),
    "characteristic table": _plain(read_characteristic),
    "table of codes": _plain(read_meanings),
    "neighbourhood table": _plain(read_automaton),
    "waveform": _waveform,
}
