module alu (
    input  wire [2:0] op,
    input  wire [7:0] a,
    input  wire [7:0] b,
    output wire [7:0] y,
    output wire       zero,
    output wire       carry
);
  // One adder for the sum, the difference and both comparisons.
  wire       minus = op != 3'd0;
  wire [8:0] sum = {1'b0, a} + {1'b0, b ^ {8{minus}}} + {8'd0, minus};
  wire       below = ~sum[8];
  wire       less = (a[7] ^ b[7]) ? a[7] : sum[7];
  assign y = (op < 3'd2) ? sum[7:0] :
             (op == 3'd2) ? a & b :
             (op == 3'd3) ? a | b :
             (op == 3'd4) ? a ^ b :
             (op == 3'd5) ? {7'd0, less} :
             (op == 3'd6) ? {7'd0, below} : ~a & ~b;
  assign carry = (op == 3'd0) & sum[8] | (op == 3'd1) & below;
  assign zero = ~|y;
endmodule
