"""RTL that does not compile is mended by the messages; a table of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assistant.repair.conftest import COUNTER
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design
from veriloop.assistant.repair.compile_errors import compile_fixes
from veriloop.assistant.repair.screen import fingerprint

BREAKS = {
    "semicolon": (b"q <= 0;", b"q <= 0"),
    "undeclared name": (b"if (last)", b"if (lst)"),
    "parenthesis": (b"(q == TOP)", b"(q == TOP"),
    "misspelt keyword": (b"always @", b"alway @"),
    "net in a process": (b"output reg [3:0] q", b"output [3:0] q"),
    "end": (b"    end\nendmodule", b"endmodule"),
    "endmodule": (b"endmodule", b""),
    "assignment in assign": (b"assign last =", b"assign last <="),
    "comma": (b"input            rst_n,", b"input            rst_n"),
    "two at once": (b"q <= 0;\n      else q <= q + 1;", b"q <= 0\n      else q <= q + 1"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_does_not_compile_is_mended(tmp_path: Path, name: str) -> None:
    right, wrong = BREAKS[name]
    broken = COUNTER.replace(right, wrong, 1)
    assert broken != COUNTER
    path = tmp_path / "counter.v"
    path.write_bytes(broken)
    elaborator = Elaborator(Design(toplevel="", sources=(path,)))
    assert elaborator.errors()
    fixed = compile_fixes(broken, lambda content: elaborator.errors({path: content}), lambda error: True)
    assert fingerprint({"m": COUNTER}) in {fingerprint({"m": one.content}) for one in fixed}
    assert all(not elaborator.errors({path: one.content}) for one in fixed)
    assert [one.cost for one in fixed] == sorted(one.cost for one in fixed)


def test_what_is_no_verilog_at_all_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "prose.v"
    path.write_bytes(b"This is a letter, not a module. It has no end")
    elaborator = Elaborator(Design(toplevel="", sources=(path,)))
    fixes = compile_fixes(path.read_bytes(), lambda content: elaborator.errors({path: content}), lambda error: True)
    assert all(not elaborator.errors({path: one.content}) for one in fixes)
