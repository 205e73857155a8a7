`timescale 1ns / 1ps

// Synchronous FIFO with first-word fall-through; see docs/fifo.md.
// A broken copy on purpose: `make demo` lets veriloop find the bug.

module fifo #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 8,  // a power of two
    parameter int ALMOST = 2  // almost_full: this many places or fewer are free
) (
    input  logic                     clk,
    input  logic                     rst_n,

    input  logic                     wr_en,
    input  logic [WIDTH-1:0]         wr_data,
    output logic                     full,
    output logic                     almost_full,

    input  logic                     rd_en,
    output logic [WIDTH-1:0]         rd_data,
    output logic                     empty,

    output logic [$clog2(DEPTH+1)-1:0] level
);

  localparam int ADDR_BITS = $clog2(DEPTH);
  localparam int LEVEL_BITS = $clog2(DEPTH + 1);

  logic [WIDTH-1:0] memory [DEPTH];
  logic [ADDR_BITS-1:0] wr_ptr;
  logic [ADDR_BITS-1:0] rd_ptr;
  logic [LEVEL_BITS-1:0] count;

  // A request that cannot be served is ignored.
  wire push = wr_en && !full;
  wire pop = rd_en && !empty;

  assign full = count == LEVEL_BITS'(DEPTH);
  assign almost_full = count >= LEVEL_BITS'(DEPTH - ALMOST);
  assign empty = count == '0;
  assign level = count;

  // First-word fall-through: the oldest word stands at the output while the FIFO is not empty.
  assign rd_data = memory[rd_ptr];

  always_ff @(posedge clk) begin
    if (push) memory[wr_ptr] <= wr_data;
  end

  always_ff @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      wr_ptr <= '0;
      rd_ptr <= '0;
    end else begin
      if (push) wr_ptr <= wr_ptr + 1'b1;
      if (pop) rd_ptr <= rd_ptr + 1'b1;
    end
  end

  always_ff @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      count <= '0;
    end else if (push && !pop) begin
      count <= count + 1'b1;
    end else if (pop) begin
      count <= count - 1'b1;
    end
  end

endmodule
