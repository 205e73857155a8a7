`timescale 1ns / 1ps
module tb;
  reg clk = 0, rst_n = 0, enable = 0, hold = 0;
  reg signed [7:0] sample = 0;
  reg [1:0] gain = 0;
  wire signed [7:0] result, result_r;
  wire [7:0] peak, peak_r;
  wire clipped, clipped_r;
  wire [2:0] zeros, zeros_r;
  reg [31:0] s = 32'h7a92c4e1;
  integer cycle, wrong;

  dut dut (clk, rst_n, enable, hold, sample, gain, result, peak, clipped, zeros);
  dut_ref right (clk, rst_n, enable, hold, sample, gain, result_r, peak_r, clipped_r, zeros_r);

  always #5 clk = ~clk;

  initial begin
    wrong = 0;
    repeat (3) @(negedge clk);
    #2 rst_n = 1;
    for (cycle = 0; cycle < 500 && wrong == 0; cycle = cycle + 1) begin
      @(posedge clk);
      #2;
      s = s ^ (s << 13); s = s ^ (s >> 17); s = s ^ (s << 5);
      sample = s[12] ? s[7:0] : s[7:0] >>> 3;
      enable = s[9:8] != 0;
      hold = s[11:10] == 0;
      gain = s[14:13];
      #1;
      if ({result, peak, clipped, zeros} !== {result_r, peak_r, clipped_r, zeros_r}) begin
        wrong = wrong + 1;
        $display("FAIL at cycle %0d: got %d %d %b %d", cycle, result, peak, clipped, zeros);
      end
    end
    if (wrong == 0) $display("PASS after %0d cycles", cycle);
    $finish;
  end
endmodule
