module extremes (
    input  wire              clk,
    input  wire              rst,
    input  wire              clear,
    input  wire              valid,
    input  wire signed [7:0] sample,
    output reg  signed [7:0] least,
    output reg  signed [7:0] most,
    output reg         [7:0] spread
);
  reg any;
  always @(posedge clk) begin
    if (rst || clear) begin
      any <= 1'b0;
      least <= 8'sd0;
      most <= 8'sd0;
    end else if (valid) begin
      any <= 1'b1;
      if (!any) begin
        least <= sample;
        most <= sample;
      end else begin
        if (sample < least) least <= sample;
        if (sample > most) most <= sample;
      end
    end
  end
  always @(*) spread = most - least;
endmodule
