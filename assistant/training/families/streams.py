"""Stages of streams with valid and ready."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def pipeline_register(r: Random, variant: int) -> Draft:
    """One register stage with valid and ready, which lets a word in while the old one goes out."""
    width = r.choice((8, 16, 24, 32))
    body = (
        """
  // room for a word: there is none, or it leaves now
  assign in_ready = !out_valid || out_ready;

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
    end else if (in_ready) begin
      out_valid <= in_valid;
    end
  end

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) out_data <= in_data;
  end
""",
        """
  logic occupied;

  assign in_ready = ~occupied | out_ready;
  assign out_valid = occupied;

  always_ff @(posedge clk) begin
    if (rst) begin
      occupied <= 1'b0;
      out_data <= '0;
    end else begin
      if (in_valid & in_ready) begin
        occupied <= 1'b1;
        out_data <= in_data;
      end else if (out_ready) begin
        occupied <= 1'b0; // the word has gone and none has come
      end
    end
  end
""",
        """
  logic accept, release_word;

  assign accept = in_valid && in_ready;
  assign release_word = out_valid && out_ready;
  assign in_ready = out_ready || !out_valid;

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      out_data <= '0;
    end else begin
      case ({accept, release_word})
        2'b10, 2'b11: out_valid <= 1'b1;
        2'b01: out_valid <= 1'b0;
        default: out_valid <= out_valid;
      endcase
      if (accept) out_data <= in_data;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.word = None

    def step(s: State, i: Pins) -> Outputs:
        ready = s.word is None or i.out_ready
        out = {"in_ready": int(ready), "out_valid": int(s.word is not None), "out_data": s.word}
        if ready:
            s.word = i.in_data if i.in_valid else None
        return out

    return Draft(
        rtl=f"""
module pipeline_register #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  output logic in_ready,
  input logic [WIDTH-1:0] in_data,
  output logic out_valid,
  input logic out_ready,
  output logic [WIDTH-1:0] out_data
);
  {body}
endmodule
""",
        about=f"""Register stage of a {width}-bit stream with a valid and ready handshake. A word moves where valid
        and ready
            are both high. `in_ready` is high where the stage is empty or its word leaves in this cycle, so a word a
            cycle
            passes; a word that waits keeps `out_data` and `out_valid` as they are.""",
        model=Machine(reset, step),
        names=("pipe_stage", "stream_reg", "handshake_register"),
        stimulus={"in_valid": 0.6, "out_ready": 0.6},
    )
