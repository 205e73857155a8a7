module pwm (
    input  wire       clk,
    input  wire       rst_n,
    input  wire       load,
    input  wire [4:0] duty,
    output reg        out
);
  reg [4:0] phase;
  reg [4:0] level;
  always @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      phase <= 5'd0;
      level <= 5'd0;
      out <= 1'b0;
    end else begin
      phase <= phase + 5'd1;
      if (load && phase == 5'd31) level <= duty;
      out <= phase < level;
    end
  end
endmodule
