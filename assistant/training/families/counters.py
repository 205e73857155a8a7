"""Counters."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def modulo_counter(r: Random, variant: int) -> Draft:
    """Counts to a limit and wraps."""
    limit = r.choice((6, 10, 12, 24, 60, 100, 200))
    bits = (limit - 1).bit_length()
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
    end else if (en) begin
      if (count == LAST)
        count <= '0; // start over after the last value
      else
        count <= count + 1'b1;
    end
  end

  assign wrap = en && (count == LAST);
""",
        """
  logic [WIDTH-1:0] count_next;

  // one more than the last time, or zero after the last value
  assign count_next = (count == LAST) ? '0 : count + 1'b1;
  assign wrap = en && (count == LAST);

  always_ff @(posedge clk) begin
    if (rst)
      count <= '0;
    else if (en)
      count <= count_next;
  end
""",
        """
  logic at_last;

  assign at_last = (count == LAST);
  assign wrap = at_last & en;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
    end else begin
      case ({en, at_last})
        2'b10: count <= count + 1'b1;
        2'b11: count <= '0;
        default: count <= count; // not enabled
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"count": s.count, "wrap": int(i.en and s.count == limit - 1)}
        if i.en:
            s.count = (s.count + 1) % limit
        return out

    return Draft(
        rtl=f"""
module modulo_counter #(
  parameter int LIMIT = {limit},
  parameter int WIDTH = {bits}
) (
  input logic clk,
  input logic rst,
  input logic en,
  output logic [WIDTH-1:0] count, // from 0 to `LIMIT` - 1
  output logic wrap // the next enabled edge starts over
);
  localparam logic [WIDTH-1:0] LAST = LIMIT - 1;
  {body}
endmodule
""",
        about=(
            f"Modulo-{limit} counter: `count` goes from 0 to {limit - 1} by one in each cycle with `en` high, then"
            f" starts over at 0. `wrap` is high in the enabled cycle in which `count` is {limit - 1}.",
            f"Counts enabled cycles modulo {limit}; `wrap` marks the enabled cycle before it returns to zero.",
        ),
        model=Machine(reset, step),
        names=("mod_counter", f"mod{limit}_counter", "wrap_counter", "counter"),
        stimulus={"en": 0.8},
        cycles=limit * 2 + 40,
    )
