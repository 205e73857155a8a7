module encoder (
    input  wire [7:0] req,
    input  wire       high_first,
    output wire [2:0] index,
    output wire       valid
);
  reg [2:0] low, high;
  integer i;
  always @(*) begin
    low = 3'd0;
    high = 3'd0;
    for (i = 7; i >= 0; i = i - 1) if (req[i]) low = i[2:0];
    for (i = 1; i <= 7; i = i + 1) if (req[i]) high = i[2:0];
  end
  assign index = high_first ? high : low;
  assign valid = req != 8'd0;
endmodule
