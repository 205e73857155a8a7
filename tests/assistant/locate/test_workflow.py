"""Reports, and the places that they lead to."""

from __future__ import annotations

import pytest

from veriloop.assistant.locate.places import places_of
from veriloop.assistant.locate.report import read_report
from veriloop.assistant.locate.text_index import fitting
from veriloop.assistant.locate.words import parts, widened
from veriloop.assistant.locate.workflow import Evidence, Ranked, locate

FIFO = b"""module fifo(input clk, input rst, input push, input pop, output full, output empty, output reg [7:0] dout);
  reg [3:0] wr_ptr, rd_ptr, level;
  // the write pointer wraps
  always @(posedge clk) if (rst) wr_ptr <= 0; else if (push) wr_ptr <= wr_ptr + 1;
  always @(posedge clk) if (rst) rd_ptr <= 0; else if (pop) rd_ptr <= rd_ptr + 1;
  always @(posedge clk) if (rst) level <= 0; else level <= level + push - pop;
  assign full = level == 4'd8;
  assign empty = level == 0;
endmodule
"""
UART = b"""module uart_tx(input clk, input start, output reg txd, output busy);
  reg [3:0] bit_cnt;
  always @(posedge clk) if (start) bit_cnt <= 10; else if (bit_cnt != 0) bit_cnt <= bit_cnt - 1;
  assign busy = bit_cnt != 0;
endmodule
"""
FILES = {"rtl/fifo.v": FIFO, "rtl/uart_tx.v": UART}


def first(text: str, **evidence: object) -> Ranked:
    found = locate(FILES, read_report(text), Evidence(**evidence))  # type: ignore[arg-type]  # a test's keywords
    return found[0]


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("The `full` flag is not raised when eight words are in the FIFO", "rtl/fifo.v", 7),
        ("Reading: the read pointer does not advance on `pop`, rd_ptr stays", "rtl/fifo.v", 5),
        ("the transmitter is busy one bit too long", "rtl/uart_tx.v", 4),
        ("Wrong result, see fifo.v:8", "rtl/fifo.v", 8),
    ],
)
def test_words_lead_to_places(text: str, path: str, line: int) -> None:
    top = first(text).place
    assert (top.path, top.first_line) == (path, line)


def test_what_the_run_names_counts_without_a_report() -> None:
    top = first("", failing=frozenset({"txd", "bit_cnt"}))
    assert (top.place.path, top.place.targets) == ("rtl/uart_tx.v", ("bit_cnt",))
    assert top.reasons[0].startswith(("has bit_cnt", "drives"))


def test_history_decides_between_equals() -> None:
    assert first("", changed={"rtl/uart_tx.v": 1.0}).place.path == "rtl/uart_tx.v"
    assert first("", changed={"rtl/fifo.v": 0.5}).place.path == "rtl/fifo.v"


def test_every_line_of_code_lies_in_a_place() -> None:
    places = list(places_of(FILES))
    assert [(one.kind, one.first_line) for one in places if one.path == "rtl/fifo.v"] == [
        ("process", 4),
        ("process", 5),
        ("process", 6),
        ("assignment", 7),
        ("assignment", 8),
        ("module", 1),
    ]
    assert "the write pointer wraps" in places[0].text


def test_names_are_split_and_widened() -> None:
    assert parts(["rdPtr_next", "AXI_AWVALID", "HTTPServer"]) == [
        "rd",
        "ptr",
        "next",
        "axi",
        "awvalid",
        "http",
        "server",
    ]
    assert set(widened(["pointer", "cnt"])) >= {"pointer", "ptr", "cnt"}


@pytest.mark.parametrize("text", ["", "`", "```\nno end", '" OR NEAR(', "\x00" * 10, "%s" * 100, "ä" * 5000])
def test_strange_reports_are_no_error(text: str) -> None:
    assert len(locate(FILES, read_report(text))) == len(list(places_of(FILES)))
    assert fitting((), ("x",)) == {}


def test_broken_rtl_is_ranked_too() -> None:
    assert isinstance(locate({"a.v": b"module a(; always @(", "b.v": b"\xff\xfe"}, read_report("a")), tuple)


def test_parameters_that_stand_together_are_one_place() -> None:
    text = b"""module m #(parameter W = 1)(input a, output o);
  localparam A = 1; // one
  localparam [7:0] B = 2;
  assign o = a;
  localparam C = A;
endmodule
"""
    found = [one for one in places_of({"m.v": text}) if one.kind == "parameters"]
    assert [(one.first_line, one.last_line, sorted(one.names)) for one in found] == [
        (1, 1, ["W"]), (2, 3, ["A", "B"]), (5, 5, ["C"]),
    ]  # fmt: skip
