`timescale 1ns / 1ps
module tb;
  reg clk = 0, rst = 1, send = 0, odd = 0;
  reg [7:0] data = 0;
  wire line, busy, line_r, busy_r;
  wire [2:0] phase, phase_r;
  wire [4:0] frames, frames_r;
  reg [31:0] s = 32'h1f123bb5;
  integer cycle, wrong;

  dut dut (clk, rst, send, data, odd, line, busy, phase, frames);
  dut_ref right (clk, rst, send, data, odd, line_r, busy_r, phase_r, frames_r);

  always #5 clk = ~clk;

  initial begin
    wrong = 0;
    repeat (3) @(negedge clk);
    rst = 0;
    for (cycle = 0; cycle < 1500 && wrong == 0; cycle = cycle + 1) begin
      s = s ^ (s << 13); s = s ^ (s >> 17); s = s ^ (s << 5);
      data = s[7:0];
      odd = s[8];
      send = s[11:9] == 0;
      @(negedge clk);
      if ({line, busy, phase, frames} !== {line_r, busy_r, phase_r, frames_r}) begin
        wrong = wrong + 1;
        $display("FAIL at cycle %0d: got %b %b %d %d", cycle, line, busy, phase, frames);
      end
    end
    if (wrong == 0) $display("PASS after %0d cycles", cycle);
    $finish;
  end
endmodule
