module popcount (
    input  wire        clk,
    input  wire [15:0] word,
    input  wire [4:0]  limit,
    output reg  [4:0]  ones,
    output reg         over
);
  reg [4:0] sum;
  integer i;
  always @(*) begin
    sum = 5'd0;
    for (i = 0; i < 16; i = i + 1) sum = sum + {4'd0, word[i]};
  end
  always @(posedge clk) begin
    ones <= sum;
    over <= sum > limit;
  end
endmodule
