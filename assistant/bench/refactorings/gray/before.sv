module gray (
    input  wire       clk,
    input  wire       rst,
    input  wire       step,
    output reg  [4:0] code,
    output wire       parity
);
  reg [4:0] binary;
  wire [4:0] next = binary + 5'd1;
  assign parity = binary[0];
  always @(posedge clk) begin
    if (rst) begin
      binary <= 5'd0;
      code <= 5'd0;
    end else if (step) begin
      binary <= next;
      code <= next ^ (next >> 1);
    end
  end
endmodule
