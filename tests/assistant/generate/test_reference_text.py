"""The model that is written beside a module says what the model says that the module is checked by."""

from __future__ import annotations

import copy

import pytest

from tests.assistant.generate.test_questions import PORTS as CLOCKED
from tests.assistant.generate.test_questions import RESET
from tests.assistant.generate.test_register_map import MAP, PORTS, READ
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.bench_text import expected_of, steps
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.reference_model.run import Answered, play
from veriloop.assistant.generate.reference_model.text import ReferenceModel, read_model
from veriloop.assistant.generate.reference_text import reference_text
from veriloop.assistant.generate.synthesis import Synthesis, synthesise

TWO = "- input a\n- input b\n- output y\n- output z\n\n"
TABLE = TWO + "a | b | y | z\n0 | 0 | 0 | 1\n0 | 1 | 1 | 0\n1 | 0 | 1 | -\n1 | 1 | 0 | 1\n"
WHOLE = """
    IDLE (y=0) --a=1--> RUN
    IDLE (y=0) --a=0--> IDLE
    RUN (y=1) --b=0--> IDLE
    RUN (y=1) --b=1--> RUN
"""


@pytest.mark.parametrize(
    ("text", "low"),
    [
        (TABLE, False),
        (CLOCKED + WHOLE + RESET, False),
        (PORTS + MAP + READ, True),
        (PORTS + MAP + READ.replace("combinational", "registered"), True),
    ],
)
def test_both_models_agree(text, low):
    interface = read_interface(text)
    assert interface is not None
    made = synthesise(text, interface)
    assert isinstance(made, Synthesis)
    assert made.reference is not None
    model = read_model(reference_text(made.reference, interface, made.kind))
    assert isinstance(model, ReferenceModel)
    given = steps(interface, made.reference.corners(), active_low=low)
    said = play(model, given, interface, cancel=CancelToken())
    assert isinstance(said, Answered)
    reference, compared = copy.deepcopy(made.reference), 0
    for inputs, outputs in zip(given, said.outputs, strict=True):
        if interface.clock is not None:
            reference.tick(inputs)
        expected = reference.outputs(inputs)
        seen = expected_of(outputs, interface)
        assert all(expected[bit] == value for bit, value in seen.items() if bit in expected)
        compared += len(seen.keys() & expected.keys())
    assert compared >= len(given)


def test_what_is_no_table_and_no_machine_has_none():
    text = "- input clk\n- input d\n- output q\n\nImplement a D flip-flop.\n"
    interface = read_interface(text)
    assert interface is not None
    assert reference_text(None, interface, "words") == ""
