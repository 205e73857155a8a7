`timescale 1ns / 1ps
module tb;
  reg clk = 0, rst_n = 0, put = 0, get = 0;
  reg [5:0] in = 0;
  wire ready, valid, lost, parity, ready_r, valid_r, lost_r, parity_r;
  wire [5:0] out, out_r;
  wire [2:0] fill, highest, fill_r, highest_r;
  reg [31:0] s = 32'h6b84221d;
  integer cycle, wrong;

  dut dut (
      .clk(clk), .rst_n(rst_n), .put(put), .in(in), .ready(ready), .get(get), .valid(valid), .out(out), .fill(fill),
      .highest(highest), .lost(lost), .parity(parity)
  );
  dut_ref right (
      .clk(clk), .rst_n(rst_n), .put(put), .in(in), .ready(ready_r), .get(get), .valid(valid_r), .out(out_r),
      .fill(fill_r), .highest(highest_r), .lost(lost_r), .parity(parity_r)
  );

  always #5 clk = ~clk;

  initial begin
    wrong = 0;
    repeat (3) @(negedge clk);
    rst_n = 1;
    for (cycle = 0; cycle < 600 && wrong == 0; cycle = cycle + 1) begin
      s = s ^ (s << 13); s = s ^ (s >> 17); s = s ^ (s << 5);
      in = s[5:0];
      put = cycle[5] ? s[8] : s[8] & s[9];
      get = cycle[5] ? s[10] & s[11] : s[10];
      rst_n = cycle != 300;
      @(negedge clk);
      if ({ready, valid, out, fill, highest, lost, parity}
          !== {ready_r, valid_r, out_r, fill_r, highest_r, lost_r, parity_r}) begin
        wrong = wrong + 1;
        $display("FAIL at cycle %0d: got %b %b %h %d %d %b %b", cycle, ready, valid, out, fill, highest, lost, parity);
      end
    end
    if (wrong == 0) $display("PASS after %0d cycles", cycle);
    $finish;
  end
endmodule
