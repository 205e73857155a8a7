module gray (
    input  wire       clk,
    input  wire       rst,
    input  wire       step,
    output wire [4:0] code,
    output wire       parity
);
  // Only the code is kept; which bit turns next follows from its parity.
  reg [4:0] g;
  wire odd = ^g;
  wire [4:0] low = g & (~g + 5'd1);
  wire [4:0] turn = !odd ? 5'd1 : (low == 5'd16) ? 5'd16 : low << 1;
  always @(posedge clk)
    if (rst) g <= 5'd0;
    else if (step) g <= g ^ turn;
  assign code = g;
  assign parity = odd;
endmodule
