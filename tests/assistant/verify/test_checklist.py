"""What names what a change has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.changed_names import ChangedName, changed_names, number
from veriloop.assistant.verify.checklist import Mention, mentions

BEFORE = b"""`define DEPTH_LOG2 4
module regs #(parameter FIFO_DEPTH = 16) (input clk, input [7:0] addr, output reg [7:0] data_out);
  localparam ADDR_CTRL = 8'h08;
  reg [3:0] mode_reg, other_reg;
  always @(posedge clk) begin
    mode_reg <= addr[3:0];
    other_reg <= 4'h1;
    case (addr) 8'h40: data_out <= mode_reg; default: data_out <= 0; endcase
  end
endmodule
"""


def changed(*pairs: tuple[bytes, bytes]) -> tuple[ChangedName, ...]:
    after = BEFORE
    for old, new in pairs:
        assert old in after
        after = after.replace(old, new)
    return changed_names(BEFORE, after)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b"8'h08", b"8'h0c", ChangedName("ADDR_CTRL", "parameter", "8'h08", "8'h0c")),
        (b"FIFO_DEPTH = 16", b"FIFO_DEPTH = 32", ChangedName("FIFO_DEPTH", "parameter", "16", "32")),
        (b"LOG2 4", b"LOG2 5", ChangedName("DEPTH_LOG2", "macro", "4", "5")),
        (b"input [7:0] addr", b"input [9:0] addr", ChangedName("addr", "port", "input [7:0]", "input [9:0]")),
        (b"reg [3:0] mode", b"reg [4:0] mode", ChangedName("mode_reg", "register", "[3:0]", "[4:0]")),
        (b"<= addr[3:0]", b"<= addr[4:1]", ChangedName("mode_reg", "register")),
        (b"8'h40:", b"8'h44:", ChangedName("", "constant", "8'h40", "8'h44")),
        (b"<= mode_reg", b"<= other_reg", ChangedName("data_out", "port")),
    ],
)
def test_what_is_changed_has_a_name(old: bytes, new: bytes, found: ChangedName) -> None:
    assert found in changed((old, new))


def test_layout_and_comments_change_nothing() -> None:
    assert changed((b"    mode_reg <=", b"  // first\n      mode_reg  <=")) == ()


def test_numbers_in_every_base() -> None:
    assert [number(text) for text in ("8'h1F", "4'b1_01", "10", "'o17", "x", "8'hxx")] == [31, 5, 10, 15, None, None]


FILES = {
    "doc/registers.md": "| name | address |\n|---|---|\n| CTRL | 0x0C |\n| addr_ctrl | 0x08 |\n| DATA | 0x40 |\n",
    "sw/regs.h": "#define REGS_ADDR_CTRL 0x08\n#define ADDR_CTRL 0x08\n",
    "regs.rdl": "reg { field {} mode[3:0]; } mode @ 0x40;\n",
    "README.md": "The FIFO_DEPTH is 16 words. Nothing else.\n",
    "CHANGELOG.md": "- ADDR_CTRL is new\n",
    "tb/notes.md": "ADDR_CTRL\n",
    "rtl/other.v": "// ADDR_CTRL\n",
    "data/large.csv": "ADDR_CTRL\n" * 60_000,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    return tmp_path


def found(root: Path, old: bytes, new: bytes) -> tuple[Mention, ...]:
    return mentions(root, {"rtl/regs.v": (BEFORE, BEFORE.replace(old, new))})


def test_register_descriptions_and_headers_come_with_the_value_as_it_was(root: Path) -> None:
    lines = found(root, b"8'h08", b"8'h0c")
    assert [(one.path, one.line, one.stale) for one in lines] == [("sw/regs.h", 2, True), ("doc/registers.md", 4, True)]
    assert str(lines[0]) == (
        "sw/regs.h:2 (header) has ADDR_CTRL: parameter, was 8'h08, is 8'h0c; it has the value as it was"
    )


def test_documentation_of_a_parameter(root: Path) -> None:
    (line,) = found(root, b"FIFO_DEPTH = 16", b"FIFO_DEPTH = 32")
    assert (line.path, line.kind, line.stale) == ("README.md", "documentation", True)


def test_a_register_without_its_suffix(root: Path) -> None:
    (line,) = found(root, b"<= addr[3:0]", b"<= addr[4:1]")
    assert (line.path, line.name, line.change, line.stale) == ("regs.rdl", "mode", "register", False)


def test_an_address_without_a_name_is_looked_for_in_tables_only(root: Path) -> None:
    (root / "prose.md").write_text("There are 0x40 of them.\n")
    lines = found(root, b"8'h40:", b"8'h44:")
    assert [(one.path, one.name) for one in lines if not one.change.startswith("port")] == [
        ("regs.rdl", "0x40"),
        ("doc/registers.md", "0x40"),
    ]


def test_a_change_that_names_nothing_finds_nothing(root: Path) -> None:
    assert found(root, b"endmodule", b"\nendmodule") == ()
