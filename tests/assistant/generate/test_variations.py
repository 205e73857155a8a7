"""The same data as different people write it down."""

from __future__ import annotations

import itertools

import pytest

from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise

GATES = "- input p\n- input q\n- input r\n- output y\n\n"
WORDS = list(itertools.product((0, 1), repeat=3))
MAJORITY = "".join(f"{a} | {b} | {c} | {int(a + b + c > 1)}\n" for a, b, c in WORDS)
CLOCKED = "- input clk\n- input rst\n- input go\n- output busy\n\nReset rst is synchronous active high and leads to state IDLE.\n\n"


def made(text: str) -> Synthesis:
    interface = read_interface(text)
    assert interface is not None
    found = synthesise(text, interface)
    assert isinstance(found, Synthesis), found
    return found


FUNCTIONS = {
    "markdown map": "| p\\qr | 00 | 01 | 11 | 10 |\n|:-:|:-:|:-:|:-:|:-:|\n| 0 | 0 | 0 | 1 | 0 |\n| 1 | 0 | 1 | 1 | 1 |\n",
    "transposed": "|   qr \\ p | 0 | 1 |\n|---|---|---|\n| 00 | 0 | 0 |\n| 01 | 0 | 1 |\n| 11 | 1 | 1 |\n| 10 | 0 | 1 |\n",
    "labels with names": "       qr=00 qr=01 qr=11 qr=10\n p=0     0     0     1     0\n p=1     0     1     1     1\n",
    "no bars": "       qr\n  p   00 01 11 10\n  0   0  0  1  0\n  1   0  1  1  1\n",
    "commas": "        q,r\n p    00   01   11   10\n 0 | 0 | 0 | 1 | 0 |\n 1 | 0 | 1 | 1 | 1 |\n",
    "numbered rows": " Row | p | q | r | y\n"
    + "".join(f" {n} | {row}\n" for n, row in enumerate(MAJORITY.splitlines())),
    "one bar": "p q r | y\n" + "".join(f"{a} {b} {c} | {int(a + b + c > 1)}\n" for a, b, c in WORDS),
    "two headers": "  Inputs    | Outputs\n  p | q | r | y\n" + MAJORITY,
    "sum of minterms": "y(p,q,r) = \u03a3m(3,5,6,7)",
    "product of maxterms": "The function is y(p, q, r) = \u03a0M(0, 1, 2, 4).",
    "free minterms": "y(p,q,r) = \u03a3m(3,5,6) + d(7)",
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("drawn", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function(drawn, simulate):
    rows = simulate(made(GATES + drawn), [dict(zip("pqr", word, strict=True)) for word in WORDS])
    seen = [row["y"] for row in rows]
    assert seen[:7] == [int(sum(word) > 1) for word in WORDS][:7]


MACHINES = {
    "arrows, outputs in words": "IDLE --[go=0]--> IDLE\nIDLE --[go=1]--> RUN\nRUN --> IDLE\n\nbusy is 1 in RUN.",
    "mermaid": "    [*] --> IDLE\n    IDLE --> IDLE: go=0\n    IDLE --> RUN: go=1\n    RUN --> IDLE\n\nIn state RUN, busy = 1.",
    "graphviz": 'IDLE -> IDLE [label="go=0/busy=0"];\nIDLE -> RUN [label="go=1/busy=0"];\nRUN -> IDLE [label="always/busy=1"];',
    "conditions over columns": "State | go=0 | go=1 | busy\nIDLE | IDLE | RUN | 0\nRUN | IDLE | IDLE | 1\n",
    "a row a transition": "| Present state | Input go | Next state | Output busy |\n|---|---|---|---|\n"
    "| IDLE | 0 | IDLE | 0 |\n| IDLE | 1 | RUN | 0 |\n| RUN | x | IDLE | 1 |\n",
    "in brackets": "| Current | Next (go=0) | Next (go=1) | busy |\n|---|---|---|---|\n| IDLE | IDLE | RUN | 0 |\n| RUN | IDLE | IDLE | 1 |\n",
    "outputs with the transitions": "| State | go=0 | go=1 |\n|---|---|---|\n| IDLE | IDLE/0 | RUN/0 |\n| RUN | IDLE/1 | IDLE/1 |\n",
}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("drawn", MACHINES.values(), ids=MACHINES)
def test_a_machine(drawn, simulate):
    steps = [{"rst": 1, "go": 0}, *({"rst": 0, "go": go} for go in (0, 1, 0, 1, 1, 1))]
    # Outputs are read after the edge: busy in the cycle after a start, idle again after it.
    assert [row["busy"] for row in simulate(made(CLOCKED + drawn), steps)] == [0, 0, 1, 0, 1, 0, 1]


@pytest.mark.needs("iverilog")
def test_one_hot_equations_of_a_machine_whose_output_is_not_asked_for(simulate):
    text = (
        "- input w\n- input y (3 bits)\n- output Y0\n- output Y2\n\n  A (0) --0--> B\n  A (0) --1--> A\n  B (0) --0--> C\n"
        "  B (0) --1--> A\n  C (1) --0--> C\n  C (1) --1--> A\n\nAssume the one-hot code y[2:0] = 001, 010, 100 for states A, B, C."
    )
    rows = simulate(made(text), [{"w": w, "y": y} for y in (1, 2, 4) for w in (0, 1)])
    assert [(row["Y0"], row["Y2"]) for row in rows] == [(0, 0), (1, 0), (0, 1), (1, 0), (0, 1), (1, 0)]


def test_a_title_says_nothing_unless_it_does():
    counter = "Build a 4-bit binary counter that counts from 0 through 15, inclusive, with a period of 16."
    counter += " The reset input is active high synchronous, and should reset the counter to 0.\n"
    ports = "- input clk\n- input reset\n- output q (4 bits)\n\n"
    assert made(f"# count16\n\n## Behaviour\n\n{counter}\n{ports}").kind == "words: counter"
    text = f"# Asynchronous reset\n\n{counter}\n{ports}"
    interface = read_interface(text)
    assert interface is not None
    assert isinstance(synthesise(text, interface), Abstained)


@pytest.mark.parametrize(
    "text",
    [
        GATES + "y(p,q,r) = \u03a3m(3,5,6,9)",
        GATES + "y(p,q,r) = \u03a3m(3,5) + d(5)",
        GATES + "y(p,q,s) = \u03a3m(3,5)",
        CLOCKED + "IDLE --[go=0]--> IDLE\nIDLE --[go=1]--> RUN\nRUN --> IDLE\n\nbusy shows that it works.",
        "- input a\n- output w\n\na -> w",
    ],
)
def test_what_is_half_said_is_left_alone(text):
    interface = read_interface(text)
    assert interface is not None
    assert isinstance(synthesise(text, interface), Abstained)
