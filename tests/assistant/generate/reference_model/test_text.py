from __future__ import annotations

import pytest

from veriloop.assistant.generate.reference_model.text import ReferenceModel, Refused, read_model

GOOD = """from typing import Dict
from collections import deque
import math

class TopModule:
    depth: int = 4
    def __init__(self) -> None:
        self._seen: deque = deque()
    def eval(self, inputs: Dict[str, int]) -> Dict[str, int]:
        return {"q": math.gcd(4, inputs["a"])}

if __name__ == "__main__":
    print(TopModule().eval({"a": 2}))
"""


def test_a_class_is_taken_without_its_imports_and_annotations():
    found = read_model(GOOD)
    assert isinstance(found, ReferenceModel)
    assert found.entry == "TopModule"
    assert "import" not in found.source
    assert "Dict" not in found.source
    assert "__main__" not in found.source


def test_a_function_is_a_model_without_state():
    found = read_model("def eval(inputs):\n    return {'y': inputs['a'] ^ 1}\n")
    assert isinstance(found, ReferenceModel)
    assert found.entry == "eval"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import os", "imports os"),
        ("import math as os", "another name"),
        ("from os import path", "imports os"),
        ("from . import secret", "imports"),
        ("from collections import abc", "imports collections.abc"),
        ("x = ().__class__", "reaches into the language"),
        ("x = (lambda: 0)._x", "reaches into the language"),
        ("x = __import__('os')", "uses __import__"),
        ("x = open('/etc/passwd')", "uses open"),
        ("x = getattr(1, 'real')", "uses getattr"),
        ("exec('1')", "uses exec"),
        ("with x: pass", "manages a resource"),
        ("async def f(): pass", "waits"),
        ("x = (", "does not parse"),
        ("x = 1\n\0", "does not parse"),
    ],
)
def test_what_reaches_outside_is_refused(line, why):
    found = read_model(f"{line}\ndef eval(inputs):\n    return {{}}\n")
    assert isinstance(found, Refused)
    assert why in found.why


@pytest.mark.parametrize("text", ["", "x = 1", "class A:\n    def step(self): pass", "def evaluate(i): return {}"])
def test_a_text_without_a_model_is_refused(text):
    found = read_model(text)
    assert isinstance(found, Refused)
    assert "eval" in found.why


def test_depth_and_size_are_limited():
    assert isinstance(read_model("x = " + "(" * 5000), Refused)
    assert isinstance(read_model("#" * (1 << 19)), Refused)
