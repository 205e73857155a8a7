from __future__ import annotations

import pytest

from veriloop.assistant.errors import UsageError
from veriloop.assistant.generate.interface import Interface, read_interface
from veriloop.assistant.generate.port_conflicts import decided_ports, port_conflicts
from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise, variants

PORTS = "A module named `m`.\n\n- input clk\n- input rst\n- input a\n- input b\n- output y\n\n"
RESET = "\nReset is synchronous, active high, and leads to state IDLE.\n"
ARROWS = """
    IDLE (y=0) --a=1,b=1--> RUN
    IDLE (y=0) --a=0--> IDLE
    RUN (y=1) --a=0--> IDLE
    RUN (y=1) --b=1--> RUN
    RUN (y=1) --a=1--> RUN
"""


def asked(text: str, answers: dict[str, str]) -> tuple[Synthesis | Abstained, Decided]:
    interface = read_interface(text)
    assert interface is not None
    decided = Decided(answers)
    return synthesise(text, interface, decided), decided


def test_every_gap_and_every_contradiction_of_a_machine_can_be_answered(simulate):
    text = PORTS + ARROWS + RESET
    answers: dict[str, str] = {}
    questions = []
    while True:
        made, decided = asked(text, answers)
        if isinstance(made, Synthesis):
            break
        first = made.questions[0]
        questions.append(first.text)
        answers[first.text] = first.options[-1]
    assert questions == [
        "state IDLE goes nowhere on a=1, b=0: to which state?",
        "state RUN goes to IDLE and RUN on a=0, b=1: to which state?",
    ]
    assert decided.useless == ()
    # From IDLE to RUN without b, and RUN kept by b alone; a falling with b away ends it.
    steps = [{"rst": 1, "a": 0, "b": 0}, *({"rst": 0, "a": a, "b": b} for a, b in ((1, 0), (0, 1), (0, 0), (1, 1)))]
    assert [row["y"] for row in simulate(made, steps)] == [0, 1, 1, 0, 1]
    rows = [row for row in made.played if row.expected]
    assert rows


def test_every_answer_makes_a_variant():
    text = PORTS + ARROWS + RESET
    interface = read_interface(text)
    assert interface is not None
    found = variants(text, interface)
    # Two questions with two answers each; one that only a person can mend leaves nothing to choose from.
    assert len({one.rtl for one in found}) == 4
    assert variants(text + "    RUN (y=1) --a=1,b=1--> LOST\n", interface) == ()


def test_an_answer_that_is_no_state_is_refused():
    with pytest.raises(UsageError, match="'NOWHERE' is no answer") as found:
        asked(PORTS + ARROWS + RESET, {"state IDLE goes nowhere on a=1, b=0: to which state?": "NOWHERE"})
    assert "IDLE or RUN" in str(found.value.hint)


def test_what_nobody_asked_is_named():
    _, decided = asked(PORTS + ARROWS + RESET, {"is it blue?": "yes"})
    assert decided.useless == ("is it blue?",)


def test_a_mealy_machine_with_a_gap_has_to_be_mended():
    made, _ = asked(PORTS + ARROWS.replace(" (y=0)", "").replace(" (y=1)", "").replace("-->", " (y=1)-->") + RESET, {})
    assert isinstance(made, Abstained)
    assert not made.questions[0].options


def test_the_same_alternatives_in_another_order_are_the_same_question():
    decided = Decided({"with a=0, is y 1 or 0?": "1"})
    assert decided.to(Question("with a=0, is y 0 or 1?", ("0", "1"))) == "1"
    assert decided.to(Question("with a=1, is y 0 or 1?", ("0", "1"))) is None
    assert decided.to(Question("with a=0, is z 0 or 1?", ("0", "1"))) is None


def test_ports_are_as_they_were_decided():
    text = "- input a (4 bits)\n- input a (8 bits)\n- output y\n"
    (conflict,) = port_conflicts(text)
    assert conflict.question.options == ("an input of 4 bits", "an input of 8 bits")
    decided = Decided({conflict.question.text: "an input of 8 bits"})
    interface, still = decided_ports(read_interface(text), text, header=None, decided=decided)
    assert still == ()
    assert interface is not None
    assert [(port.name, port.width_bits) for port in interface.ports] == [("a", 8), ("y", 1)]


def test_a_header_may_be_overruled():
    header = "module top(input [7:0] a, output y);"
    text = "- input a (4 bits)\n- output y\n"
    (conflict,) = port_conflicts(text, header=header)
    decided = Decided({conflict.question.text: conflict.question.options[0]})
    interface, _ = decided_ports(read_interface(text, header=header), text, header=header, decided=decided)
    assert isinstance(interface, Interface)
    assert interface.inputs[0].width_bits == 4
