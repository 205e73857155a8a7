from __future__ import annotations

import pytest

from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.questions import Decided
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise

PORTS = """A module named `regs` with the following ports.

- input clk
- input rst_n
- input we
- input addr (8 bits)
- input wdata (16 bits)
- input status (16 bits)
- output rdata (16 bits)
- output ctrl (16 bits)

"""
MAP = """It is a register block:

| Offset | Name   | Access | Reset  | Description        |
|--------|--------|--------|--------|--------------------|
| 0x00   | CTRL   | RW     | 0x00a5 | what is done       |
| 0x04   | STATUS | RO     | -      | what is going on   |
| 0x08   | KEY    | WO     | 0      | opens what is shut |
| 0x0c   | ID     | RO     | 0xcafe | which block it is  |

The reset rst_n is active low and asynchronous. A register is written when we is 1.
"""
READ = "Reads are combinational. Unmapped addresses read as 0.\n"


def made(text: str, answers: dict[str, str] | None = None) -> Synthesis | Abstained:
    interface = read_interface(text)
    assert interface is not None
    return synthesise(text, interface, Decided(answers or {}))


def step(**values: int) -> dict[str, int]:
    return {"rst_n": 1, "we": 0, "addr": 0, "wdata": 0, "status": 0x1234, **values}


@pytest.mark.needs("iverilog")
def test_a_map_is_written_and_read(simulate):
    found = made(PORTS + MAP + READ)
    assert isinstance(found, Synthesis)
    assert (found.kind, found.assumed) == ("register map", ())
    steps = [
        step(rst_n=0),
        step(),
        step(we=1, wdata=0xBEEF),
        step(we=1, addr=4, wdata=1),
        step(we=1, addr=8, wdata=2),
        step(addr=12),
        step(addr=1),
        step(addr=0),
    ]
    rows = simulate(found, steps)
    assert [row["rdata"] for row in rows] == [0xA5, 0xA5, 0xBEEF, 0x1234, 0, 0xCAFE, 0, 0xBEEF]
    assert [row["ctrl"] for row in rows] == [0xA5, 0xA5, *[0xBEEF] * 6]
    # What is played against it writes and reads every register.
    assert {row.inputs.get("addr") for row in found.played if row.expected} >= {0, 4, 8, 12}


@pytest.mark.needs("iverilog")
def test_when_what_is_read_is_there_is_asked(simulate):
    text = PORTS + MAP
    found = made(text)
    assert isinstance(found, Abstained)
    (asked,) = found.questions
    assert (asked.text, asked.options) == (
        "is rdata combinational or registered?",
        ("combinational", "registered"),
    )
    later = made(text, {asked.text: "registered"})
    assert isinstance(later, Synthesis)
    assert later.assumed == ("rdata is 0 at addresses that the map does not name",)
    rows = simulate(later, [step(rst_n=0), step(addr=12), step(addr=4)])
    assert [row["rdata"] for row in rows] == [0, 0xCAFE, 0x1234]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("what is done ", "cleared by reading"),
        ("| RO     | -      |", "| W1C    | -      |"),
        ("0x04   | STATUS", "0x00   | STATUS"),
        ("0x0c   | ID", "0x10c  | ID"),
        ("0xcafe", "0xcafe1"),
        ("- input status (16 bits)", "- input status (8 bits)"),
        ("- input we\n", "- input we\n- input strobe\n"),
        ("A register is written when we is 1.", "Writes to KEY count only in the second try."),
    ],
)
def test_what_does_more_than_to_keep_is_left_alone(old, new):
    text = (PORTS + MAP + READ).replace(old, new)
    assert text != PORTS + MAP + READ
    found = made(text)
    assert isinstance(found, Abstained)
    assert not found.questions
