"""Arbiters."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def round_robin_arbiter(r: Random, variant: int) -> Draft:
    """Grants one of several requests, the one after the last winner first."""
    count = r.choice((3, 4, 5, 8))
    bits = (count - 1).bit_length()
    masked = """
  logic [N-1:0] mask, masked, grant_masked, grant_plain;

  // requests behind the last winner go first
  assign masked = req & mask;
  assign grant_masked = masked & (~masked + 1'b1); // the lowest one
  assign grant_plain = req & (~req + 1'b1);
  assign grant = (masked != 0) ? grant_masked : grant_plain;

  always_ff @(posedge clk) begin
    if (rst) begin
      mask <= {N{1'b1}};
    end else if (grant != 0) begin
      mask <= ~(grant | (grant - 1'b1));
    end
  end
"""
    searching = f"""
  logic [{bits}-1:0] last;
  logic found;

  // looks at each request once, starting behind the last winner
  always_comb begin
    grant = '0;
    found = 1'b0;
    for (int i = 1; i <= N; i++) begin
      if (!found && req[(last + i) % N]) begin
        grant[(last + i) % N] = 1'b1;
        found = 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      last <= N - 1;
    end else begin
      for (int i = 0; i < N; i++) begin
        if (grant[i]) last <= i;
      end
    end
  end
"""
    doubled = """
  logic [N-1:0] base; // one hot: who comes first
  logic [2*N-1:0] twice, won;

  // subtracting the base from two copies of the requests finds the first one at or above it
  assign twice = {req, req};
  assign won = twice & ~(twice - {{N{1'b0}}, base});
  assign grant = won[N-1:0] | won[2*N-1:N];

  always_ff @(posedge clk) begin
    if (rst) begin
      base <= {{(N-1){1'b0}}, 1'b1};
    end else if (|grant) begin
      base <= {grant[N-2:0], grant[N-1]}; // the one after the winner
    end
  end
"""
    body = (masked, searching, doubled)[variant]

    def reset(s: State) -> None:
        s.first = 0

    def step(s: State, i: Pins) -> Outputs:
        order = [(s.first + k) % count for k in range(count)]
        winner = next((k for k in order if i.req >> k & 1), None)
        if winner is None:
            return {"grant": 0}
        s.first = (winner + 1) % count
        return {"grant": 1 << winner}

    return Draft(
        rtl=f"""
module round_robin_arbiter #(
  parameter int N = {count}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] req,
  output logic [N-1:0] grant // one hot, or zero without a request
);
  {body}
endmodule
""",
        about=f"""Round-robin arbiter for {count} requesters. `grant` answers in the same cycle and has at most one
        bit set:
            that of the first active request in `req`, looking upwards and around from the one after the last winner.
            After
            reset requester 0 comes first. The order moves on in every cycle with a grant.""",
        model=Machine(reset, step),
        names=("rr_arbiter", "arbiter_rr", "arb", "fair_arbiter"),
    )
