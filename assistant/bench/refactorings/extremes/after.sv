module extremes (
    input  wire              clk,
    input  wire              rst,
    input  wire              clear,
    input  wire              valid,
    input  wire signed [7:0] sample,
    output wire signed [7:0] least,
    output wire signed [7:0] most,
    output wire        [7:0] spread
);
  // Signed values are kept with the sign turned, so that plain comparisons do.
  reg        started;
  reg  [7:0] low, high;
  wire [7:0] turned = sample ^ 8'h80;
  wire       over = rst | clear;
  always @(posedge clk) started <= ~over & (started | valid);
  always @(posedge clk)
    if (over) low <= 8'h80;
    else if (valid & (~started | (turned < low))) low <= turned;
  always @(posedge clk)
    if (over) high <= 8'h80;
    else if (valid & (~started | (turned > high))) high <= turned;
  assign least = low ^ 8'h80;
  assign most = high ^ 8'h80;
  assign spread = high - low;
endmodule
