module alu (
    input  wire [2:0] op,
    input  wire [7:0] a,
    input  wire [7:0] b,
    output reg  [7:0] y,
    output wire       zero,
    output reg        carry
);
  always @(*) begin
    carry = 1'b0;
    case (op)
      3'd0: {carry, y} = a + b;
      3'd1: {carry, y} = a - b;
      3'd2: y = a & b;
      3'd3: y = a | b;
      3'd4: y = a ^ b;
      3'd5: y = {7'd0, $signed(a) < $signed(b)};
      3'd6: y = {7'd0, a < b};
      default: y = ~(a | b);
    endcase
  end
  assign zero = y == 8'd0;
endmodule
