module arbiter (
    input  wire       clk,
    input  wire       rst,
    input  wire [3:0] req,
    output reg  [3:0] grant
);
  // The first place to look at, as one bit; subtracting it from the doubled requests finds the first one from there.
  reg  [3:0] first;
  wire [7:0] twice = {req, req};
  wire [7:0] found = twice & ~(twice - {4'd0, first});
  wire [3:0] pick = found[7:4] | found[3:0];
  always @(posedge clk)
    if (rst) first <= 4'b0001;
    else if (|pick) first <= {pick[2:0], pick[3]};
  always @(posedge clk)
    grant <= pick & {4{!rst}};
endmodule
