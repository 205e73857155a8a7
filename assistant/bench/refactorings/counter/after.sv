module counter (
    input  wire       clk,
    input  wire       rst,
    input  wire       en,
    input  wire [5:0] top,
    output wire [5:0] q,
    output wire       wrapped
);
  reg [5:0] count;
  reg       over;
  wire      full = !(count < top);

  assign q = count;
  assign wrapped = over;

  always @(posedge clk)
    if (rst) count <= 6'd0;
    else if (en) count <= full ? 6'd0 : count + 6'd1;

  always @(posedge clk)
    if (rst) over <= 1'b0;
    else over <= en & full;
endmodule
