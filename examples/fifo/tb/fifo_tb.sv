// Random reads and writes against a queue; every output is compared at every clock edge.
`timescale 1ns / 1ps

module fifo_tb;

  localparam int WIDTH = 8;
  localparam int DEPTH = 8;
  localparam int ALMOST = 2;
  localparam int CYCLES = 2000;

  logic clk = 1'b0;
  logic rst_n = 1'b0;
  logic wr_en = 1'b0;
  logic rd_en = 1'b0;
  logic [WIDTH-1:0] wr_data = '0;
  wire full, almost_full, empty;
  wire [WIDTH-1:0] rd_data;
  wire [$clog2(DEPTH+1)-1:0] level;

  logic [WIDTH-1:0] model[$];  // what the FIFO must hold, oldest word first
  int samples = 0;
  int mismatches = 0;  // samples with at least one wrong output
  logic wrong;
  int write_percent = 50;

  fifo #(
      .WIDTH (WIDTH),
      .DEPTH (DEPTH),
      .ALMOST(ALMOST)
  ) dut (
      .clk, .rst_n, .wr_en, .wr_data, .full, .almost_full, .rd_en, .rd_data, .empty, .level
  );

  always #5 clk = ~clk;

  task automatic expect_equal(input string name, input int got, input int expected);
    if (got !== expected) begin
      if (mismatches < 3) $display("%0t: %s is %0d, expected %0d", $time, name, got, expected);
      wrong = 1'b1;
    end
  endtask

  // Inputs change away from the clock edge. The share of writes drifts, so that the FIFO fills and drains.
  always @(negedge clk) begin
    if (samples % 100 == 0) write_percent = 20 + $urandom % 61;
    wr_en <= rst_n && ($urandom % 100 < write_percent);
    rd_en <= rst_n && ($urandom % 100 < 50);
    wr_data <= WIDTH'($urandom);
  end

  // At the edge the outputs still show the state before it; then the model takes the same step.
  always @(posedge clk) begin
    if (rst_n) begin
      logic do_push;
      logic do_pop;
      logic [WIDTH-1:0] dropped;
      samples++;
      wrong = 1'b0;
      expect_equal("level", 32'(level), model.size());
      expect_equal("full", 32'(full), 32'(model.size() == DEPTH));
      expect_equal("almost_full", 32'(almost_full), 32'(model.size() >= DEPTH - ALMOST));
      expect_equal("empty", 32'(empty), 32'(model.size() == 0));
      if (model.size() > 0) expect_equal("rd_data", 32'(rd_data), 32'(model[0]));
      if (wrong) mismatches++;
      do_push = wr_en && model.size() < DEPTH;
      do_pop = rd_en && model.size() > 0;
      if (do_pop) dropped = model.pop_front();
      if (do_push) model.push_back(wr_data);
    end
  end

  initial begin
    repeat (3) @(negedge clk);
    rst_n = 1'b1;
    repeat (CYCLES) @(negedge clk);
    $display("Mismatches: %0d in %0d samples", mismatches, samples);
    if (mismatches != 0) $fatal(1, "the FIFO does not behave as docs/fifo.md says");
    $finish;
  end

endmodule
