module counter (
    input  wire       clk,
    input  wire       rst,
    input  wire       en,
    input  wire [5:0] top,
    output reg  [5:0] q,
    output reg        wrapped
);
  always @(posedge clk) begin
    if (rst) begin
      q <= 6'd0;
      wrapped <= 1'b0;
    end else begin
      wrapped <= 1'b0;
      if (en) begin
        if (q >= top) begin
          q <= 6'd0;
          wrapped <= 1'b1;
        end else begin
          q <= q + 6'd1;
        end
      end
    end
  end
endmodule
