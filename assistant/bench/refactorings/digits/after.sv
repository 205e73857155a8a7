module digits (
    input  wire       clk,
    input  wire       rst,
    input  wire       up,
    input  wire       down,
    output reg  [3:0] ones,
    output reg  [3:0] tens
);
  wire moves = up ^ down;
  wire carry = up ? ones == 4'd9 : ones == 4'd0;
  function [3:0] moved(input [3:0] digit, input upwards);
    if (upwards) moved = (digit == 4'd9) ? 4'd0 : digit + 4'd1;
    else moved = (digit == 4'd0) ? 4'd9 : digit - 4'd1;
  endfunction
  always @(posedge clk)
    if (rst) ones <= 4'd0;
    else if (moves) ones <= moved(ones, up);
  always @(posedge clk)
    if (rst) tens <= 4'd0;
    else if (moves && carry) tens <= moved(tens, up);
endmodule
