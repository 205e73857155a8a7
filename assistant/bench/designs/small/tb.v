`timescale 1ns / 1ps
module tb;
  reg clk = 0, rst = 1, up = 0, down = 0;
  reg [3:0] limit = 9;
  wire [3:0] level, gray, level_r, gray_r;
  wire full, pulse, full_r, pulse_r;
  reg [31:0] s = 32'h2545f491;
  integer cycle, wrong;

  dut dut (clk, rst, up, down, limit, level, gray, full, pulse);
  dut_ref right (clk, rst, up, down, limit, level_r, gray_r, full_r, pulse_r);

  always #5 clk = ~clk;

  initial begin
    wrong = 0;
    repeat (3) @(negedge clk);
    rst = 0;
    for (cycle = 0; cycle < 400 && wrong == 0; cycle = cycle + 1) begin
      s = s ^ (s << 13); s = s ^ (s >> 17); s = s ^ (s << 5);
      up = s[0]; down = s[1] & s[2];
      if (s[12:7] == 0) limit = s[6:3];
      @(negedge clk);
      if ({level, gray, full, pulse} !== {level_r, gray_r, full_r, pulse_r}) begin
        wrong = wrong + 1;
        $display("FAIL at cycle %0d: got %b %b %b %b", cycle, level, gray, full, pulse);
      end
    end
    if (wrong == 0) $display("PASS after %0d cycles", cycle);
    $finish;
  end
endmodule
