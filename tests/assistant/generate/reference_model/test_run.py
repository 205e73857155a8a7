from __future__ import annotations

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.reference_model.run import Answered, play
from veriloop.assistant.generate.reference_model.text import ReferenceModel, Refused, read_model

CLOCKED = "- input clk\n- input a (4 bits)\n- output q (4 bits)\n"
PLAIN = "- input a (4 bits)\n- output q (4 bits)\n"


def played(source, *, ports=CLOCKED, values=range(8), checked=True):
    interface = read_interface(ports)
    assert interface is not None
    model = read_model(source) if checked else ReferenceModel(source, "eval")
    assert isinstance(model, ReferenceModel), model
    return play(model, [{"a": value} for value in values], interface, cancel=CancelToken(), cpu_s=2)


def test_a_model_keeps_its_state_and_its_width():
    text = (
        "class Sum:\n    def __init__(self):\n        self.q = 0\n"
        "    def eval(self, inputs):\n        self.q += inputs['a']\n        return {'q': self.q, 'else': 1}\n"
    )
    found = played(text)
    assert isinstance(found, Answered)
    assert [row["q"] for row in found.outputs] == [sum(range(n + 1)) % 16 for n in range(8)]
    assert all(set(row) == {"q"} for row in found.outputs)


def test_an_output_without_a_value_is_left_out():
    found = played("def eval(inputs):\n    return {'q': None}")
    assert isinstance(found, Answered)
    assert found.outputs[0] == {}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def eval(i):\n    while True:\n        pass", "did not end within 2 s"),
        ("def eval(i):\n    return {'q': 10 ** 10 ** 9}", "did not end within 2 s"),
        ("def eval(i):\n    return {'q': len([0] * 10 ** 10)}", "more memory"),
        ("def f(i):\n    return f(i)\ndef eval(i):\n    return f(i)", "a combinational loop"),
        ("def eval(i):\n    return {'q': i['b']}", "failed at step 0: KeyError"),
        ("def eval(i):\n    return 3", "no dictionary"),
        ("def eval(i):\n    return {'q': 'x'}", "failed at step 0"),
        ("q = 1 // 0\ndef eval(i):\n    return {}", "failed: ZeroDivisionError"),
    ],
)
def test_a_model_that_does_not_answer_is_refused(source, why):
    found = played(source)
    assert isinstance(found, Refused)
    assert why in found.why


def test_a_model_without_a_clock_may_remember_nothing():
    loop = (
        "class M:\n    def __init__(self):\n        self.q = 0\n"
        "    def eval(self, i):\n        self.q ^= i['a']\n        return {'q': self.q}"
    )
    found = played(loop, ports=PLAIN)
    assert isinstance(found, Refused)
    assert "combinational loop" in found.why
    assert isinstance(played(loop), Answered)


@pytest.mark.parametrize(
    "attack",
    [
        "os.open('/etc/passwd', 0)",
        "os.open('/tmp/veriloop-was-here', os.O_CREAT | os.O_WRONLY)",
        "os.fork()",
        "os.kill(os.getppid(), 9)",
        "os.execv('/bin/true', ['true'])",
        "os.unlink('/tmp/x')",
        "os.socketpair()"
        if False
        else "sys.modules['_socket'].socket() if '_socket' in sys.modules else os.open('/', 0)",
    ],
)
def test_the_cage_holds_what_the_syntax_lets_through(attack):
    """What a model might reach is let through on purpose; the kernel refuses it."""
    reach = "    sys = print.__globals__['sys']\n    os = sys.modules['os']\n"
    text = f"def eval(inputs):\n{reach}    {attack}\n    return {{'q': 1}}"
    found = played(text, checked=False)
    assert isinstance(found, Refused)
    assert "PermissionError" in found.why or "OSError" in found.why
