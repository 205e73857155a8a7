module stretch (
    input  wire       clk,
    input  wire       rst,
    input  wire       trigger,
    input  wire [3:0] length,
    output reg        pulse
);
  reg       earlier;
  reg [3:0] left;
  always @(posedge clk) begin
    if (rst) begin
      earlier <= 1'b0;
      left <= 4'd0;
      pulse <= 1'b0;
    end else begin
      earlier <= trigger;
      if (trigger && !earlier) begin
        pulse <= 1'b1;
        left <= length;
      end else if (left != 4'd0) begin
        left <= left - 4'd1;
      end else begin
        pulse <= 1'b0;
      end
    end
  end
endmodule
