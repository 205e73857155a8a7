"""Queues."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def sync_fifo(r: Random, variant: int) -> Draft:
    """A queue in one clock domain whose head falls through."""
    width = r.choice((4, 8, 12, 16, 32))
    bits = r.choice((2, 3, 4))
    depth = 1 << bits
    counted = """
  logic [ADDR-1:0] wr_ptr, rd_ptr;
  logic [ADDR:0] count;
  logic do_push, do_pop;

  // a full queue takes nothing, an empty one gives nothing
  assign do_push = push && !full;
  assign do_pop = pop && !empty;
  assign full = (count == DEPTH);
  assign empty = (count == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      rd_ptr <= '0;
      count <= '0;
    end else begin
      if (do_push) wr_ptr <= wr_ptr + 1'b1;
      if (do_pop) rd_ptr <= rd_ptr + 1'b1;
      case ({do_push, do_pop})
        2'b10: count <= count + 1'b1;
        2'b01: count <= count - 1'b1;
        default: ; // as many come as go
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (do_push) mem[wr_ptr] <= din;
  end
"""
    pointers = """
  // one bit more than the address tells a full queue from an empty one
  logic [ADDR:0] wr_ptr, rd_ptr;

  assign empty = (wr_ptr == rd_ptr);
  assign full = (wr_ptr[ADDR] != rd_ptr[ADDR]) && (wr_ptr[ADDR-1:0] == rd_ptr[ADDR-1:0]);

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
    end else if (push && !full) begin
      wr_ptr <= wr_ptr + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (push && !full) mem[wr_ptr[ADDR-1:0]] <= din;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      rd_ptr <= '0;
    end else if (pop && !empty) begin
      rd_ptr <= rd_ptr + 1'b1;
    end
  end
"""
    flags = """
  logic [ADDR-1:0] wr_ptr, rd_ptr, wr_ptr_next, rd_ptr_next;
  logic do_push, do_pop;

  assign do_push = push & ~full;
  assign do_pop = pop & ~empty;
  assign wr_ptr_next = wr_ptr + do_push;
  assign rd_ptr_next = rd_ptr + do_pop;

  // equal pointers mean full after a push and empty after a pop
  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      rd_ptr <= '0;
      full <= 1'b0;
      empty <= 1'b1;
    end else begin
      wr_ptr <= wr_ptr_next;
      rd_ptr <= rd_ptr_next;
      if (do_push != do_pop) begin
        full <= do_push && (wr_ptr_next == rd_ptr_next);
        empty <= do_pop && (wr_ptr_next == rd_ptr_next);
      end
    end
  end

  always_ff @(posedge clk) begin
    if (do_push) mem[wr_ptr] <= din;
  end
"""
    body = (counted, pointers, flags)[variant]
    head = "rd_ptr[ADDR-1:0]" if variant == 1 else "rd_ptr"

    def reset(s: State) -> None:
        s.queue = []

    def step(s: State, i: Pins) -> Outputs:
        full, empty = len(s.queue) == depth, not s.queue
        out = {"dout": None if empty else s.queue[0], "full": int(full), "empty": int(empty)}
        if i.pop and not empty:
            s.queue.pop(0)
        if i.push and not full:
            s.queue.append(i.din)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # Phases that fill and phases that drain reach both ends.
        s.filling = getattr(s, "filling", 1) ^ (r.random() < 0.08)
        return {
            "push": int(r.random() < (0.85 if s.filling else 0.3)),
            "pop": int(r.random() < (0.8 - 0.5 * s.filling)),
        }

    return Draft(
        rtl=f"""
module sync_fifo #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic push,
  input logic [WIDTH-1:0] din,
  input logic pop,
  output logic [WIDTH-1:0] dout, // the oldest word, where there is one
  output logic full,
  output logic empty
);
  localparam int DEPTH = 1 << ADDR;
  logic [WIDTH-1:0] mem [0:DEPTH-1];
  {body}
  assign dout = mem[{head}];
endmodule
""",
        about=(
            f"""Synchronous FIFO of {depth} words of {width} bits. `push` writes `din` unless `full`, `pop` takes the
            oldest word away unless `empty`; `dout` shows the oldest word without being asked. A push and a pop in the
            same cycle are both done where there is room and a word.""",
            f"""First-in first-out queue, {depth} entries, {width} bits wide, first word falls through to `dout`. A push
            while `full` and a pop while `empty` are ignored.""",
        ),
        model=Machine(reset, step),
        names=("fifo", "fifo_sync", "queue", "word_queue"),
        drive=drive,
        cycles=130,
    )
