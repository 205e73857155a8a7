from __future__ import annotations

import pytest

from veriloop.assistant.generate.examples import example_rows
from veriloop.assistant.generate.interface import Bit, read_interface
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise
from veriloop.assistant.generate.wavedrom import read_wavedrom

PORTS = "- input clk\n- input load\n- input d (4 bits)\n- output q (4 bits)\n\n"
DRAWN = """The circuit shows this waveform:

```wavedrom
{ signal: [
  { name: "clk",  wave: "p......." },
  { name: 'load', wave: '10..10..' },
  { "name": "d[3:0]", "wave": "3...4...", "data": ["5", "0xe"] },
  { name: "q",    wave: "x=..=.==", data: "5 6 7 14" },
]}
```
"""


def test_bricks_become_rows():
    names, rows = read_wavedrom(DRAWN) or ((), ())
    assert names == ("clk", "load", "d", "q")
    assert len(rows) == 16
    assert rows[0] == {"clk": 1, "load": 1, "d": 5, "q": None}
    assert rows[3] == {"clk": 0, "load": 0, "d": 5, "q": 5}
    assert rows[9] == {"clk": 0, "load": 1, "d": 14, "q": 6}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("p.......", "p..|...."),
        ("p.......", "p......"),
        ("10..10..", "10..1u.."),
        ('"5 6 7 14"', '"5 6 7"'),
        ('"5 6 7 14"', '"5 6 A B"'),
        ("name: 'load',", "name: 'load', phase: 0.5,"),
        ("name: 'load'", "name: 'clk'"),
    ],
)
def test_what_cannot_be_read_is_no_waveform(old, new):
    text = DRAWN.replace(old, new)
    assert text != DRAWN
    assert read_wavedrom(text) is None


def test_an_example_is_played_edge_by_edge():
    interface = read_interface(PORTS)
    assert interface is not None
    rows = example_rows(DRAWN, interface)
    assert {row.inputs["clk"] for row in rows if row.expected} == {0, 1}
    last = rows[-1]
    assert last.expected == {Bit("q", place): bit for place, bit in zip((3, 2, 1, 0), "1110", strict=True)}


@pytest.mark.needs("iverilog")
def test_a_drawing_is_explained_as_a_table_is(simulate):
    text = """- input a
- input b
- output y

The waveform of a combinational circuit:

{signal: [{name: 'a', wave: '0.1.'}, {name: 'b', wave: '0101'}, {name: 'y', wave: '01.0'}]}
"""
    interface = read_interface(text)
    assert interface is not None
    found = synthesise(text, interface)
    assert isinstance(found, Synthesis)
    assert [row["y"] for row in simulate(found, [{"a": a, "b": b} for a in (0, 1) for b in (0, 1)])] == [0, 1, 1, 0]
    assert isinstance(synthesise(text.replace("wave: '01.0'", "wave: '0u.0'"), interface), Abstained)
