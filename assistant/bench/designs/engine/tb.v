`timescale 1ns / 1ps
module tb;
  reg clk = 0, rst = 1, valid = 0;
  reg [3:0] op = 0;
  reg [15:0] x = 0, y = 0;
  wire ready, tx, alarm, ready_r, tx_r, alarm_r;
  wire [15:0] acc, crc, acc_r, crc_r;
  wire [3:0] flags, fill, flags_r, fill_r;
  wire [7:0] done, done_r;
  wire [1:0] grant, grant_r;
  reg [31:0] s = 32'h1234567;
  integer cycle, last, wrong;

  dut dut (clk, rst, valid, ready, op, x, y, acc, flags, crc, tx, fill, done, alarm, grant);
  dut_ref right (
      clk, rst, valid, ready_r, op, x, y, acc_r, flags_r, crc_r, tx_r, fill_r, done_r, alarm_r, grant_r
  );

  always #5 clk = ~clk;

  initial begin
    wrong = 0;
    if (!$value$plusargs("cycles=%d", last)) last = 120000;
    repeat (3) @(negedge clk);
    rst = 0;
    for (cycle = 0; cycle < last && wrong == 0; cycle = cycle + 1) begin
      s = s ^ (s << 13); s = s ^ (s >> 17); s = s ^ (s << 5);
      op = s[3:0];
      x = s[4] ? {11'd0, s[9:5]} : s[31:16];
      y = s[10] ? x : s[20:5];
      valid = (s[13:11] == 0 && cycle[9:8] != 2'd3) | (cycle[9:6] == 0);
      @(negedge clk);
      if ({ready, acc, flags, crc, tx, fill, done, alarm, grant}
          !== {ready_r, acc_r, flags_r, crc_r, tx_r, fill_r, done_r, alarm_r, grant_r}) begin
        wrong = wrong + 1;
        $display("FAIL at cycle %0d: got %b %h %b %h %b %d %d %b %b", cycle, ready, acc, flags, crc, tx, fill, done,
                 alarm, grant);
      end
    end
    if (wrong == 0) $display("PASS after %0d cycles", cycle);
    $finish;
  end
endmodule
