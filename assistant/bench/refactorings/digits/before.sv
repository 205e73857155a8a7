module digits (
    input  wire       clk,
    input  wire       rst,
    input  wire       up,
    input  wire       down,
    output reg  [3:0] ones,
    output reg  [3:0] tens
);
  always @(posedge clk) begin
    if (rst) begin
      ones <= 4'd0;
      tens <= 4'd0;
    end else if (up && !down) begin
      if (ones == 4'd9) begin
        ones <= 4'd0;
        if (tens == 4'd9) tens <= 4'd0;
        else tens <= tens + 4'd1;
      end else begin
        ones <= ones + 4'd1;
      end
    end else if (down && !up) begin
      if (ones == 4'd0) begin
        ones <= 4'd9;
        if (tens == 4'd0) tens <= 4'd9;
        else tens <= tens - 4'd1;
      end else begin
        ones <= ones - 4'd1;
      end
    end
  end
endmodule
