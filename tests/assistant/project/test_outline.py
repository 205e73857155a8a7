"""Parsing what is followed of a Python file."""

from __future__ import annotations

import ast
import textwrap

import pytest

from veriloop.assistant.project.outline import parsed

SCRIPT = '''
import cocotb

sources = ["a.v"]

@cocotb.test()
async def run_test(
    dut,
    idle=None,
):
    """Some text."""
    await dut.clk
# a comment at the margin
    if dut:
        pass

class Bench:
    WIDTH = 8

    def __init__(self, dut): self.dut = dut

    def reset(self):
        self.dut.rst = 1

async def short(): pass

def test_it(request):
    def inner():
        return 1
    sources.append("b.v")
'''


def _dropped(text: str) -> ast.Module:
    """The syntax with what nobody follows left out."""
    module = ast.parse(text)
    for node in ast.walk(module):
        for inner in ast.iter_child_nodes(node):
            followed = node is module and isinstance(inner, ast.FunctionDef)
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not followed:
                inner.body = [ast.Pass()]
    return module


def test_what_is_followed_is_there_in_its_line():
    assert ast.dump(parsed(SCRIPT).body[-1]) == ast.dump(_dropped(SCRIPT).body[-1])
    lines = {one.name: one.lineno for one in parsed(SCRIPT).body if hasattr(one, "name")}
    assert lines == {one.name: one.lineno for one in ast.parse(SCRIPT).body if hasattr(one, "name")}


def test_bodies_that_nobody_follows_are_left_out():
    names = {node.attr for node in ast.walk(parsed(SCRIPT)) if isinstance(node, ast.Attribute)}
    assert "append" in names
    assert not names & {"clk", "rst"}


@pytest.mark.parametrize(
    "text",
    [
        'async def f(x="#"):\n    y = 1\nz = 2\n',
        'async def f(x="("):\n    y = 1\nz = 2\n',
        "class A:\n\tdef f(self):\n\t\treturn 1\n\tx = 2\n",
        "async def f():\n    x = [\n1,\n]\nz = 2\n",
        'text = """\nasync def f():\n    x\n"""\nz = 2\n',
        'async def f():\n    x = """\ncode = 1\n"""\nz = 2\n',
        "async def f(): return 1\ndef g():\n    return 2\n",
        "if True:\n    def f():\n        return 1\nelse:\n    z = 3\n",
    ],
)
def test_odd_text_is_read_all_the_same(text: str):
    assigned = [ast.dump(node) for node in parsed(text).body if isinstance(node, ast.Assign | ast.FunctionDef)]
    assert assigned == [
        ast.dump(node) for node in ast.parse(text).body if isinstance(node, ast.Assign | ast.FunctionDef)
    ]


def test_what_is_no_python_is_refused():
    with pytest.raises(SyntaxError):
        parsed(textwrap.dedent("async def f(:\n    print 1\n"))
