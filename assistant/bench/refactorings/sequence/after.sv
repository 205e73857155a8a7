module sequence_1011 (
    input  wire clk,
    input  wire rst,
    input  wire bit_in,
    input  wire valid,
    output reg  seen
);
  // The last three bits say all that the states said.
  reg [2:0] past;
  always @(posedge clk)
    if (rst) past <= 3'b000;
    else if (valid) past <= {past[1:0], bit_in};
  always @(posedge clk)
    seen <= !rst && valid && bit_in && past == 3'b101;
endmodule
